"""Stops running containers as kubelet does: preStop hook, SIGTERM, and SIGKILL in the end."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field

from cn2.api.kind import Object
from cn2.client.events import WARNING, Events
from cn2.podrunner.decide import LEAST_GRACE
from cn2.podrunner.probing import Perform
from cn2.podrunner.running import Running
from cn2.podrunner.runs import Run, container_named


@dataclass(slots=True)
class _Stop:
    attempt: int
    grace: int
    hooked: bool = False
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None


class Stopper:
    """The containers of one pod that are being stopped."""

    def __init__(self, events: Events, running: Running, perform: Perform) -> None:
        self._events = events
        self._running = running
        self._perform = perform
        self._stops: dict[str, _Stop] = {}

    @property
    def graces(self) -> dict[str, int]:
        """Seconds given to each container that is being stopped."""
        return {name: stop.grace for name, stop in self._stops.items()}

    def begin(self, pod: Object, name: str, grace: int) -> None:
        """Stops the present run; a second call gives another, shorter grace."""
        run = self._running.runs[name][-1]
        before = self._stops.get(name)
        stop = _Stop(run.attempt, grace, hooked=bool(before and before.hooked))
        if before and before.task:
            before.task.cancel()
        self._stops[name] = stop
        stop.task = asyncio.create_task(self._stop(pod, name, stop), name=f"stop {name}")

    def follow(self, runs: Mapping[str, tuple[Run, ...]]) -> None:
        """Notices those that have ended."""
        for name, stop in list(self._stops.items()):
            last = runs[name][-1]
            if last.attempt != stop.attempt or not last.running:
                del self._stops[name]
                stop.ended.set()

    def stop(self) -> None:
        """Leaves everything as it is."""
        for stop in self._stops.values():
            if stop.task:
                stop.task.cancel()
        self._stops.clear()

    async def _stop(self, pod: Object, name: str, stop: _Stop) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + stop.grace
        container = container_named(pod, name) or {}
        hook = (container.get("lifecycle") or {}).get("preStop")
        if hook and not stop.hooked and stop.grace > 0:
            outcome = await self._perform(container, stop.attempt, hook, stop.grace)
            stop.hooked = True
            if not outcome.passed:
                path = f"spec.containers{{{name}}}"
                text = "PreStopHook failed"
                self._events.emit(pod, WARNING, "FailedPreStopHook", text, field_path=path)
        await self._running.signal(name, signal.SIGTERM)
        try:
            async with asyncio.timeout(max(deadline - loop.time(), LEAST_GRACE)):
                await stop.ended.wait()
        except TimeoutError:
            await self._running.signal(name, signal.SIGKILL)
