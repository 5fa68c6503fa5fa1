"""What exists before anyone asks for anything (cn2-api.md 3.11, 3.12 and 10 #8, #9).

Things are created when they are missing and not changed afterwards: what people set in them stays.
"""

from __future__ import annotations

from typing import Any

from cn2.api.kind import Kind, Object
from cn2.api.kinds import (
    GLOBAL_SYSTEM_CONFIG,
    GLOBAL_VROUTER_CONFIG,
    NAMESPACE,
    NODE,
    VIRTUAL_NETWORK,
    VIRTUAL_NETWORK_ROUTER,
    VIRTUAL_ROUTER,
)
from cn2.plan.cluster import networks, numbers, objects, route_targets, routers
from cn2.plan.cluster.steps import Create, Steps
from cn2.plan.snapshot import Key, Snapshot

NAMESPACES = ("contrail", "contrail-system")
VROUTER_CONFIG_NAME = "default-global-vrouter-config"

CLUSTER_LABEL = "core.juniper.net/clusterName"
ROUTER_LABEL = "core.juniper.net/virtualnetworkrouter"
ISOLATED_LABEL = "core.juniper.net/isolated-namespace"
VIRTUAL_ROUTER_LABEL = "core.juniper.net/virtualRouter"
DEPLOYER_GENERATED = "deployer-generated"
NAMESPACE_NAME_LABEL = "kubernetes.io/metadata.name"

_PODS_AND_SERVICES = {
    "matchExpressions": [
        {
            "key": networks.SYSTEM_LABEL,
            "operator": "In",
            "values": [numbers.POD_NETWORK, numbers.SERVICE_NETWORK],
        }
    ]
}


def cluster_namespace(cluster: str) -> str:
    """Where a cluster's own networks live."""
    return f"{cluster}-contrail"


def plan(snapshot: Snapshot, cluster: str) -> Steps:
    """Create what is missing of the system's own objects."""
    steps = [_create(NAMESPACE, one, {}) for one in NAMESPACES if not snapshot.get(NAMESPACE, one)]
    config = snapshot.get(GLOBAL_SYSTEM_CONFIG, route_targets.GLOBAL_CONFIG_NAME)
    if config is None:
        spec = {"autonomousSystem": route_targets.DEFAULT_AS}
        steps.append(_create(GLOBAL_SYSTEM_CONFIG, route_targets.GLOBAL_CONFIG_NAME, spec))
    if steps:
        return [*steps]
    assert config is not None, "created in an earlier step"
    wanted = [_vrouter_config(config)]
    system = networks.SYSTEM_NAMESPACE
    for name in (numbers.FABRIC_NETWORK, numbers.LINK_LOCAL_NETWORK):
        provider = {"isProviderNetwork": True} if name == numbers.FABRIC_NETWORK else {}
        wanted.append(
            _create(VIRTUAL_NETWORK, name, provider, system, {networks.SYSTEM_LABEL: name})
        )
    wanted += [_router(one, cluster) for one in _ROUTERS]
    return [one for one in wanted if _missing(snapshot, one)]


def plan_node(snapshot: Snapshot, key: Key) -> Steps:
    """The VirtualRouter of one Node, of the same name."""
    node, router = snapshot.get(NODE, key[1]), snapshot.get(VIRTUAL_ROUTER, key[1])
    if node is None or objects.terminating(node):
        ours = router and objects.labels(router).get(VIRTUAL_ROUTER_LABEL) == DEPLOYER_GENERATED
        gone = router is None or objects.terminating(router)
        return [objects.delete(VIRTUAL_ROUTER, router)] if router and ours and not gone else []
    config = snapshot.get(GLOBAL_SYSTEM_CONFIG, route_targets.GLOBAL_CONFIG_NAME)
    address = _address(node)
    if config is None or not address:
        return []
    wanted = {"virtualRouterIPAddress": address}
    if router is not None:
        if objects.terminating(router):
            return []
        steps: Steps = [*objects.set_fields(VIRTUAL_ROUTER, router, {"spec": wanted})]
        return steps or [*objects.set_status(VIRTUAL_ROUTER, router, objects.success())]
    spec = {"parent": objects.parent(GLOBAL_SYSTEM_CONFIG, config), **wanted}
    labels = {CLUSTER_LABEL: "", VIRTUAL_ROUTER_LABEL: DEPLOYER_GENERATED}
    return [_create(VIRTUAL_ROUTER, key[1], spec, labels=labels)]


def _address(node: Object) -> str:
    for one in objects.status(node).get("addresses") or ():
        if one.get("type") == "InternalIP":
            return str(one["address"])
    return ""


def _create(
    kind: Kind,
    name: str,
    spec: dict[str, Any],
    namespace: str = "",
    labels: dict[str, str] | None = None,
) -> Create:
    made: Object = {
        "apiVersion": kind.api_version,
        "kind": kind.kind,
        "metadata": {"name": name},
    }
    if namespace:
        made["metadata"]["namespace"] = namespace
    if labels:
        made["metadata"]["labels"] = labels
    if spec:
        made["spec"] = spec
    return Create(kind, made)


def _missing(snapshot: Snapshot, step: Create) -> bool:
    namespace, name = objects.key(step.object)
    if snapshot.get(step.kind, name, namespace) is not None:
        return False
    if not namespace:
        return True
    found = snapshot.get(NAMESPACE, namespace)
    return found is not None and not objects.terminating(found)


def _vrouter_config(config: Object) -> Create:
    spec = {
        "parent": objects.parent(GLOBAL_SYSTEM_CONFIG, config),
        "encapsulationPriorities": {"encapsulation": ["VXLAN"]},
    }
    return _create(GLOBAL_VROUTER_CONFIG, VROUTER_CONFIG_NAME, spec)


def _router(name: str, cluster: str) -> Create:
    type_, label, description, selector, imported = _ROUTERS[name]
    namespace = cluster_namespace(cluster)
    if name == "DefaultIPFabricNetwork":
        namespace = networks.SYSTEM_NAMESPACE
    spec: dict[str, Any] = {"type": type_, "virtualNetworkSelector": selector}
    if imported:
        labels, where = imported
        spec["import"] = {
            "virtualNetworkRouters": [
                {
                    "namespaceSelector": _filled(where, cluster),
                    "virtualNetworkRouterSelector": {"matchLabels": {ROUTER_LABEL: one}},
                }
                for one in labels
            ]
        }
    step = _create(VIRTUAL_NETWORK_ROUTER, name, spec, namespace, {ROUTER_LABEL: label})
    step.object["metadata"]["annotations"] = {
        "core.juniper.net/description": description,
        "core.juniper.net/display-name": name,
    }
    step.object["metadata"]["finalizers"] = list(routers.FINALIZERS)
    return step


def _filled(selector: dict[str, Any], cluster: str) -> dict[str, Any]:
    """The selector for one cluster: an empty cluster name stands for its name."""
    wanted = selector.get("matchLabels")
    if not wanted or CLUSTER_LABEL not in wanted:
        return selector
    return {"matchLabels": wanted | {CLUSTER_LABEL: cluster}}


def _only(network: str) -> dict[str, Any]:
    return {"matchLabels": {networks.SYSTEM_LABEL: network}}


_Router = tuple[str, str, str, dict[str, Any], tuple[tuple[str, ...], dict[str, Any]] | None]
"""type, label, description, selector, (labels of imported routers, their namespaces)."""

_ROUTERS: dict[str, _Router] = {
    "DefaultPodServiceIPFabricNetwork": (
        "spoke",
        "default-pod-service-ip-fabric-network",
        "Enables connectivity between Default Pod and Service virtualnetworks"
        " and IP Fabric virtualnetwork",
        _PODS_AND_SERVICES,
        (
            ("default-ip-fabric-network",),
            {"matchLabels": {NAMESPACE_NAME_LABEL: networks.SYSTEM_NAMESPACE}},
        ),
    ),
    "DefaultPodServiceNetwork": (
        "mesh",
        "default-pod-service-network",
        "Enables connectivity between Default Pod virtualnetwork and Default Service"
        " virtualnetwork",
        _PODS_AND_SERVICES,
        None,
    ),
    "DefaultServiceNetwork": (
        "hub",
        "default-service-network",
        "Enables connectivity between Default Service virtualnetwork and Pod virtualnetwork"
        " of isolated-namespace",
        _only(numbers.SERVICE_NETWORK),
        (
            ("isolated-namespace-pod-to-default-service-network",),
            {"matchLabels": {CLUSTER_LABEL: "", ISOLATED_LABEL: "true"}},
        ),
    ),
    "DefaultIPFabricNetwork": (
        "hub",
        "default-ip-fabric-network",
        "Enables connectivity between IP Fabric virtualnetwork and Default Pod and Service"
        " virtualnetworks",
        _only(numbers.FABRIC_NETWORK),
        (
            (
                "default-pod-service-ip-fabric-network",
                "isolated-namespace-ip-fabric-network",
            ),
            {"matchExpressions": [{"key": CLUSTER_LABEL, "operator": "Exists"}]},
        ),
    ),
}
"""The default VirtualNetworkRouters: the last one lives in `contrail`, the others in the cluster's
namespace."""
