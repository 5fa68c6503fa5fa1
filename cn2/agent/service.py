"""What each CNI command does on this node."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from weakref import WeakValueDictionary

import structlog

from cn2.agent.changes import Changes
from cn2.agent.cni import CniError, Code, Request
from cn2.agent.cni_result import Result, check_previous, result
from cn2.agent.plugs import Plugs
from cn2.plan.node.attachment import Attachment, Plugged
from cn2.plan.node.readiness import Waiting, attachments, conflict
from cn2.plan.node.snapshot import Snapshot

_log = structlog.get_logger("cni")


class CniService:
    """ADD, DEL, CHECK, GC and STATUS over the objects that the agent watches.

    An ADD waits for its objects here, outside the worker that plugs, and holds nothing while it
    waits but its container's turn: calls for one container follow each other, and a DEL ends the
    wait of an ADD.
    """

    def __init__(
        self,
        plugs: Plugs,
        snapshot: Callable[[], Snapshot],
        synced: Callable[[], str],
        changes: Changes,
        *,
        add_seconds: float,
        mtu: int,
    ) -> None:
        """`synced` says what the agent still has to see before it may plug, "" for nothing."""
        self._plugs = plugs
        self._snapshot = snapshot
        self._synced = synced
        self._changes = changes
        self._add_seconds = add_seconds
        self._mtu = mtu
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._adding: dict[str, asyncio.Task[Result]] = {}

    async def call(self, request: Request) -> Result | None:
        """Do what `request` says.

        Raises:
            CniError: as the specification asks.
        """
        if request.command == "ADD":
            return await self._add(request)
        if request.command == "DEL":
            await self._delete(request.container)
        elif request.command == "CHECK":
            await self._check(request)
        elif request.command == "GC":
            await self._collect(request)
        elif missing := self._synced():
            raise CniError(Code.NOT_AVAILABLE, f"the agent is starting: {missing}")
        return None

    async def _add(self, request: Request) -> Result:
        if request.container in self._adding:
            raise CniError(
                Code.TRY_AGAIN_LATER, f"an ADD for container {request.container} is under way"
            )
        task = asyncio.ensure_future(self._take_turn_and_add(request))
        self._adding[request.container] = task
        try:
            return await task
        except asyncio.CancelledError:
            if asyncio.current_task().cancelling():  # type: ignore[union-attr]
                raise  # the plugin hung up, not a DEL
            raise CniError(
                Code.TRY_AGAIN_LATER, f"a DEL for container {request.container} came first"
            ) from None
        finally:
            task.cancel()
            self._adding.pop(request.container, None)

    async def _take_turn_and_add(self, request: Request) -> Result:
        async with self._turn(request.container):
            _check_namespace(request)
            ports = self._plugs.of(request.container)
            if ports and not _same_pod(request, ports):
                raise CniError(
                    Code.INVALID_ENVIRONMENT,
                    f"container {request.container} is plugged for pod"
                    f" {'/'.join(ports[0].attachment.pod)} already",
                )
            if ports and await self._plugs.faults(ports):
                # Half a plug, or a namespace that was made anew: begin again.
                await self._plugs.unplug(request.container)
                ports = ()
            if not ports:
                ports = await self._plug(request)
            return result(request, ports, self._mtu)

    async def _plug(self, request: Request) -> tuple[Plugged, ...]:
        try:
            async with asyncio.timeout(self._add_seconds):
                wanted = await self._ready(request)
        except TimeoutError:
            reason = self._why_not(request)
            raise CniError(
                Code.TRY_AGAIN_LATER, f"not ready after {self._add_seconds:g} s: {reason}"
            ) from None
        if request.interface not in {one.name for one in wanted}:
            raise CniError(
                Code.INVALID_ENVIRONMENT,
                f"CNI_IFNAME is {request.interface}, pod {'/'.join(request.pod)} has"
                f" {', '.join(one.name for one in wanted)}",
            )
        # A plug that has begun is finished, whoever hangs up: DEL finds all of it or none.
        return await asyncio.shield(self._plugs.plug(request, wanted))

    async def _ready(self, request: Request) -> tuple[Attachment, ...]:
        while True:
            changed = self._changes.next()
            wanted = self._wanted(request)
            if not isinstance(wanted, Waiting):
                return wanted
            await changed

    def _wanted(self, request: Request) -> tuple[Attachment, ...] | Waiting:
        if missing := self._synced():
            return Waiting(f"the agent is starting: {missing}")
        snapshot = self._snapshot()
        wanted = attachments(snapshot, request.pod, request.pod_uid)
        if isinstance(wanted, Waiting):
            return wanted
        return conflict(snapshot, wanted) or wanted

    def _why_not(self, request: Request) -> str:
        wanted = self._wanted(request)
        return wanted.reason if isinstance(wanted, Waiting) else "it became ready just now"

    async def _delete(self, container: str) -> None:
        if adding := self._adding.get(container):
            adding.cancel()
        async with self._turn(container):
            await asyncio.shield(self._plugs.unplug(container))

    async def _check(self, request: Request) -> None:
        async with self._turn(request.container):
            ports = self._plugs.of(request.container)
            if not ports:
                raise CniError(
                    Code.UNKNOWN_CONTAINER, f"container {request.container} is not plugged here"
                )
            if faults := await self._plugs.faults(ports):
                raise CniError(
                    Code.NOT_AS_PLUGGED,
                    f"pod {'/'.join(ports[0].attachment.pod)}: {'; '.join(faults)}",
                )
            check_previous(request, ports)

    async def _collect(self, request: Request) -> None:
        valid = {container for container, _ in request.valid_attachments}
        await self._delete_all(set(self._plugs.containers()) - valid)

    async def _delete_all(self, containers: Iterable[str]) -> None:
        for container in sorted(containers):
            _log.info("unplugging what the runtime no longer knows", container=container)
            await self._delete(container)

    def _turn(self, container: str) -> asyncio.Lock:
        """The container's lock; it lives as long as someone holds or awaits it."""
        return self._turns.setdefault(container, asyncio.Lock())

    async def sweep(self) -> None:
        """Unplug the ports whose network namespace vanished without a DEL."""
        await self._delete_all(await self._plugs.orphans())


def _check_namespace(request: Request) -> None:
    if not Path(request.netns).exists():
        raise CniError(Code.INVALID_ENVIRONMENT, f"CNI_NETNS does not exist: {request.netns}")


def _same_pod(request: Request, ports: Sequence[Plugged]) -> bool:
    return all(
        port.attachment.pod == request.pod
        and (not request.pod_uid or port.attachment.pod_uid == request.pod_uid)
        for port in ports
    )
