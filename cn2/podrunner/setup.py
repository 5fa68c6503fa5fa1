"""Brings up and tears down what one pod's processes run in, and starts its containers."""

from __future__ import annotations

import asyncio
import math
import os
import secrets
from collections.abc import Callable

import structlog

from cn2.api.kind import Object
from cn2.client import ApiError
from cn2.client.backoff import Backoff
from cn2.client.events import NORMAL, WARNING
from cn2.podrunner import record as records
from cn2.podrunner.api_door import ApiDoor
from cn2.podrunner.cni import Attachment, CniFailed
from cn2.podrunner.environment import Facts, MissingSource, hostname
from cn2.podrunner.filling import versions
from cn2.podrunner.initlink import InitGone, Refused, ask, run_of
from cn2.podrunner.last_words import make_place_for
from cn2.podrunner.limits import memory_limit, processor_limit
from cn2.podrunner.place import PodPlace
from cn2.podrunner.pod_files import PodFiles
from cn2.podrunner.record import SandboxRecord
from cn2.podrunner.records import Record, encode
from cn2.podrunner.running import Running
from cn2.podrunner.runs import Held, Run, container_named
from cn2.podrunner.sandbox import SandboxFailed, is_alive
from cn2.podrunner.services import Node
from cn2.podrunner.sources import NotSynced
from cn2.podrunner.spec import names_command, run_records

log = structlog.get_logger(__name__)

_HELD_SECONDS = 60.0
"""Until a container that could not be configured is tried again, when nothing changes before."""
_RENEW_AGAIN = 30.0
_STABLE_SECONDS = 60.0
"""A sandbox of this age was well: if it is lost, the next is made after a short delay."""


class SetupFailed(Exception):
    """The sandbox could not be made; `reason` is the event's."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Setup:
    """One pod's sandbox: its making, its files, its end."""

    def __init__(
        self,
        node: Node,
        place: PodPlace,
        record: SandboxRecord,
        running: Running,
        changed: Callable[[], None],
    ) -> None:
        self.retry_at = 0.0
        self._node = node
        self._place = place
        self._record = record
        self._running = running
        self._changed = changed
        self._files = PodFiles(node, place, self._on_source)
        self._door = ApiDoor(place.directory, node.api) if node.api else None
        self._renew_at: float | None = None
        self._hold_until = 0.0
        self._lacking = False
        """The sandbox was not made because of something that the volumes need."""
        self._delays = Backoff(0.5, 15.0)
        self._made_at = 0.0

    def _on_source(self) -> None:
        """Something that the pod names has changed: what waited for it is tried again."""
        self.stale()
        self._running.held.clear()
        if self._lacking:
            self.retry_at = 0.0
        self._changed()

    def stale(self) -> None:
        """The files of the volumes may have to change."""
        if self._renew_at is not None:
            self._renew_at, self._hold_until = self._node.clock(), 0.0

    @property
    def renew_at(self) -> float | None:
        """When to call `renew` (epoch seconds); None without a sandbox."""
        if self._renew_at is None:
            return None
        due = self._files.tokens.renew_at
        return max(self._hold_until, self._renew_at if due is None else min(self._renew_at, due))

    async def adopt(self) -> None:
        """Takes over what an earlier pod runner has left, if it is alive and was complete."""
        self._running.load()
        if self._record.sandbox and self._record.ready and is_alive(self._place):
            await self._begin()
            self._renew_at = self._node.clock()

    async def make(self, pod: Object) -> None:
        """Everything that the containers need. Raises `SetupFailed`; then `remove` cleans up."""
        self._lacking = False
        try:
            await self._make(pod)
        except (CniFailed, SandboxFailed, InitGone, Refused) as error:
            self._postpone()
            text = f"Failed to create pod sandbox: {error}"
            raise SetupFailed("FailedCreatePodSandBox", text) from error
        except (MissingSource, NotSynced, ApiError, OSError) as error:
            self._lacking = isinstance(error, MissingSource)
            self._postpone()
            raise SetupFailed("FailedMount", str(error)) from error
        self._made_at = self._node.clock()

    def shift(self, seconds: float) -> None:
        """The clock was set forward by so much (back, if negative). When tokens expire is for the
        server's clock to say: that stays."""
        self.retry_at += seconds
        self._made_at += seconds
        self._hold_until += seconds
        if self._renew_at is not None:
            self._renew_at += seconds

    def lost(self) -> None:
        """Process 1 is gone: another sandbox, but not in a tight circle."""
        if self._node.clock() - self._made_at > _STABLE_SECONDS:
            self._delays.reset()
        self._postpone()

    def _postpone(self) -> None:
        self.retry_at = self._node.clock() + self._delays.delay()

    async def _make(self, pod: Object) -> None:
        record, place = self._record, self._place
        await self._files.check(pod, self._facts)
        place.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        network = self._node.cni.configuration()
        record.sandbox, record.network = secrets.token_hex(32), network
        records.write(place, record)
        self._node.sandboxes.clean(place)
        groups = self._node.cgroups.make_pod(place.uid)
        await self._node.sandboxes.make(place, hostname(pod), groups)
        adding = asyncio.create_task(self._node.cni.add(network, self._attachment()))
        try:
            await self._files.fetch_tokens(pod)
            record.result = await adding
        finally:
            if not adding.done():
                adding.cancel()
                await asyncio.wait({adding})
        await self._files.make(pod, self._facts)
        self._renew_at = math.inf
        record.ready = True
        records.write(place, record)
        await self._begin()

    async def _begin(self) -> None:
        await self._running.begin_watching()
        if self._door:
            await self._door.open()

    def _attachment(self) -> Attachment:
        return Attachment(self._record.sandbox, self._place.netns, self._record.metadata())

    @property
    def _facts(self) -> Facts:
        node = self._node
        return Facts(node.name, node.address, self._running.addresses, node.capacity)

    async def renew(self, pod: Object) -> None:
        """Brings the files of the volumes up to date. What cannot be had stays as it is."""
        self._renew_at = math.inf
        try:
            await self._files.renew(pod, self._facts)
        except (MissingSource, ApiError, NotSynced, InitGone, Refused, OSError) as error:
            log.warning("volumes not renewed", uid=self._place.uid, error=str(error))
            self._renew_at = self._hold_until = self._node.clock() + _RENEW_AGAIN
            if isinstance(error, MissingSource):
                self._node.events.emit(pod, WARNING, "FailedMount", str(error))

    def release(self) -> None:
        """Nothing is needed for the pod any more."""
        if self._door:
            self._door.close()
        self._files.release()

    async def remove(self) -> None:
        """Ends every process and gives everything back. Raises `CniFailed`: to be tried again."""
        record, running = self._record, self._running
        running.stop_watching()
        if self._door:
            self._door.close()
        self._renew_at = None
        await self._node.sandboxes.kill(self._place)
        running.all_ended()
        if record.network is not None:
            await self._node.cni.delete(record.network, self._attachment(), record.result)
        self._node.sandboxes.clean(self._place)
        self._node.cgroups.remove_pod(self._place.uid)
        record.sandbox, record.ready, record.network, record.result = "", False, None, None
        if self._place.directory.is_dir():
            records.write(self._place, record)

    async def start(self, pod: Object, name: str, attempt: int) -> None:
        """One run of one container."""
        container = container_named(pod, name)
        assert container is not None
        path = f"spec.containers{{{name}}}"
        events = self._node.events
        try:
            run = await self._run(pod, container, attempt)
        except (MissingSource, ApiError, ValueError) as error:
            until = self._node.clock() + _HELD_SECONDS
            self._running.held[name] = Held(until, "CreateContainerConfigError", str(error))
            events.emit(pod, WARNING, "Failed", f"Error: {error}", field_path=path)
            return
        self._running.held.pop(name, None)
        if run.error:
            events.emit(pod, WARNING, "Failed", f"Error: {run.error}", field_path=path)
        else:
            events.emit(pod, NORMAL, "Created", f"Created container {name}", field_path=path)
            events.emit(pod, NORMAL, "Started", f"Started container {name}", field_path=path)
            if not names_command(container):
                events.emit(pod, WARNING, "NoCommand", _no_command(container), field_path=path)
        self._running.saw(name, run)

    async def _run(self, pod: Object, container: Object, attempt: int) -> Run:
        place, name = self._place, container["name"]
        values = self._files.environment(pod, container, self._facts)
        request = run_records(
            pod, container, attempt, values, self._node.host, versions(self._place)
        )
        place.container(name).mkdir(mode=0o700, parents=True, exist_ok=True)
        records.drop_old_runs(place, name, attempt)
        make_place_for(place, name, attempt)
        _write_spec(place, name, attempt, request)
        self._node.cgroups.make(
            place.uid,
            f"{name}/{attempt}",
            memory=memory_limit(container),
            processors=processor_limit(container),
        )
        with self._node.cgroups.joined(place.uid, f"{name}/{attempt}") as groups:
            request += [("fd", "cgroup") for _ in groups]
            said, _ = await ask(place.directory, request, groups)
        return run_of(said)[1]


def _write_spec(place: PodPlace, name: str, attempt: int, request: list[Record]) -> None:
    """For commands that are started beside it later. It holds the environment: owner only."""
    path = place.spec(name, attempt)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(encode(request))


def _no_command(container: Object) -> str:
    return (
        f"Container {container['name']} names no command, and images are not pulled here: "
        "it runs a process that waits"
    )
