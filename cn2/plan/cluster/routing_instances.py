"""RoutingInstances: one per VirtualNetwork and VirtualNetworkRouter, and `contrail/default`.

They are planned together with their owner, whose reconcile makes and removes them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from cn2.api.kind import Kind, Object
from cn2.api.kinds import ROUTE_TARGET, ROUTING_INSTANCE, VIRTUAL_NETWORK, VIRTUAL_NETWORK_ROUTER
from cn2.api.pools import ROUTE_TARGET_POOL
from cn2.net.names import back_reference
from cn2.plan.cluster import numbers, objects, route_targets
from cn2.plan.cluster.steps import Claimed, Create, Steps
from cn2.plan.snapshot import Key, Snapshot

FINALIZERS = (
    "route-target-delete-default.finalizers.core.juniper.net",
    "route-target-number-deallocation.finalizers.core.juniper.net",
)
ROUTED = "virtualNetworkRouterRouteTargetReferences"


class Taken(Exception):
    """The name is that of another owner's RoutingInstance; the sentence is for a person."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a RoutingInstance is to be."""

    key: Key
    owner_kind: Kind
    owner: Object
    parent: dict[str, Any]
    """`spec.parent`: the VirtualNetwork; {} for a router's."""
    default: bool
    """Its network's own instance."""
    targets: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    """(RouteTarget name, attributes) that people asked for."""
    routed: dict[str, list[tuple[str, dict[str, str]]]] = field(default_factory=dict)
    """The same that came from VirtualNetworkRouters, by `namespace/name`."""


def plan(snapshot: Snapshot, wanted: Wanted) -> Steps:
    """The next steps towards one RoutingInstance with its RouteTargets; [] when it is right.

    Raises Taken: a network and a router of one name and namespace ask for the same instance.
    """
    instance = snapshot.get(ROUTING_INSTANCE, wanted.key[1], wanted.key[0])
    if instance is not None and objects.terminating(instance):
        return finalize(snapshot, instance)
    if instance is not None and (others := _of_others(wanted, instance)):
        return others
    number = _number(snapshot, wanted.key, instance)
    if not isinstance(number, int):
        return [number]
    default = route_targets.system_name(route_targets.autonomous_system(snapshot), number)
    if instance is not None and (name := default_target(instance)):
        default = name
    names = [name for name, _ in wanted.targets]
    steps = _create_targets(snapshot, names, default)
    if steps:
        return steps
    references = [_reference(snapshot, *one) for one in wanted.targets]
    if instance is None:
        return [Create(ROUTING_INSTANCE, _instance(wanted, default, references))]
    return [
        *objects.add_finalizers(ROUTING_INSTANCE, instance, FINALIZERS),
        *_follow(snapshot, wanted, instance, references, default),
        *_status(snapshot, wanted, instance, default, number),
    ]


def _of_others(wanted: Wanted, instance: Object) -> Steps:
    owner = owner_key(instance)
    owners = instance["metadata"].get("ownerReferences") or ()
    if any(one.get("uid") == objects.uid(wanted.owner) for one in owners):
        return []
    if owner == (wanted.owner_kind.kind, objects.key(wanted.owner)):
        return [objects.delete(ROUTING_INSTANCE, instance)]  # an earlier owner of this name left it
    whose = f"{owner[0]} {objects.text(owner[1])}" if owner else "nobody that we know"
    raise Taken(f"RoutingInstance {objects.text(wanted.key)} belongs to {whose}")


def default_target(instance: Object) -> str:
    """The name of its default RouteTarget, "" while it has none."""
    found = objects.status(instance).get("defaultRouteTargetReference") or {}
    return str(found.get("name", ""))


def finalize(snapshot: Snapshot, instance: Object) -> Steps:
    """What must go before a RoutingInstance that is being deleted can go."""
    default = default_target(instance)
    target = snapshot.get(ROUTE_TARGET, default) if default else None
    if target is not None and not objects.terminating(target):
        return [objects.delete(ROUTE_TARGET, target)]
    return [*objects.remove_finalizers(ROUTING_INSTANCE, instance, FINALIZERS)]


def plan_orphan(snapshot: Snapshot, key: Key) -> Steps:
    """Finish a RoutingInstance whose owner is gone; say of one without an owner that it is idle."""
    instance = snapshot.get(ROUTING_INSTANCE, key[1], key[0])
    if instance is None or _owner(snapshot, instance):
        return []
    if objects.terminating(instance):
        return finalize(snapshot, instance)
    if owner_key(instance) is not None:
        return []
    idle = objects.pending("not made for a VirtualNetwork or VirtualNetworkRouter: nothing uses it")
    return [*objects.set_status(ROUTING_INSTANCE, instance, idle)]


def owner_key(instance: Object) -> tuple[str, Key] | None:
    """(kind name, key) of what a RoutingInstance belongs to."""
    for one in instance["metadata"].get("ownerReferences") or ():
        if one.get("controller"):
            return one["kind"], (instance["metadata"]["namespace"], one["name"])
    return None


def _owner(snapshot: Snapshot, instance: Object) -> Object | None:
    for kind in (VIRTUAL_NETWORK, VIRTUAL_NETWORK_ROUTER):
        found = owner_key(instance)
        if found and found[0] == kind.kind:
            return snapshot.get(kind, found[1][1], found[1][0])
    return None


def _number(snapshot: Snapshot, key: Key, instance: Object | None) -> Any:
    if instance is not None and (name := default_target(instance)):
        return route_targets.number_of(name)
    return numbers.pick(snapshot, ROUTE_TARGET_POOL, objects.holder_of(ROUTING_INSTANCE, key))


def _create_targets(snapshot: Snapshot, names: list[str], default: str) -> Steps:
    steps: Steps = [
        Create(ROUTE_TARGET, route_targets.create(name))
        for name in names
        if snapshot.get(ROUTE_TARGET, name) is None
    ]
    if snapshot.get(ROUTE_TARGET, default) is None:
        steps.append(Create(ROUTE_TARGET, route_targets.create(default, system=True)))
    return steps


def _reference(snapshot: Snapshot, name: str, attributes: dict[str, str]) -> dict[str, Any]:
    target = snapshot.get(ROUTE_TARGET, name)
    assert target is not None, "created in an earlier step"
    return objects.reference(ROUTE_TARGET, target) | {"attributes": attributes}


def _instance(wanted: Wanted, default: str, references: list[dict[str, Any]]) -> Object:
    label, value = back_reference(ROUTE_TARGET.kind, "", default)
    made: Object = {
        "apiVersion": ROUTING_INSTANCE.api_version,
        "kind": ROUTING_INSTANCE.kind,
        "metadata": {
            "namespace": wanted.key[0],
            "name": wanted.key[1],
            "labels": {label: value},
            "ownerReferences": [objects.owner(wanted.owner_kind, wanted.owner)],
            "finalizers": list(FINALIZERS),
        },
        "spec": {"parent": wanted.parent},
    }
    if references:
        made["spec"]["routeTargetReferences"] = references
    return made


def _follow(
    snapshot: Snapshot,
    wanted: Wanted,
    instance: Object,
    references: list[dict[str, Any]],
    default: str,
) -> Steps:
    """The references follow the network's lists; what they no longer name is released first."""
    have = objects.spec(instance).get("routeTargetReferences") or []
    if objects.same(have, references):
        return []
    named = {name for name, _ in wanted.targets} | {default}
    dropped = [one["name"] for one in have if one["name"] not in named]
    body = {"spec": {"routeTargetReferences": references or None}}
    return [
        *route_targets.release(snapshot, dropped, wanted.key),
        objects.patch(ROUTING_INSTANCE, instance, body),
    ]


def _status(
    snapshot: Snapshot, wanted: Wanted, instance: Object, default: str, number: int
) -> Steps:
    # As CN2's controller does: the server adds the uid.
    reference = {
        "kind": ROUTE_TARGET.kind,
        "name": default,
        "apiVersion": ROUTE_TARGET.api_version,
        "attributes": {},
    }
    fields: dict[str, Any] = objects.success(
        isDefault=wanted.default, defaultRouteTargetReference=reference
    )
    have = objects.status(instance).get(ROUTED) or {}
    if wanted.routed or have:
        fields[ROUTED] = _routed(snapshot, wanted, have)
    claimed = None
    if not default_target(instance):
        claimed = Claimed(
            ROUTE_TARGET_POOL, objects.holder_of(ROUTING_INSTANCE, wanted.key), number
        )
    return [*objects.set_status(ROUTING_INSTANCE, instance, fields, claimed)]


def _routed(snapshot: Snapshot, wanted: Wanted, have: dict[str, Any]) -> dict[str, Any]:
    fields: dict[str, Any] = {router: None for router in have if router not in wanted.routed}
    for router, entries in wanted.routed.items():
        references = [
            _reference(snapshot, *one)
            for one in entries
            if snapshot.get(ROUTE_TARGET, one[0]) is not None
        ]
        fields[router] = {"routeTargetReferences": references}
    return fields
