"""An agent whose objects come from a file: run inside a node's namespace, told of changes by
SIGHUP. Everything behind the watches is the real agent."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from cn2.agent.kernel import Kernel
from cn2.agent.loop import Agent
from cn2.agent.ports import Ports
from cn2.agent.settings import Settings
from cn2.agent.vrouter import VRouter
from cn2.client.health import Health
from cn2.main.process import configure_logs
from cn2.plan.node.rows import RowKey, keys
from cn2.plan.node.snapshot import Snapshot


class FileSource:
    """Objects of a JSON file {interfaces, addresses, networks, subnets}; no file is no sync."""

    def __init__(self, path: Path, ports: Ports) -> None:
        self._path = path
        self._ports = ports
        self._synced = asyncio.Event()
        self._objects = Snapshot.of()
        self._changed: Callable[[Iterable[RowKey]], None] = lambda _: None

    def load(self) -> None:
        if not self._path.exists():
            return
        self._objects = Snapshot.of(**json.loads(self._path.read_text()))
        self._synced.set()
        self._changed(list(keys(self.snapshot())))

    def snapshot(self) -> Snapshot:
        return Snapshot(
            node_ip="192.0.2.1",
            interfaces=self._objects.interfaces,
            networks=self._objects.networks,
            subnets=self._objects.subnets,
            interfaces_of_pod=self._objects.interfaces_of_pod,
            addresses_of_interface=self._objects.addresses_of_interface,
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
        self.load()
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self.load)
        await asyncio.Event().wait()


async def serve(directory: Path, native: Path, bpf: Path) -> None:
    settings = Settings(
        node="n1",
        node_ip="192.0.2.1",
        socket=directory / "agent.sock",
        state_dir=directory / "ports",
        add_seconds=3.0,
        sweep_seconds=0.2,
    )
    kernel = Kernel(VRouter.open(bpf, native), settings.mtu)
    agent = Agent(settings, lambda ports: FileSource(directory / "objects.json", ports), kernel)
    health = Health()
    agent.health(health)
    task = asyncio.current_task()
    assert task
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    async with health.serve(directory / "health.sock"):
        await agent.run()


if __name__ == "__main__":
    configure_logs("agent", "info")
    with contextlib.suppress(asyncio.CancelledError):
        asyncio.run(serve(*map(Path, sys.argv[1:4])))
