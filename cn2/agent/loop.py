"""One node's agent: watched objects -> snapshot -> plan -> rows -> kernel, and the CNI socket.

At the start the records and the pinned maps of an earlier agent are taken over as they are; CNI is
served at once (DEL needs no API), and only when every watch has taken in a whole list does the plan
take over. So a kernel that carries traffic keeps carrying it, whoever else is down.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Protocol

import structlog

from cn2.agent import introspect, metrics
from cn2.agent.changes import Changes
from cn2.agent.cni_server import CniServer
from cn2.agent.datapath import Datapath
from cn2.agent.kernel import Kernel
from cn2.agent.plugs import Plugs
from cn2.agent.ports import Ports
from cn2.agent.records import Records
from cn2.agent.service import CniService
from cn2.agent.settings import Settings
from cn2.agent.worker import Worker
from cn2.client.health import Health
from cn2.plan.node.rows import RowKey
from cn2.plan.node.snapshot import Snapshot

_log = structlog.get_logger("agent")


class Source(Protocol):
    """Where the objects come from."""

    def snapshot(self) -> Snapshot:
        """What is known now; to be read at once."""
        ...

    def missing(self) -> str:
        """What was never listed whole yet, "" for nothing."""
        ...

    def on_change(self, changed: Callable[[Iterable[RowKey]], None]) -> None:
        """Call `changed` with the keys of the rows that a change may concern."""
        ...

    async def synced(self) -> None:
        """Return when everything was listed whole."""
        ...

    async def run(self) -> None:
        """Keep the objects true until cancelled."""
        ...


class Agent:
    """Wires the parts of a node's agent together."""

    def __init__(
        self, settings: Settings, source: Callable[[Ports], Source], kernel: Kernel
    ) -> None:
        self._settings = settings
        self._kernel = kernel
        self._worker = Worker()
        self._changes = Changes()
        self._dirty: set[RowKey] = set()
        self._ready = False
        self._stale = ""
        self.ports = Ports()
        self._source = source(self.ports)
        self.datapath = Datapath(self._source.snapshot)
        self._plugs = Plugs(
            kernel=kernel,
            records=Records(settings.state_dir),
            ports=self.ports,
            datapath=self.datapath,
            worker=self._worker,
            snapshot=self._source.snapshot,
            changed=self._changes.notify,
            reap_seconds=settings.reap_seconds,
        )
        self._service = CniService(
            self._plugs,
            self._source.snapshot,
            self.starting,
            self._changes,
            add_seconds=settings.add_seconds,
            mtu=settings.mtu,
        )
        self._server = CniServer(settings.socket, self._service.call)

    def starting(self) -> str:
        """What keeps the agent from plugging, "" for nothing."""
        if missing := self._source.missing():
            return f"it has not seen all objects of this node yet: {missing}"
        return "" if self._ready else "the datapath is not equal to what is wanted yet"

    def health(self, health: Health) -> None:
        """Say whether this node can plug pods, and what it holds."""
        health.ready("agent", self.starting)
        health.ready("datapath", self._broken)
        introspect.pages(health, self.ports, self.datapath, self._source.snapshot, self._kernel)

    async def run(self) -> None:
        """Serve this node until cancelled; ports and their traffic stay."""
        drops = metrics.DropCollector(self._kernel.drops)
        self._source.on_change(self._changed)
        try:
            await self._plugs.adopt()
            await self._server.start()
            async with asyncio.TaskGroup() as group:
                group.create_task(self._source.run())
                group.create_task(self._follow())
                group.create_task(self._sweep())
        finally:
            drops.close()
            await self._server.stop()
            await self._plugs.close()
            self._worker.close()
            self._kernel.close()

    def _changed(self, keys: Iterable[RowKey]) -> None:
        self._dirty.update(keys)
        self._changes.notify()

    async def _follow(self) -> None:
        await self._source.synced()
        self.datapath.replan_all()
        await self._plugs.apply()
        await self._plugs.attach_again()
        self._ready = True
        _log.info("in sync", ports=len(self.ports.all))
        self._changes.notify()
        while True:
            changed = self._changes.next()
            if not self._dirty:
                await changed
                continue
            dirty, self._dirty = self._dirty, set()
            try:
                await self._take_in(dirty)
                self._stale = ""
            except OSError as failure:
                self._stale = str(failure)
                _log.exception("cannot change the datapath; the next change tries again")

    async def _take_in(self, dirty: set[RowKey]) -> None:
        snapshot = self._source.snapshot()
        for key in dirty:
            network = snapshot.network(key) if isinstance(key, tuple) else None
            if network is not None:
                await self._plugs.remember(network)
        self.datapath.replan(dirty)
        await self._plugs.apply()

    async def _sweep(self) -> None:
        """Now and then: ports whose namespace vanished, rows that changed by themselves."""
        while True:
            await asyncio.sleep(self._settings.sweep_seconds)
            try:
                await self._service.sweep()
                if self._ready:
                    await self._plugs.check()
                    self._stale = ""
            except OSError as failure:
                self._stale = str(failure)
                _log.exception("cannot look after the datapath")

    def _broken(self) -> str:
        planned = (f"{key}: {why}" for key, why in self.datapath.broken.items())
        return "; ".join(filter(None, (self._stale, *planned)))
