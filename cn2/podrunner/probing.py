"""Carries out the postStart hooks and the probes of one pod's running containers."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from cn2.api.kind import Object
from cn2.client.events import WARNING, Events
from cn2.podrunner.probes import Kind, Outcome, Result, Tally, event_of, probes_of
from cn2.podrunner.runs import (
    LIVENESS,
    POST_START,
    STARTUP,
    Health,
    Run,
    container_named,
    epoch,
)
from cn2.podrunner.status import container_id

Perform = Callable[[Object, int, Object, float], Awaitable[Outcome]]
"""Carries out an action on a run: container, attempt, action, seconds at most."""

_HOOK_SECONDS = 3600.0
"""A postStart hook has no limit in Kubernetes; one that hangs is ended some time."""


class Prober:
    """The health of one pod's containers. `changed` is called when it has become another."""

    def __init__(
        self,
        events: Events,
        perform: Perform,
        clock: Callable[[], float],
        changed: Callable[[], None],
    ) -> None:
        self._events = events
        self._perform = perform
        self._clock = clock
        self._changed = changed
        self._watched: dict[str, _Watched] = {}
        self._fresh: dict[str, int] = {}

    @property
    def health(self) -> dict[str, Health]:
        """Of the containers that have hooks or probes and run."""
        return {name: watched.health for name, watched in self._watched.items()}

    def started(self, name: str, attempt: int) -> None:
        """This run was started by us just now, so that its postStart hook is to come."""
        self._fresh[name] = attempt

    def follow(self, pod: Object | None, runs: Mapping[str, tuple[Run, ...]]) -> None:
        """Begins for runs that are new, ends for those that have ended."""
        for name, watched in list(self._watched.items()):
            known = runs.get(name)
            if not known or not known[-1].running or known[-1].attempt != watched.run.attempt:
                self._watched.pop(name).stop()
        if pod is None:
            return
        ending = bool(pod["metadata"].get("deletionTimestamp"))
        for name, known in runs.items():
            container = container_named(pod, name)
            if container is None or not known[-1].running:
                continue
            if name in self._watched:
                self._watched[name].update(pod, ending)
                continue
            hook = (container.get("lifecycle") or {}).get("postStart")
            fresh = self._fresh.pop(name, None) == known[-1].attempt
            if not ending and (probes_of(container) or (hook and fresh)):
                self._watched[name] = _Watched(self, pod, container, known[-1], fresh=fresh)

    def stop(self) -> None:
        for watched in self._watched.values():
            watched.stop()
        self._watched.clear()


class _Watched:
    """One run of a container."""

    def __init__(
        self, of: Prober, pod: Object, container: Object, run: Run, *, fresh: bool
    ) -> None:
        self.run = run
        self._of = of
        self._pod = pod
        self._container = container
        self._began = asyncio.Event()
        self._tasks: dict[Kind | str, asyncio.Task[None]] = {}
        told = {} if fresh else _told(pod, container["name"], run)
        probes = probes_of(container)
        hook = (container.get("lifecycle") or {}).get("postStart") if fresh else None
        started = not hook and (Kind.STARTUP not in probes or bool(told.get("started")))
        ready = Kind.READINESS not in probes or bool(told.get("ready"))
        self.health = Health(started=started, ready=ready, starting=bool(hook))
        if started:
            self._began.set()
        if hook:
            self._tasks["hook"] = asyncio.create_task(self._hook(hook))
        for kind, probe in probes.items():
            if not (kind is Kind.STARTUP and started):
                self._tasks[kind] = asyncio.create_task(self._probe(kind, probe, spread=not fresh))

    def update(self, pod: Object, ending: bool) -> None:
        self._pod = pod
        if ending:  # what ends anyway is not restarted
            for kind in (Kind.LIVENESS, Kind.STARTUP, "hook"):
                task = self._tasks.get(kind)
                if task:
                    task.cancel()

    def stop(self) -> None:
        for task in self._tasks.values():
            task.cancel()

    def _is(self, **change: bool | str) -> None:
        health = replace(self.health, **change)  # type: ignore[arg-type]
        if health != self.health:
            self.health = health
            self._of._changed()

    def _warn(self, reason: str, message: str) -> None:
        path = f"spec.containers{{{self._container['name']}}}"
        self._of._events.emit(self._pod, WARNING, reason, message, field_path=path)

    async def _act(self, action: Object, seconds: float) -> Outcome:
        return await self._of._perform(self._container, self.run.attempt, action, seconds)

    async def _hook(self, hook: Object) -> None:
        outcome = await self._act(hook, _HOOK_SECONDS)
        if not outcome.passed:
            self._warn("FailedPostStartHook", "PostStartHook failed")
            self._is(starting=False, failed=POST_START)
            return
        has_startup = Kind.STARTUP in self._tasks
        self._is(starting=False, started=not has_startup)
        if not has_startup:
            self._began.set()

    async def _probe(self, kind: Kind, probe: Object, *, spread: bool) -> None:
        """Until it is cancelled or its last word is said. `spread`: with all other pods' probes
        it begins anew after our own restart, so it waits for a part of its period."""
        period = probe.get("periodSeconds") or 10
        await asyncio.sleep(
            self._initial_delay(probe) + (random.random() * period if spread else 0)
        )
        if kind is not Kind.STARTUP:
            await self._began.wait()
        tally = Tally.of(probe, self.health.ready if kind is Kind.READINESS else True)
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            outcome = await self._act(probe, probe.get("timeoutSeconds") or 1)
            if event := event_of(kind, outcome):
                self._warn(*event)
            if (
                outcome.result is not Result.UNKNOWN
                and tally.add(outcome.passed)
                and self._counts(kind, outcome.passed)
            ):
                return
            await asyncio.sleep(max(0.0, began + period - loop.time()))

    def _counts(self, kind: Kind, passed: bool) -> bool:
        """Takes in a verdict. Whether it is the probe's last word."""
        if kind is Kind.READINESS:
            self._is(ready=passed)
            return False
        if not passed:
            self._is(failed=LIVENESS if kind is Kind.LIVENESS else STARTUP)
            return True
        if kind is Kind.STARTUP:
            self._is(started=True)
            self._began.set()
            return True
        return False

    def _initial_delay(self, probe: Object) -> float:
        """Seconds that are left of it; the clock may have been set since the start."""
        whole = float(probe.get("initialDelaySeconds") or 0)
        return min(whole, max(0.0, epoch(self.run.started) + whole - self._of._clock()))


def _told(pod: Object, name: str, run: Run) -> Object:
    """What the API says of a run that an earlier pod runner has started; {} of another run."""
    status = pod.get("status") or {}
    for told in (
        *(status.get("initContainerStatuses") or []),
        *(status.get("containerStatuses") or []),
    ):
        if told.get("containerID") == container_id(pod, name, run.attempt):
            return dict(told)
    return {}
