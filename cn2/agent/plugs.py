"""Plugging and unplugging: ports, records and rows change together, one container at a time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

import msgspec
import structlog

from cn2.agent import metrics
from cn2.agent.cni import CniError, Code, Request
from cn2.agent.datapath import Datapath
from cn2.agent.kernel import Kernel
from cn2.agent.ports import Ports
from cn2.agent.records import Record, Records
from cn2.agent.worker import Worker
from cn2.drivers.processes import boot_id
from cn2.plan.node.attachment import Attachment, Network, Plugged
from cn2.plan.node.readiness import conflict
from cn2.plan.node.rows import RowKey
from cn2.plan.node.snapshot import Snapshot

_log = structlog.get_logger("plugs")


class Plugs:
    """All ports of this node. Every change holds the worker's turn from look to end."""

    def __init__(
        self,
        *,
        kernel: Kernel,
        records: Records,
        ports: Ports,
        datapath: Datapath,
        worker: Worker,
        snapshot: Callable[[], Snapshot],
        changed: Callable[[], None],
        reap_seconds: float,
    ) -> None:
        """`changed` is called when ports came or went: someone may wait for an address."""
        self._kernel = kernel
        self._records = records
        self._ports = ports
        self._datapath = datapath
        self._worker = worker
        self._snapshot = snapshot
        self._changed = changed
        self._reap_seconds = reap_seconds
        self._reaping: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._boot_id = boot_id()

    def of(self, container: str) -> tuple[Plugged, ...]:
        """The container's ports in the order of their index, () when it has none."""
        return self._ports.of(container)

    def containers(self) -> frozenset[str]:
        return self._ports.containers()

    async def adopt(self) -> None:
        """Take over an earlier agent's ports and rows. Nothing is deleted that has a record."""
        async with self._worker.turn:
            records = await self._worker.run(lambda: list(self._records.all()))
            for record in records:
                self._ports.add(record.ports)
            self._datapath.adopt(await self._worker.run(self._kernel.read))
            known = frozenset(self._ports.all)
            strangers = await self._worker.run(lambda: self._kernel.retire_strangers(known))
        if strangers:
            _log.warning("retired links that were never fully plugged", links=strangers)
            self._reap_later()
        metrics.PORTS.set(len(known))
        _log.info("adopted", ports=len(known), containers=len(self._ports.containers()))

    async def plug(self, request: Request, wanted: Sequence[Attachment]) -> tuple[Plugged, ...]:
        """Make all of `wanted`, or nothing.

        Raises:
            CniError: try again later when an address is still plugged for another pod; an I/O
                failure when the kernel refuses.
        """
        asked = time.monotonic()
        async with self._worker.turn:
            if clash := conflict(self._snapshot(), wanted):
                raise CniError(Code.TRY_AGAIN_LATER, clash.reason)
            started = time.monotonic()
            ports: tuple[Plugged, ...] = ()
            try:
                ports = self._kernel.create(request.container, request.netns, wanted)
                ports = self._ports.numbered(ports)
                self._bring_up(request, ports)
            except Exception as failure:
                await self._undo(request.container, ports)
                raise CniError(
                    Code.IO_FAILURE,
                    f"cannot plug pod {'/'.join(request.pod)}: {failure}",
                    f"network namespace {request.netns}",
                ) from failure
        now = time.monotonic()
        metrics.PLUG_SECONDS.observe(now - started)
        metrics.PORTS.set(len(self._ports.all))
        _log.info(
            "plugged",
            pod="/".join(request.pod),
            container=request.container,
            interfaces=[port.attachment.name for port in ports],
            queued_ms=round((started - asked) * 1e3, 2),
            ms=round((now - started) * 1e3, 2),
        )
        return ports

    async def unplug(self, container: str) -> None:
        """Take the container's rows and links away; fine when it has none.

        Returns when rows and record are gone and the host sides are down and renamed; the links
        themselves are deleted in batches.
        """
        async with self._worker.turn:
            gone = self._ports.remove(container)
            try:
                self._datapath.replan(_keys(gone))
                await self._apply()
                self._take_down(container, gone)
            except Exception:
                self._ports.add(gone)
                self._datapath.replan(_keys(gone))
                raise
        if gone:
            self._reap_later()
            metrics.PORTS.set(len(self._ports.all))
            self._changed()
            _log.info("unplugged", pod="/".join(gone[0].attachment.pod), container=container)

    async def apply(self) -> None:
        """Tell the kernel what changed by other ways than plugging."""
        async with self._worker.turn:
            await self._apply()

    async def check(self) -> None:
        """Read the kernel again, and repair what differs from what is wanted."""
        async with self._worker.turn:
            self._datapath.learn(await self._worker.run(self._kernel.read))
            self._datapath.replan_all()
            repaired = self._datapath.pending()
            await self._apply()
        if repaired:
            _log.warning("repaired rows that had changed by themselves", rows=len(repaired))

    async def attach_again(self) -> None:
        """Let this agent's program take over from an earlier one's on every port."""
        async with self._worker.turn:
            self._kernel.attach_again(self._ports.all.values())

    async def remember(self, network: Network) -> None:
        """Keep what is new about a network with its ports, for the time that it may be absent."""
        async with self._worker.turn:
            for container in self._ports.differing(network):
                ports = self._ports.remove(container)
                self._ports.add(_with_network(port, network) for port in ports)
                self._rewrite(container, self._ports.of(container))

    async def faults(self, ports: Sequence[Plugged]) -> list[str]:
        """What of a container's ports is not as it was plugged."""
        async with self._worker.turn:
            return await self._worker.run(lambda: self._kernel.faults(ports))

    async def orphans(self) -> frozenset[str]:
        """Containers with links that went away together with their network namespace."""
        async with self._worker.turn:
            ports = list(self._ports.all.values())
            return await self._worker.run(lambda: self._kernel.vanished(ports))

    async def close(self) -> None:
        """Delete what waits for deletion; ports, records and rows stay."""
        if self._reaping is not None:
            self._reaping.cancel()
            await self._worker.run(self._kernel.reap)

    def _bring_up(self, request: Request, ports: tuple[Plugged, ...]) -> None:
        self._ports.add(ports)
        record = Record(
            container=request.container,
            netns=request.netns,
            interface=request.interface,
            arguments=dict(request.arguments),
            config=dict(request.config),
            ports=ports,
            boot_id=self._boot_id,
        )
        self._datapath.replan(_keys(ports))
        changes = self._datapath.pending()
        self._records.write(record)
        self._kernel.apply(changes)
        self._datapath.done(changes)
        self._kernel.connect(ports)

    async def _undo(self, container: str, ports: Sequence[Plugged]) -> None:
        self._ports.remove(container)
        self._datapath.learn(await self._worker.run(self._kernel.read))
        self._datapath.replan(_keys(ports))
        await self._apply()
        self._take_down(container, ports)
        self._reap_later()

    async def _apply(self) -> None:
        changes = self._datapath.pending()
        if not changes:
            return
        try:
            self._kernel.apply(changes)
        except OSError:
            # What was done of it is unknown: the truth is in the kernel.
            self._datapath.learn(await self._worker.run(self._kernel.read))
            raise
        self._datapath.done(changes)

    def _take_down(self, container: str, ports: Sequence[Plugged]) -> None:
        self._kernel.retire(ports)
        self._records.remove(container)

    def _rewrite(self, container: str, ports: tuple[Plugged, ...]) -> None:
        self._records.write(msgspec.structs.replace(self._records.read(container), ports=ports))

    def _reap_later(self) -> None:
        if self._reaping is None:
            loop = asyncio.get_running_loop()
            self._reaping = loop.call_later(self._reap_seconds, self._start_reaping)

    def _start_reaping(self) -> None:
        self._reaping = None
        task = asyncio.ensure_future(self._reap())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _reap(self) -> None:
        try:
            async with self._worker.turn:
                await self._worker.run(self._kernel.reap)
        except OSError:
            _log.exception("cannot delete retired links; trying again")
            self._reap_later()


def _keys(ports: Sequence[Plugged]) -> set[RowKey]:
    return {port.ifindex for port in ports} | {port.attachment.network.key for port in ports}


def _with_network(port: Plugged, network: Network) -> Plugged:
    """The port as it is when the network of that name is so; ports of other networks stay."""
    if port.attachment.network.key != network.key:
        return port
    attachment = msgspec.structs.replace(port.attachment, network=network)
    return msgspec.structs.replace(port, attachment=attachment)
