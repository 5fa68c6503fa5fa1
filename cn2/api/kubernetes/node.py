"""Node (core/v1)."""

from __future__ import annotations

from cn2.api import schema as s
from cn2.api.access import items, mapping, text
from cn2.api.checks import cidr, forbidden
from cn2.api.columns import AGE, NAME
from cn2.api.kind import Column, FieldError, Kind, Object
from cn2.api.shared_types import conditions

_ROLE_PREFIX = "node-role.kubernetes.io/"
_NONE = "<none>"
_UNKNOWN = "<unknown>"


def _status(obj: Object) -> str:
    words = [
        "Ready" if condition.get("status") == "True" else "NotReady"
        for condition in items(obj, "status", "conditions")
        if condition.get("type") == "Ready"
    ] or ["Unknown"]
    if mapping(obj, "spec").get("unschedulable"):
        words.append("SchedulingDisabled")
    return ",".join(words)


def _roles(obj: Object) -> str:
    labels = mapping(obj, "metadata", "labels")
    roles = {key.removeprefix(_ROLE_PREFIX) for key in labels if key.startswith(_ROLE_PREFIX)}
    roles |= {labels["kubernetes.io/role"]} if labels.get("kubernetes.io/role") else set()
    return ",".join(sorted(filter(None, roles))) or _NONE


def _address(obj: Object, type_: str) -> str:
    for address in items(obj, "status", "addresses"):
        if address.get("type") == type_:
            return text(address, "address")
    return _NONE


def _info(name: str, field: str) -> Column:
    return Column(
        name=name,
        cell=lambda obj: text(obj, "status", "nodeInfo", field) or _UNKNOWN,
        description=name,
        priority=1,
    )


def _validate(new: Object, old: Object | None) -> list[FieldError]:
    errors = cidr("spec.podCIDR", text(new, "spec", "podCIDR"))
    before = text(old, "spec", "podCIDR")
    if before and text(new, "spec", "podCIDR") != before:
        errors.append(
            forbidden("spec.podCIDR", 'node updates may not change podCIDR except from "" to valid')
        )
    return errors


def _complete(new: Object, old: Object | None) -> None:
    spec = new.setdefault("spec", {})
    if spec.get("podCIDR") and not spec.get("podCIDRs"):
        spec["podCIDRs"] = [spec["podCIDR"]]


_TAINT = s.object(
    "The node this Taint is attached to has the effect on pods that do not tolerate it.",
    {
        "effect": s.string(
            "The effect of the taint.", enum=("NoSchedule", "PreferNoSchedule", "NoExecute")
        ),
        "key": s.string("The taint key to be applied to a node."),
        "timeAdded": s.time("The time at which the taint was added."),
        "value": s.string("The taint value corresponding to the taint key."),
    },
    required=("key", "effect"),
)
_INFO = (
    "architecture",
    "bootID",
    "containerRuntimeVersion",
    "kernelVersion",
    "kubeProxyVersion",
    "kubeletVersion",
    "machineID",
    "operatingSystem",
    "osImage",
    "systemUUID",
)

NODE = Kind(
    group="",
    version="v1",
    kind="Node",
    plural="nodes",
    short_names=("no",),
    namespaced=False,
    description=(
        "Node is a worker node in Kubernetes. Each node will have a unique identifier in the cache"
        " (i.e. in etcd)."
    ),
    schema=s.whole(
        s.object(
            "Spec defines the behavior of a node.",
            {
                "configSource": s.any_object("Deprecated."),
                "externalID": s.string("Deprecated."),
                "podCIDR": s.string("PodCIDR represents the pod IP range assigned to the node."),
                "podCIDRs": s.set_of(
                    s.string(), "The IP ranges assigned to the node, one a family.", merge=True
                ),
                "providerID": s.string("ID of the node assigned by the cloud provider."),
                "taints": s.array(_TAINT, "If specified, the node's taints."),
                "unschedulable": s.boolean("Controls schedulability of new pods."),
            },
        ),
        s.object(
            "Most recently observed status of the node.",
            {
                "addresses": s.list_map(
                    s.object(
                        "",
                        {"address": s.string("The address."), "type": s.string("Its type.")},
                        required=("type", "address"),
                    ),
                    ("type",),
                    "List of addresses reachable to the node.",
                ),
                "allocatable": s.map_of(s.quantity(), "Resources available for scheduling."),
                "capacity": s.map_of(s.quantity(), "Total resources of a node."),
                "conditions": conditions(
                    "Conditions is an array of current observed node conditions.",
                    lastHeartbeatTime=s.time("Last time we got an update on the condition."),
                ),
                "config": s.any_object("Status of the config assigned to the node."),
                "daemonEndpoints": s.object(
                    "Endpoints of daemons running on the Node.",
                    {"kubeletEndpoint": s.object("", {"Port": s.integer("Port of the kubelet.")})},
                ),
                "features": s.any_object("Features of the node."),
                "images": s.array(
                    s.object("", {"names": s.strings(), "sizeBytes": s.integer("Size.", bits=64)}),
                    "List of container images on this node.",
                ),
                "nodeInfo": s.object(
                    "Set of ids/uuids to uniquely identify the node.",
                    {name: s.string() for name in _INFO},
                ),
                "phase": s.string("Deprecated."),
                "runtimeHandlers": s.array(s.any_object(), "The available runtime handlers."),
                "volumesAttached": s.array(s.any_object(), "Volumes attached to the node."),
                "volumesInUse": s.strings("Attachable volumes in use by the node."),
            },
        ),
    ),
    columns=(
        NAME,
        Column(name="Status", cell=_status, description="The status of the node."),
        Column(name="Roles", cell=_roles, description="The roles of the node."),
        AGE,
        Column(
            name="Version", path=".status.nodeInfo.kubeletVersion", description="Kubelet Version."
        ),
        Column(
            name="Internal-IP",
            cell=lambda obj: _address(obj, "InternalIP"),
            description="Address of the node.",
            priority=1,
        ),
        Column(
            name="External-IP",
            cell=lambda obj: _address(obj, "ExternalIP"),
            description="External address of the node.",
            priority=1,
        ),
        _info("OS-Image", "osImage"),
        _info("Kernel-Version", "kernelVersion"),
        _info("Container-Runtime", "containerRuntimeVersion"),
    ),
    status=True,
    selectable_fields=("spec.unschedulable",),
    complete=_complete,
    validate=_validate,
)
