"""RouteTarget objects: one per target in use, by name (cn2-api.md 3.9)."""

from __future__ import annotations

from typing import Any

from cn2.api.kind import Object
from cn2.api.kinds import (
    GLOBAL_SYSTEM_CONFIG,
    ROUTE_TARGET,
    ROUTING_INSTANCE,
    VIRTUAL_NETWORK,
)
from cn2.net.names import route_target_name
from cn2.plan.cluster import objects
from cn2.plan.cluster.steps import Steps
from cn2.plan.snapshot import Key, Snapshot

SYSTEM_LABEL = "core.juniper.net/systemrt"
GLOBAL_CONFIG_NAME = "default-global-system-config"
DEFAULT_AS = 64512

BY_ROUTE_TARGET = "route-target"
"""Index of VirtualNetworks and RoutingInstances: the names of the RouteTargets that they use."""

_LISTS: tuple[tuple[str, dict[str, str]], ...] = (
    ("exportRouteTargetList", {"importExport": "export"}),
    ("importRouteTargetList", {"importExport": "import"}),
    ("routeTargetList", {}),
)
"""In the order in which CN2 lists the references of a RoutingInstance."""


def autonomous_system(snapshot: Snapshot) -> int:
    """The AS number of automatic route targets."""
    config = snapshot.get(GLOBAL_SYSTEM_CONFIG, GLOBAL_CONFIG_NAME)
    return int(objects.spec(config).get("autonomousSystem") or DEFAULT_AS) if config else DEFAULT_AS


def system_name(autonomous_system_: int, number: int) -> str:
    """The name of an automatic RouteTarget."""
    return f"target-{autonomous_system_}-{number}"


def number_of(name: str) -> int:
    """The number in an automatic RouteTarget's name."""
    return int(name.rpartition("-")[2])


def wanted(network: Object) -> list[tuple[str, dict[str, str]]]:
    """(RouteTarget name, attributes) of a network's lists, in the order of CN2's references.

    A target of several lists goes in once: with both directions it needs no attribute.
    """
    found: dict[str, dict[str, str]] = {}
    for field, attributes in _LISTS:
        for target in objects.spec(network).get(field) or ():
            name = route_target_name(target)
            both = name in found and found[name] != attributes
            found[name] = {} if both else dict(attributes)
    return list(found.items())


def used_by_network(network: Object) -> list[str]:
    """Index function: a network that is being deleted uses none."""
    return [] if objects.terminating(network) else [name for name, _ in wanted(network)]


def used_by_instance(instance: Object) -> list[str]:
    """Index function: all RouteTargets that a RoutingInstance refers to."""
    if objects.terminating(instance):
        return []
    spec, status = objects.spec(instance), objects.status(instance)
    references: list[dict[str, Any]] = list(spec.get("routeTargetReferences") or ())
    references.append(status.get("defaultRouteTargetReference") or {})
    routed = status.get("virtualNetworkRouterRouteTargetReferences") or {}
    for entry in routed.values():
        references += entry.get("routeTargetReferences") or ()
    return [one["name"] for one in references if one.get("name")]


def release(snapshot: Snapshot, names: list[str], user: Key) -> Steps:
    """Delete those of `names` that nobody but the network `user` uses.

    A user who turns up in between makes them again: the deletion of a RouteTarget brings
    everyone up who uses it.
    """
    steps: Steps = []
    for name in names:
        target = snapshot.get(ROUTE_TARGET, name)
        if target is None or objects.terminating(target):
            continue
        users = {
            objects.key(one)
            for kind in (VIRTUAL_NETWORK, ROUTING_INSTANCE)
            for one in snapshot.find(kind, BY_ROUTE_TARGET, name)
        }
        if not users - {user}:
            steps.append(objects.delete(ROUTE_TARGET, target))
    return steps


def plan(snapshot: Snapshot, key: Key) -> Steps:
    """The status of one RouteTarget: there is nothing that it waits for."""
    target = snapshot.get(ROUTE_TARGET, key[1])
    if target is None or objects.terminating(target):
        return []
    return [*objects.set_status(ROUTE_TARGET, target, {"state": objects.SUCCESS})]


def create(name: str, *, system: bool = False) -> Object:
    """A new RouteTarget."""
    made: Object = {
        "apiVersion": ROUTE_TARGET.api_version,
        "kind": ROUTE_TARGET.kind,
        "metadata": {"name": name},
        "spec": {},
    }
    if system:
        made["metadata"]["labels"] = {SYSTEM_LABEL: "true"}
    return made
