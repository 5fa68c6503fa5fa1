"""VirtualNetwork: number, RouteTargets, RoutingInstance, status; and the way back."""

from __future__ import annotations

from typing import Any

from cn2.api.kind import Object
from cn2.api.kinds import ROUTING_INSTANCE, SUBNET, VIRTUAL_NETWORK
from cn2.api.pools import VIRTUAL_NETWORK_POOL
from cn2.api.v1alpha1.virtual_network import wrong_family
from cn2.plan.cluster import numbers, objects, route_targets, routers, routing_instances
from cn2.plan.cluster.steps import Claimed, Patch, Say, Steps
from cn2.plan.finding import Finding
from cn2.plan.snapshot import Key, Snapshot

FINALIZERS = (
    "virtual-network-id-deallocation.finalizers.core.juniper.net",
    "route-target.finalizers.core.juniper.net",
    "vn-routinginstance-delete.finalizers.core.juniper.net",
)

SYSTEM_NAMESPACE = "contrail"
SYSTEM_LABEL = "core.juniper.net/virtualnetwork"

BY_SUBNET = "subnet"
"""Index of VirtualNetworks: the Subnets that they take addresses from."""


def subnet_keys(network: Object) -> dict[str, Key]:
    """Family (`v4`, `v6`) to the Subnet of a network."""
    spec = objects.spec(network)
    return {
        family: objects.target(spec[f"{family}SubnetReference"])
        for family in ("v4", "v6")
        if spec.get(f"{family}SubnetReference")
    }


def subnet_texts(network: Object) -> list[str]:
    """Index function: `namespace/name` of the Subnets of a network."""
    return [objects.text(key) for key in subnet_keys(network).values()]


def plan(snapshot: Snapshot, key: Key) -> Steps:
    """The next steps for one VirtualNetwork and everything that is derived from it."""
    network = snapshot.get(VIRTUAL_NETWORK, key[1], key[0])
    if network is None:
        return []
    if objects.terminating(network):
        return _finalize(snapshot, network)
    number = _number(snapshot, network)
    steps: Steps = [*objects.add_finalizers(VIRTUAL_NETWORK, network, FINALIZERS)]
    if not isinstance(number, int):
        steps.append(number)
    if steps:
        return steps
    missing = _missing_subnet(snapshot, network)
    if missing:
        return [*objects.set_status(VIRTUAL_NETWORK, network, objects.pending(missing))]
    if wrong := _wrong_subnet(snapshot, network):
        return _fail(network, wrong)
    try:
        steps = routing_instances.plan(snapshot, _instance(snapshot, network))
        steps += _system_instance(snapshot, network)
    except routing_instances.Taken as problem:
        return _fail(network, str(problem))
    if all(isinstance(step, Patch) and step.subresource for step in steps):
        # Nothing but words are missing: the network's own go out with those of its instance.
        steps += _status(network, number)
    return steps


def instance_keys(network: Object) -> list[Key]:
    """The RoutingInstances of a network."""
    namespace, name = objects.key(network)
    if (namespace, name) == (SYSTEM_NAMESPACE, numbers.FABRIC_NETWORK):
        return [(namespace, name), (namespace, numbers.DEFAULT_INSTANCE)]
    return [(namespace, name)]


def _instance(snapshot: Snapshot, network: Object) -> routing_instances.Wanted:
    return routing_instances.Wanted(
        key=objects.key(network),
        owner_kind=VIRTUAL_NETWORK,
        owner=network,
        parent=objects.parent(VIRTUAL_NETWORK, network),
        default=True,
        targets=route_targets.wanted(network),
        routed=routers.references(snapshot, network),
    )


def _system_instance(snapshot: Snapshot, network: Object) -> Steps:
    """`contrail/default`, where the BGP routers sit, is a second instance of ip-fabric."""
    steps: Steps = []
    for key in instance_keys(network)[1:]:
        steps += routing_instances.plan(
            snapshot,
            routing_instances.Wanted(
                key=key,
                owner_kind=VIRTUAL_NETWORK,
                owner=network,
                parent=objects.parent(VIRTUAL_NETWORK, network),
                default=False,
            ),
        )
    return steps


def _number(snapshot: Snapshot, network: Object) -> Any:
    number = objects.status(network).get("virtualNetworkNetworkId")
    if number:
        return int(number)
    return numbers.pick(
        snapshot,
        VIRTUAL_NETWORK_POOL,
        objects.holder_of(VIRTUAL_NETWORK, objects.key(network)),
    )


def _missing_subnet(snapshot: Snapshot, network: Object) -> str:
    for namespace, name in subnet_keys(network).values():
        if snapshot.get(SUBNET, name, namespace) is None:
            return f"Subnet {namespace}/{name} not found"
    return ""


def _wrong_subnet(snapshot: Snapshot, network: Object) -> str:
    """The API refuses such a reference, but a Subnet may come after its network."""
    for family, (namespace, name) in subnet_keys(network).items():
        if problem := wrong_family(snapshot.get(SUBNET, name, namespace), family):
            return f"spec.{family}SubnetReference: Subnet {namespace}/{name}: {problem}"
    return ""


def _fail(network: Object, problem: str) -> Steps:
    steps: Steps = [*objects.set_status(VIRTUAL_NETWORK, network, objects.failure(problem))]
    return [*steps, Say(Finding(network, "NetworkFailed", problem))] if steps else []


def _status(network: Object, number: int) -> Steps:
    claimed = None
    if not objects.status(network).get("virtualNetworkNetworkId"):
        claimed = Claimed(
            VIRTUAL_NETWORK_POOL,
            objects.holder_of(VIRTUAL_NETWORK, objects.key(network)),
            number,
        )
    wanted = objects.success(virtualNetworkNetworkId=number)
    return [*objects.set_status(VIRTUAL_NETWORK, network, wanted, claimed)]


def _finalize(snapshot: Snapshot, network: Object) -> Steps:
    key = objects.key(network)
    instances = [
        instance
        for one in instance_keys(network)
        if (instance := snapshot.get(ROUTING_INSTANCE, one[1], one[0])) is not None
        and routing_instances.owner_key(instance) == (VIRTUAL_NETWORK.kind, key)
    ]
    if not instances:
        names = [name for name, _ in route_targets.wanted(network)]
        steps = route_targets.release(snapshot, names, key)
        return steps or [*objects.remove_finalizers(VIRTUAL_NETWORK, network, FINALIZERS)]
    steps = []
    for instance in instances:
        if objects.terminating(instance):
            steps += routing_instances.finalize(snapshot, instance)
            continue
        steps.append(objects.delete(ROUTING_INSTANCE, instance))
        references = objects.spec(instance).get("routeTargetReferences") or ()
        steps += route_targets.release(snapshot, [one["name"] for one in references], key)
    return steps
