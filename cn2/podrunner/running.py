"""What runs in one pod's sandbox, as process 1 tells it and the disk remembers it."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

import structlog

from cn2.api.kind import Object
from cn2.client.events import WARNING, Events
from cn2.drivers.cgroups import Cgroups
from cn2.podrunner import record as records
from cn2.podrunner.cni_conf import addresses
from cn2.podrunner.decide import CALM_SECONDS, restart_delay, restarts
from cn2.podrunner.initlink import InitGone, Refused, ask, watch
from cn2.podrunner.last_words import last_words
from cn2.podrunner.place import PodPlace
from cn2.podrunner.record import SandboxRecord
from cn2.podrunner.runs import UNKNOWN_END, Health, Held, Run, Sandbox, Seen, container_named
from cn2.podrunner.sandbox import ends

log = structlog.get_logger(__name__)

_AGAIN = 1.0
"""Seconds until process 1 is asked again when its answer could not be taken in."""


class Running:
    """The sandbox and the runs of one pod. `changed` is called whenever something has happened."""

    def __init__(
        self,
        cgroups: Cgroups,
        events: Events,
        place: PodPlace,
        record: SandboxRecord,
        changed: Callable[[], None],
    ) -> None:
        self.record = record
        self.runs: dict[str, tuple[Run, ...]] = {}
        self.held: dict[str, Held] = {}
        self.pod: Object | None = None
        """The object that events about containers are emitted on."""
        self._cgroups = cgroups
        self._events = events
        self._place = place
        self._changed = changed
        self._alive = False
        self._unhealthy: set[tuple[str, int]] = set()
        self._images: dict[str, tuple[str | None, int]] = {}
        """Image and number of the present run of each container."""
        self._watching: asyncio.Task[None] | None = None

    @property
    def addresses(self) -> tuple[str, ...]:
        return addresses(self.record.result) if self.record.result else ()

    def seen(
        self,
        *,
        stopping_since: float | None,
        retry_at: float,
        stopping: Mapping[str, int] = {},
        health: Mapping[str, Health] = {},
    ) -> Seen:
        if not self.record.sandbox:
            sandbox = Sandbox.NONE
        else:
            sandbox = Sandbox.READY if self._alive and self.record.ready else Sandbox.LOST
        return Seen(
            sandbox=sandbox,
            runs=dict(self.runs),
            calm=self.record.calm,
            held=dict(self.held),
            sandbox_retry_at=retry_at,
            stopping_since=stopping_since,
            stopping=dict(stopping),
            health=dict(health),
            changed=frozenset(name for name in self.runs if self._is_changed(name)),
            addresses=self.addresses,
            started=self.record.started,
            refusal=self.record.refusal,
            failure=self.record.failure,
        )

    def _is_changed(self, name: str) -> bool:
        """Whether a running container was started with another image than it has now."""
        run = self.runs[name][-1]
        container = container_named(self.pod, name) if self.pod else None
        if container is None or not run.running:
            return False
        if self._images.get(name, ("", -1))[1] != run.attempt:
            self._images[name] = (records.image(self._place, name, run.attempt), run.attempt)
        was = self._images[name][0]
        return was is not None and was != (container.get("image") or "")

    async def begin_watching(self) -> None:
        """Follows process 1 from now on; returns when its present state is known."""
        self.stop_watching()
        self._alive = True
        synced = asyncio.Event()
        self._watching = asyncio.create_task(self._watch(synced), name=f"pod {self._place.uid}")
        waiting = asyncio.create_task(synced.wait())
        await asyncio.wait({waiting, self._watching}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()

    def stop_watching(self) -> None:
        if self._watching is not None:
            self._watching.cancel()
        self._watching = None

    async def _watch(self, synced: asyncio.Event) -> None:
        while True:
            try:
                await watch(self._place.directory, self.saw, synced)
            except OSError as error:
                # E.g. a full disk: what cannot be noted of one run must not hide the next.
                log.warning("cannot note a run", uid=self._place.uid, error=str(error))
                self._changed()
                await asyncio.sleep(_AGAIN)
                continue
            if not await ends(self._place, _AGAIN):
                continue  # it was too busy, or we were: too many open files
            self._alive = False
            self._changed()
            return

    def load(self) -> None:
        """Takes in the runs that are on disk, also those that ended while nobody looked."""
        self.runs = records.read_runs(self._place)
        for name, runs in list(self.runs.items()):
            for run in runs:
                if run.finished and not run.noted:
                    self._ended(name, run)

    def saw(self, name: str, run: Run) -> None:
        """Process 1 says how a run is. It may say so twice, and late."""
        known = self.runs.get(name, ())
        same = [old for old in known if old.attempt == run.attempt]
        if any(old.finished for old in same) or any(old.attempt > run.attempt for old in known):
            return
        self.runs[name] = (*[old for old in known if old.attempt < run.attempt], run)[-2:]
        if run.finished:
            self._ended(name, run)
        self._changed()

    def unhealthy(self, name: str) -> None:
        """The present run is stopped for what is wrong with it: whatever it exits with, it has
        not done its work."""
        self._unhealthy.add((name, self.runs[name][-1].attempt))

    def _ended(self, name: str, run: Run) -> None:
        """Notes, beside what process 1 has written, what it could not know."""
        facts = {"noted": "1"}
        if (name, run.attempt) in self._unhealthy:
            self._unhealthy.discard((name, run.attempt))
            run, facts["unhealthy"] = replace(run, unhealthy=True), "1"
        group = f"{name}/{run.attempt}"
        if run.signal == signal.SIGKILL and self._cgroups.out_of_memory(self._place.uid, group):
            run, facts["oom"] = replace(run, out_of_memory=True), "1"
        self._cgroups.remove(self._place.uid, group)
        container = container_named(self.pod, name) if self.pod else None
        message = last_words(self._place, container, run) if container else ""
        if message:
            run, facts["message"] = replace(run, message=message), json.dumps(message)
        self.runs[name] = tuple(
            run if old.attempt == run.attempt else old for old in self.runs[name]
        )
        records.amend_run(self._place, name, run.attempt, **facts)
        if run.seconds >= CALM_SECONDS:
            self.record.calm[name] = run.attempt + 1
            records.write(self._place, self.record)
        self._tell_backoff(name, run)

    def _tell_backoff(self, name: str, run: Run) -> None:
        pod = self.pod
        container = container_named(pod, name) if pod else None
        if pod is None or container is None or not restarts(pod, container, run):
            return
        if restart_delay(run, self.record.calm.get(name, 0)):
            metadata = pod["metadata"]
            who = f"{metadata['name']}_{metadata['namespace']}({metadata['uid']})"
            text = f"Back-off restarting failed container {name} in pod {who}"
            path = f"spec.containers{{{name}}}"
            self._events.emit(pod, WARNING, "BackOff", text, field_path=path)

    def shift(self, seconds: float) -> None:
        """The clock was set forward by so much (back, if negative)."""
        for name, held in self.held.items():
            self.held[name] = replace(held, until=held.until + seconds)

    def all_ended(self) -> None:
        """The sandbox is gone and nobody saw how its last processes ended."""
        self._alive = False
        self._unhealthy.clear()
        moment = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        for name, runs in self.runs.items():
            if runs and runs[-1].running:
                ended = replace(
                    runs[-1], finished=moment, exit_code=UNKNOWN_END, signal=signal.SIGKILL
                )
                self.runs[name] = (*runs[:-1], ended)
                records.amend_run(
                    self._place,
                    name,
                    ended.attempt,
                    state="exited",
                    finished=moment,
                    exit=str(UNKNOWN_END),
                    signal=str(int(signal.SIGKILL)),
                )

    async def signal(self, name: str, number: int) -> None:
        """Sends a signal to a container's main process; one that has just ended needs none.
        Tried again while process 1 lives and does not answer."""
        run = self.runs[name][-1]
        request = [("op", "kill"), ("id", f"{name}/{run.attempt}"), ("signal", str(int(number)))]
        while True:
            try:
                await ask(self._place.directory, request)
            except Refused:
                return
            except (InitGone, OSError):
                if await ends(self._place, _AGAIN):
                    return
            else:
                return
