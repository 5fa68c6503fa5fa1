"""PodSpec and PodTemplateSpec (core/v1)."""

from __future__ import annotations

from cn2.api import schema as s
from cn2.api.kind import Schema
from cn2.api.kubernetes.container import CONTAINER
from cn2.api.kubernetes.volume import VOLUME
from cn2.api.object_meta import OBJECT_META
from cn2.api.shared_types import LOCAL_OBJECT_REFERENCE, label_selector

DEFAULT_GRACE_PERIOD = 30

TOLERATION = s.object(
    "The pod this Toleration is attached to tolerates any taint that matches.",
    {
        "effect": s.string("Effect indicates the taint effect to match. Empty matches all."),
        "key": s.string("Key is the taint key that the toleration applies to."),
        "operator": s.string("Operator represents a key's relationship to the value."),
        "tolerationSeconds": s.integer("How long the taint is tolerated.", bits=64),
        "value": s.string("Value is the taint value the toleration matches to."),
    },
)

_SECURITY_CONTEXT = s.object(
    "SecurityContext holds pod-level security attributes and common container settings.",
    {
        "appArmorProfile": s.any_object("The AppArmor options."),
        "fsGroup": s.integer("A special supplemental group.", bits=64),
        "fsGroupChangePolicy": s.string("How ownership of volumes is changed."),
        "runAsGroup": s.integer("The GID to run the entrypoint.", bits=64),
        "runAsNonRoot": s.boolean("The containers must run as a non-root user."),
        "runAsUser": s.integer("The UID to run the entrypoint.", bits=64),
        "seLinuxChangePolicy": s.string("How the container's SELinux label is applied."),
        "seLinuxOptions": s.any_object("The SELinux context."),
        "seccompProfile": s.any_object("The seccomp options."),
        "supplementalGroups": s.array(s.integer("", bits=64), "Further groups."),
        "supplementalGroupsPolicy": s.string("How supplemental groups are calculated."),
        "sysctls": s.array(
            s.object("", {"name": s.string(), "value": s.string()}, required=("name", "value")),
            "Namespaced sysctls used for the pod.",
        ),
        "windowsOptions": s.any_object("The Windows specific settings."),
    },
    default={},
)

_DNS_CONFIG = s.object(
    "Specifies the DNS parameters of a pod.",
    {
        "nameservers": s.strings("A list of DNS name server IP addresses."),
        "options": s.array(
            s.object("", {"name": s.string(), "value": s.string()}), "DNS resolver options."
        ),
        "searches": s.strings("A list of DNS search domains for host-name lookup."),
    },
)

_HOST_ALIAS = s.object(
    "The mapping between an IP and hostnames for the pod's hosts file.",
    {
        "hostnames": s.strings("Hostnames for the above IP address."),
        "ip": s.string("IP address of the host file entry."),
    },
    required=("ip",),
)

_SPREAD = s.object(
    "How to spread matching pods among the given topology.",
    {
        "labelSelector": label_selector("Labels of matching pods."),
        "matchLabelKeys": s.strings("Label keys to select the pods."),
        "maxSkew": s.integer("The degree to which pods may be unevenly distributed."),
        "minDomains": s.integer("Minimum number of eligible domains."),
        "nodeAffinityPolicy": s.string("How node affinity is treated."),
        "nodeTaintsPolicy": s.string("How node taints are treated."),
        "topologyKey": s.string("The key of node labels."),
        "whenUnsatisfiable": s.string("What to do if a pod doesn't satisfy the constraint."),
    },
    required=("maxSkew", "topologyKey", "whenUnsatisfiable"),
)


def _named(description: str) -> Schema:
    return s.object(description, {"name": s.string()}, required=("name",))


def _containers(description: str) -> Schema:
    return s.list_map(CONTAINER, ("name",), description)


_FIELDS: dict[str, Schema] = {
    "activeDeadlineSeconds": s.integer(
        "Optional duration in seconds the pod may be active on the node.", bits=64, minimum=1
    ),
    "affinity": s.any_object("If specified, the pod's scheduling constraints."),
    "automountServiceAccountToken": s.boolean(
        "Whether a service account token should be automatically mounted."
    ),
    "containers": _containers("List of containers belonging to the pod. Cannot be updated."),
    "dnsConfig": _DNS_CONFIG,
    "dnsPolicy": s.string(
        "Set DNS policy for the pod.",
        enum=("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"),
        default="ClusterFirst",
    ),
    "enableServiceLinks": s.boolean("Whether service variables are put into the environment."),
    "ephemeralContainers": s.list_map(
        {**CONTAINER, "x-kubernetes-preserve-unknown-fields": True},
        ("name",),
        "List of ephemeral containers run in this pod.",
    ),
    "hostAliases": s.list_map(
        _HOST_ALIAS, ("ip",), "Hosts and IPs that will be injected into the pod's hosts file."
    ),
    "hostIPC": s.boolean("Use the host's ipc namespace."),
    "hostNetwork": s.boolean("Host networking requested for this pod."),
    "hostPID": s.boolean("Use the host's pid namespace."),
    "hostUsers": s.boolean("Use the host's user namespace."),
    "hostname": s.string("Specifies the hostname of the Pod."),
    "imagePullSecrets": s.list_map(
        LOCAL_OBJECT_REFERENCE, ("name",), "References to secrets to use for pulling images."
    ),
    "initContainers": _containers("List of initialization containers belonging to the pod."),
    "nodeName": s.string("The node this pod is scheduled on."),
    "nodeSelector": {
        **s.map_of(s.string(), "Selector which must be true for the pod to fit on a node."),
        s.MAP_TYPE: "atomic",
    },
    "os": _named("Specifies the OS of the containers in the pod."),
    "overhead": s.map_of(s.quantity(), "Resource overhead associated with running a pod."),
    "preemptionPolicy": s.string("Policy for preempting pods with lower priority."),
    "priority": s.integer("The priority value."),
    "priorityClassName": s.string("If specified, indicates the pod's priority."),
    "readinessGates": s.array(
        s.object("", {"conditionType": s.string()}, required=("conditionType",)),
        "All readiness gates will be evaluated for pod readiness.",
    ),
    "resourceClaims": s.list_map(
        s.any_object(), ("name",), "Which ResourceClaims must be allocated and reserved."
    ),
    "resources": s.any_object("The total amount of resources of all containers."),
    "restartPolicy": s.string(
        "Restart policy for all containers within the pod.",
        enum=("Always", "OnFailure", "Never"),
        default="Always",
    ),
    "runtimeClassName": s.string("A RuntimeClass object that should be used to run this pod."),
    "schedulerName": s.string(
        "The scheduler that dispatches the pod.", default="default-scheduler"
    ),
    "schedulingGates": s.list_map(
        _named("Gate."), ("name",), "Gates that block scheduling the pod."
    ),
    "securityContext": _SECURITY_CONTEXT,
    "serviceAccount": s.string("Deprecated: use serviceAccountName instead."),
    "serviceAccountName": s.string("Name of the ServiceAccount to use to run this pod."),
    "setHostnameAsFQDN": s.boolean("The hostname is the fully qualified one."),
    "shareProcessNamespace": s.boolean("Share a single process namespace between containers."),
    "subdomain": s.string("If specified, the subdomain of the pod's fully qualified name."),
    "terminationGracePeriodSeconds": s.integer(
        "Seconds the pod needs to terminate gracefully.", bits=64, default=DEFAULT_GRACE_PERIOD
    ),
    "tolerations": s.array(TOLERATION, "If specified, the pod's tolerations."),
    "topologySpreadConstraints": s.list_map(
        _SPREAD,
        ("topologyKey", "whenUnsatisfiable"),
        "How a group of pods ought to spread across topology domains.",
    ),
    # $retainKeys: a patch that changes a volume's source replaces the source (KEP-504).
    "volumes": s.list_map(
        VOLUME,
        ("name",),
        "List of volumes that can be mounted by containers belonging to the pod.",
        strategy="merge,retainKeys",
    ),
}

POD_SPEC: Schema = s.object(
    "Specification of the desired behavior of the pod.", _FIELDS, required=("containers",)
)
POD_TEMPLATE: Schema = s.object(
    "Template describes the pods that will be created.",
    {"metadata": {**OBJECT_META, "default": {}}, "spec": POD_SPEC},
)
