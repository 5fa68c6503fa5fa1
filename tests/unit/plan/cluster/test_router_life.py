"""VirtualNetworkRouters: what they ask of their members' RoutingInstances (F28 to F30)."""

from __future__ import annotations

from typing import Any

import states
from cluster_world import CLUSTER_NAMESPACE, World

from cn2.api import pools
from cn2.api.kinds import NAMESPACE, ROUTING_INSTANCE, VIRTUAL_NETWORK, VIRTUAL_NETWORK_ROUTER
from cn2.plan.cluster import objects


def router(name: str, kind: str, imports: str = "", namespace: str = "default") -> dict[str, Any]:
    spec: dict[str, Any] = {
        "type": kind,
        "virtualNetworkSelector": {"matchLabels": {"joins": name}},
    }
    if imports:
        selector = {"virtualNetworkRouterSelector": {"matchLabels": {"role": imports}}}
        spec["import"] = {"virtualNetworkRouters": [selector]}
    metadata = {"name": name, "namespace": namespace, "labels": {"role": name}}
    return {"metadata": metadata, "spec": spec}


def network(name: str, joins: str, namespace: str = "default") -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": namespace, "labels": {"joins": joins}}}


def started(*routers: dict[str, Any]) -> World:
    world = World()
    world.create(NAMESPACE, states.namespace("default"))
    world.settle()
    for one in routers:
        world.create(VIRTUAL_NETWORK_ROUTER, one)
    return world


def asked(world: World, name: str) -> dict[str, list[tuple[str, str]]]:
    """What routers ask of a network, with the routers' names for their targets."""
    instances = world.tables[ROUTING_INSTANCE.kind].objects.values()
    owners = {
        objects.status(one)["defaultRouteTargetReference"]["name"]: one["metadata"]["name"]
        for one in instances
    }
    status = objects.status(world.get(ROUTING_INSTANCE, name, "default"))
    return {
        key: [
            (owners[one["name"]], one["attributes"].get("importExport", "both"))
            for one in value["routeTargetReferences"]
        ]
        for key, value in status.get("virtualNetworkRouterRouteTargetReferences", {}).items()
    }


def test_members_of_a_mesh_use_its_target_both_ways() -> None:
    world = started(router("m", "mesh"))
    for name in ("a", "b"):
        world.create(VIRTUAL_NETWORK, network(name, "m"))
    world.create(VIRTUAL_NETWORK, network("c", "other"))
    world.settle()
    assert asked(world, "a") == asked(world, "b") == {"default/m": [("m", "both")]}
    assert asked(world, "c") == {}
    assert world.state(VIRTUAL_NETWORK_ROUTER, "m", "default") == "Success"
    instance = world.get(ROUTING_INSTANCE, "m", "default")
    assert instance["spec"]["parent"] == {}
    assert instance["metadata"]["ownerReferences"][0]["kind"] == "VirtualNetworkRouter"
    assert world.settle() == 0


def test_a_network_joins_and_leaves_by_its_label() -> None:
    world = started(router("m", "mesh"))
    world.create(VIRTUAL_NETWORK, network("a", "other"))
    world.settle()
    world.patch(VIRTUAL_NETWORK, "a", {"metadata": {"labels": {"joins": "m"}}}, "default")
    world.settle()
    assert asked(world, "a") == {"default/m": [("m", "both")]}
    world.patch(VIRTUAL_NETWORK, "a", {"metadata": {"labels": {"joins": None}}}, "default")
    world.settle()
    assert asked(world, "a") == {}


def test_hub_and_spoke_import_each_other_and_nothing_of_their_own() -> None:
    world = started(router("h", "hub", "s"), router("s", "spoke", "h"))
    world.create(VIRTUAL_NETWORK, network("a", "h"))
    world.create(VIRTUAL_NETWORK, network("b", "s"))
    world.settle()
    assert asked(world, "a") == {"default/h": [("h", "export"), ("s", "import")]}
    assert asked(world, "b") == {"default/s": [("s", "export"), ("h", "import")]}


def test_an_import_from_one_side_joins_nothing() -> None:
    world = started(router("h", "hub"), router("s", "spoke", "h"))
    world.create(VIRTUAL_NETWORK, network("b", "s"))
    world.settle()
    assert asked(world, "b") == {"default/s": [("s", "export")]}


def test_a_router_and_a_network_of_one_name_do_not_share_an_instance() -> None:
    world = started(router("m", "mesh"))
    world.settle()
    world.create(VIRTUAL_NETWORK, network("m", "other"))
    world.settle()
    status = world.get(VIRTUAL_NETWORK, "m", "default")["status"]
    assert status["state"] == "Failure"
    assert "belongs to VirtualNetworkRouter default/m" in status["observation"]
    world.delete(VIRTUAL_NETWORK, "m", "default")
    world.settle()
    assert world.find(VIRTUAL_NETWORK, "m", "default") is None
    assert world.state(VIRTUAL_NETWORK_ROUTER, "m", "default") == "Success"


def test_a_deleted_router_leaves_no_trace() -> None:
    world = started(router("m", "mesh"))
    world.create(VIRTUAL_NETWORK, network("a", "m"))
    world.settle()
    world.delete(VIRTUAL_NETWORK_ROUTER, "m", "default")
    world.settle()
    assert world.find(VIRTUAL_NETWORK_ROUTER, "m", "default") is None
    assert world.find(ROUTING_INSTANCE, "m", "default") is None
    assert asked(world, "a") == {}


def test_a_network_that_is_called_like_a_system_object_has_an_ordinary_number() -> None:
    """Also when it is there first: the number belongs to one holder, not to all of its name."""
    name = "DefaultPodServiceNetwork"
    world = World()
    world.create(NAMESPACE, states.namespace("default"))
    world.create(VIRTUAL_NETWORK, network(name, "none"))
    world.settle(kubernetes=False)
    world.settle()

    holders = world.held(pools.ROUTE_TARGET_POOL)
    assert holders[8000009] == f"RoutingInstance/default/{name}"
    assert holders[8000006] == f"RoutingInstance/{CLUSTER_NAMESPACE}/{name}"
