"""Numbers are unique, rest while they are wanted, and come back to who had them."""

from __future__ import annotations

import asyncio
from typing import Any

CORE = "/apis/core.contrail.juniper.net/v1alpha1"
NETWORKS = f"{CORE}/namespaces/default/virtualnetworks"
NADS = "/apis/k8s.cni.cncf.io/v1/namespaces/default/network-attachment-definitions"
POOL = "/apis/idallocator.contrail.juniper.net/v1alpha1/pools/virtual-network-id-pool"
MERGE = "application/merge-patch+json"


def numbered(number: int) -> dict[str, Any]:
    return {"status": {"state": "Success", "virtualNetworkNetworkId": number}}


async def network(api: Any, name: str, number: int | None = None) -> None:
    await api.create(NETWORKS, {"metadata": {"name": name}})
    if number is not None:
        await api.merge(f"{NETWORKS}/{name}/status", numbered(number))


async def nad(api: Any, name: str) -> None:
    annotations = {"juniper.net/networks": '{"ipamV4Subnet": "10.0.0.0/24"}'}
    await api.create(
        NADS, {"metadata": {"name": name, "annotations": annotations}, "spec": {"config": "{}"}}
    )


async def following(api: Any, name: str) -> tuple[int, bool]:
    found = await api.get(f"{POOL}/next?holder=VirtualNetwork/default/{name}")
    return found["id"], found["held"]


async def test_a_number_goes_to_one_of_two_concurrent_writers(api) -> None:
    await network(api, "a")
    await network(api, "b")
    answers = await asyncio.gather(
        *(
            api("PATCH", f"{NETWORKS}/{name}/status", numbered(5), content_type=MERGE)
            for name in "ab"
        )
    )

    assert sorted(a.status for a in answers) == [200, 409]
    loser = next(a for a in answers if a.status == 409)
    assert loser.reason == "Conflict"
    assert "5 of pool virtual-network-id-pool is held by VirtualNetwork/default/" in loser.message


async def test_the_next_number_is_the_lowest_free_one_and_ones_own_when_held(api) -> None:
    assert await following(api, "a") == (5, False)
    await network(api, "a", 5)
    await network(api, "c", 7)

    assert await following(api, "a") == (5, True)
    assert await following(api, "b") == (6, False)


async def test_system_networks_have_their_numbers_by_name(api) -> None:
    found = await api.get(f"{POOL}/next?holder=VirtualNetwork/contrail/ip-fabric")

    assert found == {"id": 3, "held": False}


async def test_a_deleted_objects_number_is_free_again(api) -> None:
    await network(api, "a", 5)
    await api("DELETE", f"{NETWORKS}/a")

    assert await following(api, "b") == (5, False)
    await network(api, "b", 5)


async def test_a_wanted_number_rests_and_returns_to_its_holder_alone(api) -> None:
    await nad(api, "vn1")
    await network(api, "vn1", 5)
    await api("DELETE", f"{NETWORKS}/vn1")

    assert await following(api, "vn1") == (5, True)
    assert await following(api, "other") == (6, False)
    await network(api, "other")
    stolen = await api("PATCH", f"{NETWORKS}/other/status", numbered(5), content_type=MERGE)
    assert stolen.status == 409
    await network(api, "vn1", 5)
    await api("DELETE", f"{NADS}/vn1")
    assert await following(api, "vn1") == (5, True)


async def test_a_resting_number_is_freed_with_the_last_want(api) -> None:
    await nad(api, "vn1")
    await network(api, "vn1", 5)
    await api("DELETE", f"{NETWORKS}/vn1")
    await api("DELETE", f"{NADS}/vn1")

    assert await following(api, "other") == (5, False)
    keys = [entry.key for entry in api.backend.store.list("/").entries]
    left = [k for k in keys if k.startswith(("/claims/virtual", "/holders/Virtual", "/wants"))]
    assert left == []


async def test_a_dying_object_wants_nothing_any_more(api) -> None:
    await nad(api, "vn1")
    await api.merge(f"{NADS}/vn1", {"metadata": {"finalizers": ["x/y"]}})
    await network(api, "vn1", 5)
    await api("DELETE", f"{NADS}/vn1")
    await api("DELETE", f"{NETWORKS}/vn1")

    assert await following(api, "other") == (5, False)


async def test_a_holder_that_takes_another_number_gives_the_first_up(api) -> None:
    await network(api, "a", 5)
    await api.merge(f"{NETWORKS}/a/status", numbered(9))

    assert await following(api, "a") == (9, True)
    assert await following(api, "b") == (5, False)


async def test_a_system_number_that_is_taken_is_not_offered_again(api) -> None:
    mine = "VirtualNetwork/contrail-k8s-kubemanager-a-contrail/default-podnetwork"
    assert (await api.get(f"{POOL}/next?holder={mine}"))["id"] == 2
    await network(api, "first", 2)
    assert (await api.get(f"{POOL}/next?holder={mine}"))["id"] == 5


async def test_two_pools_of_one_name_are_both_listed(api) -> None:
    for namespace, name in (("a-b", "c"), ("a", "b-c")):
        await api.create("/api/v1/namespaces", {"metadata": {"name": namespace}})
        await api.create(
            f"{CORE}/namespaces/{namespace}/subnets",
            {"metadata": {"name": name}, "spec": {"cidr": "172.16.10.0/24"}},
        )
    listed = await api.get("/apis/idallocator.contrail.juniper.net/v1alpha1/pools")
    names = [item["metadata"]["name"] for item in listed["items"]]

    assert names.count("subnet-id-pool-Subnet-a-b-c") == 2


async def test_pools_are_computed_from_the_claims(api) -> None:
    subnets = f"{CORE}/namespaces/default/subnets"
    await api.create(subnets, {"metadata": {"name": "s-v4"}, "spec": {"cidr": "172.16.10.0/24"}})
    pools = "/apis/idallocator.contrail.juniper.net/v1alpha1/pools"
    pool = await api.get(f"{pools}/subnet-id-pool-Subnet-default-s-v4")

    assert (pool["capacity"], pool["max"], pool["count"]) == (256, 255, 3)
    assert sorted(pool["reserved"]) == [0, 1, 255]
    names = [item["metadata"]["name"] for item in (await api.get(pools))["items"]]
    assert "subnet-id-pool-Subnet-default-s-v4" in names
    assert "virtual-network-id-pool" in names
    assert (await api("GET", f"{pools}/nonsense")).status == 404
    assert (await api("POST", pools, {"metadata": {"name": "x"}})).status == 405


async def test_a_pool_without_a_free_number_says_so(api) -> None:
    await network(api, "a", 5)
    answered = await api("GET", f"{POOL}/next?holder=VirtualNetwork/default/b&start=5&end=5")

    assert (answered.status, answered.reason) == (409, "PoolExhausted")


async def test_a_dry_run_claims_nothing(api) -> None:
    await network(api, "a")
    await api.merge(f"{NETWORKS}/a/status?dryRun=All", numbered(5))

    assert await following(api, "b") == (5, False)
