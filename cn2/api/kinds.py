"""The table of kinds that the server serves, and the ways to look one up."""

from __future__ import annotations

from cn2.api.kind import Family, Kind, NameRule

CORE_GROUP = "core.contrail.juniper.net"


def _core(
    kind: str, plural: str, short: str, namespaced: bool, *categories: str, status: bool = True
) -> Kind:
    return Kind(
        group=CORE_GROUP,
        version="v1alpha1",
        kind=kind,
        plural=plural,
        short_names=(short,),
        namespaced=namespaced,
        categories=("contrail", *categories) if categories else (),
        family=Family.AGGREGATED,
        name_rule=NameRule.PATH_SEGMENT,
        status=status,
    )


def _plane(group: str, kind: str, plural: str) -> Kind:
    return Kind(
        group=group,
        version="v1alpha1",
        kind=kind,
        plural=plural,
        namespaced=True,
        family=Family.CRD,
        status=True,
    )


def _kube(
    group: str,
    kind: str,
    plural: str,
    short: tuple[str, ...] = (),
    *,
    namespaced: bool = True,
    status: bool = False,
    subresources: tuple[str, ...] = (),
    categories: tuple[str, ...] = (),
) -> Kind:
    return Kind(
        group=group,
        version="v1",
        kind=kind,
        plural=plural,
        short_names=short,
        namespaced=namespaced,
        status=status,
        subresources=subresources,
        categories=categories,
    )


ADDRESS_GROUP = _core("AddressGroup", "addressgroups", "ag", True, "security")
APPLICATION_POLICY_SET = _core(
    "ApplicationPolicySet", "applicationpolicysets", "aps", True, "security"
)
BGP_AS_A_SERVICE = _core("BGPAsAService", "bgpasaservices", "bgpaas", True, "networking")
BGP_ROUTER = _core("BGPRouter", "bgprouters", "br", True, "routing")
FIREWALL_POLICY = _core("FirewallPolicy", "firewallpolicies", "fp", True, "security")
FIREWALL_RULE = _core("FirewallRule", "firewallrules", "fr", True, "security")
FLOATING_IP = _core("FloatingIP", "floatingips", "fip", False, "ipam", "networking")
GLOBAL_SYSTEM_CONFIG = _core(
    "GlobalSystemConfig", "globalsystemconfigs", "gsc", False, "contrail-cluster"
)
GLOBAL_VROUTER_CONFIG = _core(
    "GlobalVrouterConfig", "globalvrouterconfigs", "gvc", False, "contrail-cluster"
)
INSTANCE_IP = _core("InstanceIP", "instanceips", "iip", False, "ipam", "networking")
MIRROR_DESTINATION = _core("MirrorDestination", "mirrordestinations", "md", False)
ROUTE_TARGET = _core("RouteTarget", "routetargets", "rt", False, "routing")
ROUTING_INSTANCE = _core("RoutingInstance", "routinginstances", "ri", True, "routing")
SUBNET = _core("Subnet", "subnets", "sn", True, "ipam", "networking")
TAG = _core("Tag", "tags", "t", False, "security")
TAG_TYPE = _core("TagType", "tagtypes", "tt", False, "security")
VIRTUAL_MACHINE = _core("VirtualMachine", "virtualmachines", "vm", False, "networking")
VIRTUAL_MACHINE_INTERFACE = _core(
    "VirtualMachineInterface", "virtualmachineinterfaces", "vmi", True, "networking"
)
VIRTUAL_NETWORK = _core("VirtualNetwork", "virtualnetworks", "vn", True, "networking")
VIRTUAL_NETWORK_ROUTER = _core("VirtualNetworkRouter", "virtualnetworkrouters", "vnr", True)
VIRTUAL_ROUTER = _core("VirtualRouter", "virtualrouters", "vr", False, "contrail-cluster")

POOL = Kind(
    group="idallocator.contrail.juniper.net",
    version="v1alpha1",
    kind="Pool",
    plural="pools",
    namespaced=False,
    family=Family.AGGREGATED,
    name_rule=NameRule.PATH_SEGMENT,
    verbs=("get", "list"),
)

API_SERVER = _plane("configplane.juniper.net", "ApiServer", "apiservers")
CONTROLLER = _plane("configplane.juniper.net", "Controller", "controllers")
KUBEMANAGER = _plane("configplane.juniper.net", "Kubemanager", "kubemanagers")
CONTROL = _plane("controlplane.juniper.net", "Control", "controls")
VROUTER = _plane("dataplane.juniper.net", "Vrouter", "vrouters")

NETWORK_ATTACHMENT_DEFINITION = Kind(
    group="k8s.cni.cncf.io",
    version="v1",
    kind="NetworkAttachmentDefinition",
    plural="network-attachment-definitions",
    short_names=("net-attach-def",),
    namespaced=True,
    family=Family.CRD,
)

NAMESPACE = _kube("", "Namespace", "namespaces", ("ns",), namespaced=False, status=True)
NODE = _kube("", "Node", "nodes", ("no",), namespaced=False, status=True)
POD = _kube("", "Pod", "pods", ("po",), status=True, categories=("all",))
SERVICE = _kube("", "Service", "services", ("svc",), status=True, categories=("all",))
ENDPOINTS = _kube("", "Endpoints", "endpoints", ("ep",))
EVENT = _kube("", "Event", "events", ("ev",))
CONFIG_MAP = _kube("", "ConfigMap", "configmaps", ("cm",))
SECRET = _kube("", "Secret", "secrets")
SERVICE_ACCOUNT = _kube("", "ServiceAccount", "serviceaccounts", ("sa",))
DEPLOYMENT = _kube("apps", "Deployment", "deployments", ("deploy",), status=True)
REPLICA_SET = _kube("apps", "ReplicaSet", "replicasets", ("rs",), status=True)
DAEMON_SET = _kube("apps", "DaemonSet", "daemonsets", ("ds",), status=True)
STATEFUL_SET = _kube("apps", "StatefulSet", "statefulsets", ("sts",), status=True)
ENDPOINT_SLICE = _kube("discovery.k8s.io", "EndpointSlice", "endpointslices")
LEASE = _kube("coordination.k8s.io", "Lease", "leases")
CLUSTER_ROLE = _kube("rbac.authorization.k8s.io", "ClusterRole", "clusterroles", namespaced=False)
CLUSTER_ROLE_BINDING = _kube(
    "rbac.authorization.k8s.io", "ClusterRoleBinding", "clusterrolebindings", namespaced=False
)
ROLE = _kube("rbac.authorization.k8s.io", "Role", "roles")
ROLE_BINDING = _kube("rbac.authorization.k8s.io", "RoleBinding", "rolebindings")
NETWORK_POLICY = _kube("networking.k8s.io", "NetworkPolicy", "networkpolicies", ("netpol",))

KINDS: tuple[Kind, ...] = tuple(value for value in list(globals().values()) if type(value) is Kind)
"""Every kind, in the order of declaration."""

_BY_NAME = {kind.kind: kind for kind in KINDS}
_BY_RESOURCE = {(kind.group, kind.version, kind.plural): kind for kind in KINDS}


def by_name(kind: str) -> Kind:
    """The kind called `kind`, e.g. "VirtualNetwork"; KeyError when there is none."""
    return _BY_NAME[kind]


def by_resource(group: str, version: str, plural: str) -> Kind | None:
    """The kind behind a URL's group, version and resource."""
    return _BY_RESOURCE.get((group, version, plural))
