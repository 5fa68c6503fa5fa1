"""Runs one pod: sees, decides, acts, reports; until nothing of the pod is left on this node."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Coroutine
from datetime import UTC, datetime
from typing import Any

import structlog

from cn2.api.kind import Object
from cn2.api.kinds import POD
from cn2.client import Conflict, NotFound
from cn2.client.backoff import Backoff
from cn2.client.events import NORMAL, WARNING
from cn2.podrunner import record as records
from cn2.podrunner.actions import Actions
from cn2.podrunner.cni import CniFailed
from cn2.podrunner.decide import (
    CLOCK_SET,
    Action,
    Forget,
    MakeSandbox,
    RemoveSandbox,
    StartContainer,
    StopContainer,
    decide,
    expired,
    is_terminal,
)
from cn2.podrunner.place import PodPlace
from cn2.podrunner.probing import Prober
from cn2.podrunner.record import SandboxRecord
from cn2.podrunner.refusal import refusal
from cn2.podrunner.reporter import StatusReporter
from cn2.podrunner.running import Running
from cn2.podrunner.runs import DEADLINE_EXCEEDED, Sandbox, Seen
from cn2.podrunner.services import Node
from cn2.podrunner.setup import Setup, SetupFailed
from cn2.podrunner.status import pod_status
from cn2.podrunner.stopping import Stopper
from cn2.podrunner.unheeded import unheeded

log = structlog.get_logger(__name__)

_LOOK = 60.0
"""Seconds after which tokens are looked at again: a clock that is set forward ends them early."""


class PodWorker:
    """One pod, by its uid. `pod` is the object, None when it is gone from the API."""

    def __init__(
        self, node: Node, uid: str, pod: Object | None, record: SandboxRecord | None
    ) -> None:
        self.pod = pod
        self._node = node
        self._place = PodPlace(node.data_dir, uid)
        self._changed = asyncio.Event()
        self._retry = Backoff(0.5, 15.0)
        self._stopping_since: float | None = None
        self._ahead = node.clock() - node.tick()
        self._reporter = StatusReporter(node.client, pod) if pod else None
        self._is_new = record is None
        known = record or _new_record(node, uid, pod)
        self._running = Running(node.cgroups, node.events, self._place, known, self._changed.set)
        self._running.pod = pod
        self._setup = Setup(node, self._place, known, self._running, self._changed.set)
        actions = Actions(node.cgroups, self._place, lambda: self._running.addresses)
        self._prober = Prober(node.events, actions.perform, node.clock, self._changed.set)
        self._stopper = Stopper(node.events, self._running, actions.perform)
        self._finished = False

    def update(self, pod: Object | None) -> None:
        """The object has changed, or is gone (None)."""
        if _told_to_pod(self.pod) != _told_to_pod(pod):
            self._setup.stale()
        self.pod = self._running.pod = pod
        self._changed.set()

    async def run(self) -> None:
        """Works until nothing of the pod is left, or until cancelled: then the pod lives on."""
        try:
            await self._setup.adopt()
            self._refuse()
            while not self._finished:
                await self._step()
        finally:
            self._running.stop_watching()
            self._prober.stop()
            self._stopper.stop()
            self._setup.release()
            if self._reporter:
                self._reporter.stop()

    async def _step(self) -> None:
        self._changed.clear()
        self._follow_clock()
        now = self._node.clock()
        if self._ending and self._stopping_since is None:
            self._stopping_since = now
        seen = self._look()
        if seen.sandbox is Sandbox.LOST:
            self._setup.lost()
        if self.pod is not None and expired(self.pod, seen, now):
            seen = self._fail(
                DEADLINE_EXCEEDED, "Pod was active on the node longer than specified deadline"
            )
        due = self._setup.renew_at
        if self.pod is not None and not self._ending and due is not None and due <= now:
            await self._setup.renew(self.pod)
        decision = decide(self.pod, seen, now)
        if not (decision.actions and isinstance(decision.actions[0], StartContainer)):
            self._report(now)  # a start is told with its outcome, in one write
        if not decision.actions:
            await self._wait(decision.wake)
            return
        try:
            await self._perform(decision.actions[0])
            self._retry.reset()
        except Exception as error:
            # Whatever it is, it is this pod's alone: the others go on, and this one is tried again.
            log.warning("pod step failed", uid=self._place.uid, exc_info=error)
            self._emit(WARNING, "FailedSync", f"error syncing pod: {error or type(error).__name__}")
            await self._wait(self._node.clock() + self._retry.delay())

    def _follow_clock(self) -> None:
        """What is due in some seconds is due in as many still when the clock was set meanwhile."""
        before, self._ahead = self._ahead, self._node.clock() - self._node.tick()
        seconds = self._ahead - before
        if abs(seconds) < CLOCK_SET:
            return
        if self._stopping_since is not None:
            self._stopping_since += seconds
        self._setup.shift(seconds)
        self._running.shift(seconds)

    def _fail(self, reason: str, message: str) -> Seen:
        """The pod is ended for this; what is seen now."""
        self._emit(NORMAL, reason, message)
        self._running.record.failure = reason
        if self._place.directory.is_dir():
            records.write(self._place, self._running.record)
        return self._look()

    def _look(self) -> Seen:
        self._prober.follow(self.pod, self._running.runs)
        self._stopper.follow(self._running.runs)
        return self._running.seen(
            stopping_since=self._stopping_since,
            retry_at=self._setup.retry_at,
            stopping=self._stopper.graces,
            health=self._prober.health,
        )

    @property
    def _ending(self) -> bool:
        return self.pod is None or bool(self.pod["metadata"].get("deletionTimestamp"))

    async def _wait(self, until: float | None) -> None:
        """Until something changes or the time has come, also for renewing the volumes."""
        renew = self._setup.renew_at if not self._ending else None
        wakes = [at for at in (until, renew) if at is not None and at < math.inf]
        delay = max(0.0, min(wakes) - self._node.clock()) if wakes else None
        if delay is not None and renew is not None:
            delay = min(delay, _LOOK)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(delay):
                await self._changed.wait()

    def _report(self, now: float) -> None:
        pod, reporter = self.pod, self._reporter
        if pod is None or reporter is None or (is_terminal(pod) and not self._running.runs):
            return
        seen = self._look()
        present = reporter.present(pod)
        reporter.report(pod_status(present, seen, host_address=self._node.address, now=now))

    def _refuse(self) -> None:
        """A pod that asks for what it cannot have gets an event, and never a process."""
        if self.pod is None:
            return
        reason = refusal(self.pod)
        self._running.record.refusal = reason
        if is_terminal(self.pod):
            return
        if reason:
            self._emit(WARNING, "NotSupported", reason)
        elif self._is_new and (fields := unheeded(self.pod, self._node.cgroups.controllers)):
            self._emit(WARNING, "Ignored", f"not carried out here: {fields}")

    async def _perform(self, action: Action) -> None:
        match action:
            case MakeSandbox():
                await self._make_sandbox()
            case StartContainer(name, attempt):
                assert self.pod is not None
                self._prober.started(name, attempt)
                await self._setup.start(self.pod, name, attempt)
            case StopContainer(name, grace, message):
                self._stop_container(name, grace, message)
            case RemoveSandbox():
                await self._remove_sandbox()
            case Forget():
                await self._forget()

    def _emit(self, type_: str, reason: str, message: str, container: str = "") -> None:
        if self.pod is not None:
            path = f"spec.containers{{{container}}}" if container else ""
            self._node.events.emit(self.pod, type_, reason, message, field_path=path)

    def _stop_container(self, name: str, grace: int, message: str) -> None:
        assert self.pod is not None
        self._emit(NORMAL, "Killing", message, name)
        if not self._ending and not self._running.record.failure:
            self._running.unhealthy(name)
        self._stopper.begin(self.pod, name, grace)

    async def _make_sandbox(self) -> None:
        assert self.pod is not None
        try:
            await self._unless_ending(self._setup.make(self.pod))
        except SetupFailed as error:
            self._emit(WARNING, error.reason, str(error))
            await self._setup.remove()

    async def _unless_ending(self, work: Coroutine[Any, Any, None]) -> None:
        """Does the work, but drops it when the pod is to end: it may be waiting for a network."""
        task = asyncio.create_task(work)
        try:
            while not task.done() and not self._ending:
                self._changed.clear()
                changed = asyncio.create_task(self._changed.wait())
                await asyncio.wait({task, changed}, return_when=asyncio.FIRST_COMPLETED)
                changed.cancel()
        finally:
            if not task.done():
                task.cancel()
        await asyncio.wait({task})  # unlike `await task`, it tells our own end from the task's
        if not task.cancelled():
            task.result()

    async def _remove_sandbox(self) -> None:
        try:
            await self._setup.remove()
        except CniFailed as error:
            self._emit(WARNING, "FailedKillPod", f"error killing pod: {error}")
            raise

    async def _forget(self) -> None:
        """Last status, then the object itself: the API keeps it until its node says so."""
        if self.pod is not None and self._reporter is not None:
            self._report(self._node.clock())
            await self._reporter.settle()
            metadata = self.pod["metadata"]
            # NotFound: gone already. Conflict: another pod has the name by now.
            with contextlib.suppress(NotFound, Conflict):
                await self._node.client.delete(
                    POD,
                    metadata["name"],
                    metadata["namespace"],
                    uid=self._place.uid,
                    grace=0,
                )
        self._node.sandboxes.forget(self._place)
        self._finished = True


def _told_to_pod(pod: Object | None) -> tuple[Object, Object] | None:
    """What the downward API tells of a pod and may change while it runs."""
    metadata = pod["metadata"] if pod else {}
    return (metadata.get("labels") or {}, metadata.get("annotations") or {}) if pod else None


def _new_record(node: Node, uid: str, pod: Object | None) -> SandboxRecord:
    """For a pod that is new here. One that ran before (its files are lost) goes on counting."""
    metadata = pod["metadata"] if pod else {}
    status = (pod.get("status") if pod else None) or {}
    moment = datetime.fromtimestamp(node.clock(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    statuses = [
        *(status.get("initContainerStatuses") or []),
        *(status.get("containerStatuses") or []),
    ]
    return SandboxRecord(
        uid=uid,
        node=node.name,
        namespace=metadata.get("namespace", ""),
        name=metadata.get("name", ""),
        started=status.get("startTime") or moment,
        calm={s["name"]: s["restartCount"] + 1 for s in statuses if s.get("containerID")},
    )
