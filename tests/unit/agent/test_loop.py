"""The agent as a whole over a node without a kernel."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

from fake_node import FakeKernel, until
from node_objects import interface, network, plugged, subnet

from cn2.agent.loop import Agent
from cn2.agent.ports import Ports
from cn2.agent.records import Record, Records
from cn2.agent.settings import Settings
from cn2.client.health import Health, ask
from cn2.drivers.processes import boot_id
from cn2.plan.node.rows import RowKey, keys
from cn2.plan.node.snapshot import Snapshot
from cn2.state.vif import Vif


class FakeSource:
    """Objects that a test sets."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._objects = Snapshot.of()
        self._synced = asyncio.Event()
        self._changed: Callable[[Iterable[RowKey]], None] = lambda _: None

    def see(self, **objects: object) -> None:
        self._objects = Snapshot.of(**objects)  # type: ignore[arg-type]
        self._synced.set()
        self._changed(list(keys(self.snapshot())))

    def snapshot(self) -> Snapshot:
        return Snapshot(
            interfaces=self._objects.interfaces,
            networks=self._objects.networks,
            subnets=self._objects.subnets,
            ports=self._ports.all,
            ports_of_network=self._ports.by_network,
        )

    def missing(self) -> str:
        return "" if self._synced.is_set() else "everything"

    def on_change(self, changed: Callable[[Iterable[RowKey]], None]) -> None:
        self._changed = changed

    async def synced(self) -> None:
        await self._synced.wait()

    async def run(self) -> None:
        await asyncio.Event().wait()


@asynccontextmanager
async def running(
    directory: Path, kernel: FakeKernel
) -> AsyncIterator[tuple[Agent, FakeSource, Health]]:
    """An agent that finds port 7 of an earlier one, with its link."""
    record = Record("c7", "/x", "eth0", {}, {}, (plugged(7),), boot_id())
    Records(directory / "ports").write(record)
    kernel.links[7] = "c7"
    settings = Settings(
        node="n1",
        node_ip="192.0.2.1",
        socket=directory / "agent.sock",
        state_dir=directory / "ports",
        sweep_seconds=0.01,
    )
    sources: list[FakeSource] = []

    def source(ports: Ports) -> FakeSource:
        sources.append(FakeSource(ports))
        return sources[0]

    agent = Agent(settings, source, kernel)
    health = Health()
    agent.health(health)
    task = asyncio.create_task(agent.run())
    try:
        await until((directory / "agent.sock").exists)
        yield agent, sources[0], health
    finally:
        task.cancel()
        await asyncio.wait([task])


def vifs(kernel: FakeKernel) -> list[int]:
    return [row.ifindex for row in kernel.rows.values() if isinstance(row, Vif)]


async def test_nothing_is_written_before_everything_was_seen(tmp_path: Path) -> None:
    kernel = FakeKernel()
    async with running(tmp_path, kernel) as (_, source, health):
        assert (vifs(kernel), kernel.connected) == ([], set())
        assert "everything" in health.unready()["agent"]

        source.see()
        await until(lambda: not health.unready())

        assert (vifs(kernel), kernel.connected) == ([7], {7})


async def test_a_changed_object_changes_rows_and_is_remembered(tmp_path: Path) -> None:
    kernel = FakeKernel()
    async with running(tmp_path, kernel) as (agent, source, health):
        source.see()
        await until(lambda: not health.unready())
        source.see(
            networks=[network("blue", 5, {"v4": "blue-v4"}, rpf="disable")],
            subnets=[subnet("blue-v4", "10.0.0.0/24", "10.0.0.1")],
        )
        await until(lambda: not agent.ports.all[7].attachment.network.rpf)
        (record,) = Records(tmp_path / "ports").all()

        assert not record.ports[0].attachment.network.rpf


async def test_rows_that_something_else_removed_are_repaired(tmp_path: Path) -> None:
    kernel = FakeKernel()
    async with running(tmp_path, kernel) as (_, source, health):
        source.see()
        await until(lambda: not health.unready())

        kernel.rows.clear()

        await until(lambda: vifs(kernel) == [7])


async def test_a_kernel_that_refuses_shows_in_readiness_until_it_does_not(tmp_path: Path) -> None:
    kernel = FakeKernel()
    async with running(tmp_path, kernel) as (_, source, health):
        source.see()
        await until(lambda: not health.unready())
        stopped = interface("vmi-7", "blue", "0/1", mac="02:00:00:00:00:07", state="Pending")
        kernel.refuse = "apply"
        source.see(interfaces=[stopped])
        await until(lambda: "no memory to apply" in health.unready().get("datapath", ""))

        kernel.refuse = ""

        await until(lambda: vifs(kernel) == [])
        await until(lambda: not health.unready())


async def test_ports_and_drops_can_be_asked_for(tmp_path: Path) -> None:
    kernel = FakeKernel()
    async with running(tmp_path, kernel) as (_, source, health):
        source.see()
        async with health.serve(tmp_path / "health.sock"):
            status, text = await ask(tmp_path / "health.sock", "/introspect/ports")
            _, drops = await ask(tmp_path / "health.sock", "/introspect/drops")
            missing, known = await ask(tmp_path / "health.sock", "/introspect/nonsense")

    (port,) = json.loads(text)
    assert (status, port["interface"], port["network"], port["state"]) == (
        200,
        "eth0",
        "default/blue",
        "Active",
    )
    assert json.loads(drops) == {}
    assert (missing, json.loads(known)) == (404, {"pages": ["drops", "ports", "rows"]})
