"""Steps become writes, replies become knowledge, and refusals become another look."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from kube_server import KubeServer, serving, status

from cn2.api.kind import Object
from cn2.api.kinds import INSTANCE_IP, SUBNET, VIRTUAL_NETWORK
from cn2.client.events import Events
from cn2.client.http import Client
from cn2.client.informer import Informers
from cn2.controllers.execute import Executor, Unsettled
from cn2.plan.cluster import objects
from cn2.plan.cluster.indexes import INDEXES
from cn2.plan.cluster.steps import Allocate, Claimed, Create, Later, Patch, Promise, Steps

NETWORK = {
    "apiVersion": VIRTUAL_NETWORK.api_version,
    "kind": VIRTUAL_NETWORK.kind,
    "metadata": {"name": "vn1", "namespace": "default"},
    "spec": {},
}


class Bench:
    def __init__(self, kube: KubeServer, client: Client) -> None:
        self.kube = kube
        self.client = client
        self.informers = Informers(client)
        self.executor = Executor(
            client,
            self.informers,
            Events(client, "test"),
            (VIRTUAL_NETWORK, SUBNET, INSTANCE_IP),
            INDEXES,
            lambda: 0.0,
        )
        self.snapshot = self.executor.snapshot

    def network(self) -> Object | None:
        return self.snapshot.get(VIRTUAL_NETWORK, "vn1", "default")

    async def exists(self) -> Object:
        """The network is there, and the cache knows."""
        made = await self.client.create(VIRTUAL_NETWORK, NETWORK)
        self.informers.of(VIRTUAL_NETWORK).learn(made)
        return made


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with serving("manager") as (kube, client):
        yield Bench(kube, client)


def once_missing(bench: Bench, steps: Callable[[], Steps]) -> Callable[[], Steps]:
    return lambda: steps() if bench.network() is None else []


async def test_a_reply_is_known_before_any_watch_tells(bench: Bench) -> None:
    plan = once_missing(bench, lambda: [Create(VIRTUAL_NETWORK, NETWORK)])
    await bench.executor.settle(plan)
    assert bench.network() is not None
    assert len(bench.kube.writes()) == 1


async def test_an_object_that_somebody_else_made_first_is_looked_at(bench: Bench) -> None:
    made = await bench.client.create(VIRTUAL_NETWORK, NETWORK)
    await bench.executor.settle(once_missing(bench, lambda: [Create(VIRTUAL_NETWORK, NETWORK)]))
    found = bench.network()
    assert found is not None
    assert found["metadata"]["uid"] == made["metadata"]["uid"]


async def test_a_write_on_an_old_version_is_made_again_on_the_new_one(bench: Bench) -> None:
    await bench.exists()
    theirs = {"metadata": {"finalizers": ["theirs"]}}
    await bench.client.patch(VIRTUAL_NETWORK, "vn1", theirs, "default")

    def plan() -> Steps:
        network = bench.network()
        assert network is not None
        return [*objects.add_finalizers(VIRTUAL_NETWORK, network, ("ours",))]

    await bench.executor.settle(plan)
    (stored,) = bench.kube.all(VIRTUAL_NETWORK)
    assert stored["metadata"]["finalizers"] == ["theirs", "ours"]


async def test_a_successor_of_the_same_name_is_not_written_to(bench: Bench) -> None:
    await bench.exists()
    await bench.client.delete(VIRTUAL_NETWORK, "vn1", "default")
    await bench.client.create(VIRTUAL_NETWORK, NETWORK)
    first = bench.network()
    assert first is not None

    def plan() -> Steps:
        network = bench.network()
        if network is None or network["metadata"]["uid"] != first["metadata"]["uid"]:
            return []
        return [objects.patch(VIRTUAL_NETWORK, network, {"spec": {"fabricSNAT": True}})]

    await bench.executor.settle(plan)
    (stored,) = bench.kube.all(VIRTUAL_NETWORK)
    assert stored["spec"] == {}


async def test_a_deleted_object_is_gone_before_the_watch_tells(bench: Bench) -> None:
    made = await bench.exists()

    def plan() -> Steps:
        return [objects.delete(VIRTUAL_NETWORK, made)] if bench.network() else []

    await bench.executor.settle(plan)
    assert bench.network() is None
    assert bench.kube.all(VIRTUAL_NETWORK) == []


async def test_taking_the_last_finalizer_away_ends_the_object(bench: Bench) -> None:
    held = {**NETWORK, "metadata": {**NETWORK["metadata"], "finalizers": ["ours"]}}
    made = await bench.client.create(VIRTUAL_NETWORK, held)
    bench.informers.of(VIRTUAL_NETWORK).learn(made)

    def plan() -> Steps:
        network = bench.network()
        if network is None:
            return []
        if not objects.terminating(network):
            return [objects.delete(VIRTUAL_NETWORK, network)]
        return [*objects.remove_finalizers(VIRTUAL_NETWORK, network, ("ours",))]

    await bench.executor.settle(plan)
    assert bench.network() is None
    assert bench.kube.all(VIRTUAL_NETWORK) == []


async def test_a_refused_number_is_picked_anew(bench: Bench) -> None:
    made = await bench.exists()
    picked: list[int] = []

    def plan() -> Steps:
        number = bench.snapshot.promise("pool", "me")
        network = bench.network()
        assert network is not None
        if objects.status(network):
            return []
        if number is None:
            number = 6 if bench.snapshot.refused("pool", "me", 5) else 5
            picked.append(number)
            return [Promise("pool", "me", number)]
        if number == 5:
            bench.kube.failures.append(status(409, "Conflict", "5 of pool pool is held by you"))
        return [
            Patch(
                VIRTUAL_NETWORK,
                "default",
                "vn1",
                {"status": {"virtualNetworkNetworkId": number}},
                uid=made["metadata"]["uid"],
                claimed=Claimed("pool", "me", number),
            )
        ]

    await bench.executor.settle(plan)
    assert picked == [5, 6]
    assert bench.snapshot.promise("pool", "me") is None


async def test_two_picks_at_once_get_different_numbers(bench: Bench) -> None:
    free = iter([5, 5, 6])
    asked: list[dict[str, str]] = []

    async def fetch(path: str, query: Any = None) -> Object:
        asked.append(query)
        return {"id": next(free), "held": False}

    bench.client.fetch = fetch  # type: ignore[method-assign]

    def plan() -> Steps:
        return [
            Allocate("pool", one)
            for one in ("a", "b")
            if bench.snapshot.promise("pool", one) is None
        ]

    await bench.executor.settle(plan)
    assert {bench.snapshot.promise("pool", one) for one in ("a", "b")} == {5, 6}
    assert [one["start"] for one in asked] == ["0", "0", "6"]


async def test_a_plan_that_waits_says_for_how_long(bench: Bench) -> None:
    assert await bench.executor.settle(lambda: [Later(3.0), Later(2.0)]) == 2.0


async def test_a_plan_that_goes_in_circles_is_stopped(bench: Bench) -> None:
    made = await bench.exists()
    step = objects.patch(VIRTUAL_NETWORK, made, {"spec": {"fabricSNAT": True}})
    with pytest.raises(Unsettled):
        await bench.executor.settle(lambda: [step])
