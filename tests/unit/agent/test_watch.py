"""What a node watches, and which rows a change concerns."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from kube_server import KubeServer, serving, until
from node_objects import address, interface, network, plugged, subnet

from cn2.agent.ports import Ports
from cn2.agent.watch import Watch
from cn2.api.kinds import INSTANCE_IP, SUBNET, VIRTUAL_MACHINE_INTERFACE, VIRTUAL_NETWORK
from cn2.plan.cluster.system import VIRTUAL_ROUTER_LABEL
from cn2.plan.node.readiness import Waiting, attachments
from cn2.plan.node.rows import RowKey


@asynccontextmanager
async def watching(ports: Ports) -> AsyncIterator[tuple[KubeServer, Watch, list[list[RowKey]]]]:
    async with serving() as (kube, client):
        watch = Watch(client, "n1", "192.0.2.1", ports)
        told: list[list[RowKey]] = []

        def changed(keys: Iterable[RowKey]) -> None:
            told.append(list(keys))

        watch.on_change(changed)
        running = asyncio.create_task(watch.run())
        try:
            yield kube, watch, told
        finally:
            running.cancel()


def here(obj: dict) -> dict:  # type: ignore[type-arg]
    obj["metadata"]["labels"] = {VIRTUAL_ROUTER_LABEL: "n1"}
    return obj


async def test_objects_become_a_snapshot_from_which_a_pod_is_ready() -> None:
    async with watching(Ports()) as (kube, watch, _):
        assert "virtualnetworks" in watch.missing()
        await watch.synced()
        assert watch.missing() == ""
        assert isinstance(attachments(watch.snapshot(), ("default", "p1"), "u1"), Waiting)

        kube.put(SUBNET, subnet("blue-v4", "10.0.0.0/24", "10.0.0.1"))
        kube.put(VIRTUAL_NETWORK, network("blue", 5, {"v4": "blue-v4"}))
        kube.put(
            VIRTUAL_MACHINE_INTERFACE, here(interface("m", "blue", "0/1", mac="02:00:00:00:00:01"))
        )
        kube.put(INSTANCE_IP, here(address("m", "blue", "10.0.0.2")))

        await until(
            lambda: not isinstance(attachments(watch.snapshot(), ("default", "p1"), "u1"), Waiting)
        )


async def test_only_this_nodes_interfaces_and_addresses_are_asked_for() -> None:
    async with watching(Ports()) as (kube, watch, _):
        await watch.synced()

        assert set(watch.snapshot().networks) == set()
        asked = {path.rpartition("/")[2] for _, path in kube.requests}
        assert asked == {"virtualmachineinterfaces", "instanceips", "virtualnetworks", "subnets"}


async def test_a_change_names_the_rows_of_ports_here_and_no_others() -> None:
    ports = Ports()
    ports.add([plugged(7), plugged(8, network="red", vni=6)])
    async with watching(ports) as (kube, watch, told):
        await watch.synced()
        kube.put(VIRTUAL_NETWORK, network("blue", 5, {"v4": "blue-v4"}))
        kube.put(VIRTUAL_NETWORK, network("green", 9, {"v4": "green-v4"}))
        await until(lambda: len(told) == 2)
        kube.put(
            VIRTUAL_MACHINE_INTERFACE,
            here(interface("vmi-8", "red", "0/1", mac="02:00:00:00:00:08")),
        )
        await until(lambda: len(told) == 3)

        assert told == [[("default", "blue"), 7], [], [8, ("default", "red")]]


async def test_the_usage_of_a_subnet_concerns_no_row_but_its_gateway_does() -> None:
    ports = Ports()
    ports.add([plugged(7)])
    async with watching(ports) as (kube, watch, told):
        kube.put(VIRTUAL_NETWORK, network("blue", 5, {"v4": "blue-v4"}))
        one = kube.put(SUBNET, subnet("blue-v4", "10.0.0.0/24", "10.0.0.1"))
        await watch.synced()
        told.clear()
        kube.put(SUBNET, one | {"status": {"state": "Success", "allocationUsage": "2%"}})
        await until(lambda: bool(told))
        kube.put(SUBNET, one | {"spec": one["spec"] | {"defaultGateway": "10.0.0.9"}})
        await until(lambda: len(told) == 2)

        assert told == [[], [("default", "blue"), 7]]


async def test_an_address_that_is_taken_away_concerns_its_port() -> None:
    ports = Ports()
    ports.add([plugged(7)])
    async with watching(ports) as (kube, watch, told):
        kube.put(INSTANCE_IP, here(address("vmi-7", "blue", "10.0.0.2")))
        await watch.synced()
        told.clear()
        kube.put(INSTANCE_IP, here(address("vmi-7", "blue", "10.0.0.2", state="Pending")))
        await until(lambda: bool(told))

        assert told == [[7, ("default", "blue")]]
