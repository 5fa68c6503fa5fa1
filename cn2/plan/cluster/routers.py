"""VirtualNetworkRouter: its own RoutingInstance, and what it asks of its members' (F28 to F30).

A router's members are the VirtualNetworks of its namespace that its selector takes. mesh: every
member imports and exports the router's RouteTarget. hub and spoke: members export their own
router's RouteTarget and import those of the routers that they are paired with; two routers are
paired when each imports the other (cn2-api.md 4.5).
"""

from __future__ import annotations

from cn2.api.access import at, items
from cn2.api.kind import Object
from cn2.api.kinds import NAMESPACE, ROUTING_INSTANCE, VIRTUAL_NETWORK_ROUTER
from cn2.plan.cluster import objects, routing_instances
from cn2.plan.cluster.selectors import matches
from cn2.plan.cluster.steps import Say, Steps
from cn2.plan.finding import Finding
from cn2.plan.snapshot import Key, Snapshot

FINALIZERS = (
    "remove-vnr-rt-from-vn-ri.finalizers.core.juniper.net",
    "vnr-routinginstance-delete.finalizers.core.juniper.net",
)

BY_NAMESPACE = "namespace"
"""Index of VirtualNetworkRouters and VirtualNetworks: their namespace."""
BY_ROUTER = "router"
"""Index of RoutingInstances: the routers that asked something of them, `namespace/name`."""

_PEERS = {"mesh": "mesh", "hub": "spoke", "spoke": "hub"}

Asked = list[tuple[str, dict[str, str]]]


def namespace_of(obj: Object) -> list[str]:
    """Index function."""
    return [obj["metadata"].get("namespace", "")]


def routed_by(instance: Object) -> list[str]:
    """Index function: the routers in a RoutingInstance's status."""
    return list(objects.status(instance).get(routing_instances.ROUTED) or {})


def references(snapshot: Snapshot, network: Object) -> dict[str, Asked]:
    """What routers ask of a network's RoutingInstance: `namespace/name` -> RouteTargets."""
    found: dict[str, Asked] = {}
    namespace = network["metadata"]["namespace"]
    for router in snapshot.find(VIRTUAL_NETWORK_ROUTER, BY_NAMESPACE, namespace):
        if objects.terminating(router) or not _selects(router, network):
            continue
        asked = _asked(snapshot, router)
        if asked:
            found[objects.text(objects.key(router))] = asked
    return found


def plan(snapshot: Snapshot, key: Key) -> Steps:
    """The next steps for one VirtualNetworkRouter and its RoutingInstance."""
    router = snapshot.get(VIRTUAL_NETWORK_ROUTER, key[1], key[0])
    if router is None:
        return []
    if objects.terminating(router):
        return _finalize(snapshot, router)
    steps: Steps = [*objects.add_finalizers(VIRTUAL_NETWORK_ROUTER, router, FINALIZERS)]
    wanted = routing_instances.Wanted(
        key=key, owner_kind=VIRTUAL_NETWORK_ROUTER, owner=router, parent={}, default=True
    )
    try:
        steps += routing_instances.plan(snapshot, wanted)
    except routing_instances.Taken as problem:
        failed = objects.set_status(VIRTUAL_NETWORK_ROUTER, router, objects.failure(str(problem)))
        said = [Say(Finding(router, "RouterFailed", str(problem)))] if failed else []
        return [*steps, *failed, *said]
    return steps or [*objects.set_status(VIRTUAL_NETWORK_ROUTER, router, objects.success())]


def _finalize(snapshot: Snapshot, router: Object) -> Steps:
    namespace, name = objects.key(router)
    text = objects.text((namespace, name))
    steps: Steps = []
    for instance in snapshot.find(ROUTING_INSTANCE, BY_ROUTER, text):
        gone = {routing_instances.ROUTED: {text: None}}
        steps += objects.set_status(ROUTING_INSTANCE, instance, gone)
    if steps:
        return steps
    own = snapshot.get(ROUTING_INSTANCE, name, namespace)
    ours = (VIRTUAL_NETWORK_ROUTER.kind, (namespace, name))
    if own is None or routing_instances.owner_key(own) != ours:
        return [*objects.remove_finalizers(VIRTUAL_NETWORK_ROUTER, router, FINALIZERS)]
    if objects.terminating(own):
        return routing_instances.finalize(snapshot, own)
    return [objects.delete(ROUTING_INSTANCE, own)]


def _asked(snapshot: Snapshot, router: Object) -> Asked:
    own = _target(snapshot, router)
    if not own:
        return []
    mesh = objects.spec(router).get("type") == "mesh"
    asked: Asked = [(own, {} if mesh else {"importExport": "export"})]
    for peer in snapshot.all(VIRTUAL_NETWORK_ROUTER):
        if _paired(snapshot, router, peer) and (target := _target(snapshot, peer)):
            asked.append((target, {"importExport": "import"}))
    return sorted(asked[:1]) + sorted(asked[1:])


def _target(snapshot: Snapshot, router: Object) -> str:
    namespace, name = objects.key(router)
    instance = snapshot.get(ROUTING_INSTANCE, name, namespace)
    if instance is None or objects.terminating(instance):
        return ""
    return routing_instances.default_target(instance)


def _paired(snapshot: Snapshot, router: Object, peer: Object) -> bool:
    if objects.key(router) == objects.key(peer) or objects.terminating(peer):
        return False
    kinds = objects.spec(router).get("type"), objects.spec(peer).get("type")
    return (
        _PEERS.get(str(kinds[0])) == kinds[1]
        and _imports(snapshot, router, peer)
        and _imports(snapshot, peer, router)
    )


def _imports(snapshot: Snapshot, router: Object, peer: Object) -> bool:
    # Read with care: a router that is not what it should be must not stop others' networks.
    for one in items(router, "spec", "import", "virtualNetworkRouters"):
        if not matches(at(one, "virtualNetworkRouterSelector"), objects.labels(peer)):
            continue
        selector = at(one, "namespaceSelector")
        there = peer["metadata"]["namespace"]
        if selector is None:
            if there == router["metadata"]["namespace"]:
                return True
            continue
        namespace = snapshot.get(NAMESPACE, there)
        if namespace is not None and matches(selector, objects.labels(namespace)):
            return True
    return False


def _selects(router: Object, network: Object) -> bool:
    selector = objects.spec(router).get("virtualNetworkSelector")
    return matches(selector, objects.labels(network))
