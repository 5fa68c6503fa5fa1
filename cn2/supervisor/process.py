"""One supervised process: started, watched, restarted when it dies, stopped."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import structlog

from cn2.supervisor.last_words import last_words
from cn2.supervisor.layout import Layout
from cn2.supervisor.log_size import bound
from cn2.supervisor.pids import write_pid
from cn2.supervisor.spawner import Child, Order, Spawner, SpawnError

_log = structlog.get_logger("supervisor")

_FIRST_DELAY, _LAST_DELAY = 0.05, 5.0
"""Seconds between restarts: doubled from the first to the last, reset by a healthy run."""
_HEALTHY_RUN = 10.0
_GRACE = 8.0
"""Seconds between SIGTERM and SIGKILL."""


@dataclass(frozen=True, slots=True)
class Command:
    """What to run and where."""

    name: str
    arguments: tuple[str, ...]
    environment: tuple[tuple[str, str], ...] = ()
    """Variables added to the supervisor's own environment, in the order they are shown."""
    netns: Path | None = None
    """The network namespace that the process is started in; None for the machine's own."""


@dataclass(slots=True)
class Run:
    """One life of a process. Times are UTC."""

    pid: int
    started: datetime.datetime
    finished: datetime.datetime | None = None
    exit_code: int | None = None


@dataclass(slots=True)
class Process:
    """A command that is kept running. `changed` is called whenever what is shown changes."""

    command: Command
    layout: Layout
    spawner: Spawner
    changed: Callable[[], None]
    restarts: int = 0
    ready: bool = False
    failures: int = 0
    """Times in a row that it ended without ever having been ready."""
    reason: str = ""
    """Why it ended last, while it is not ready again."""
    current: Run | None = None
    previous: Run | None = None
    _delay: float = _FIRST_DELAY
    _task: asyncio.Task[None] | None = None
    _wanted: bool = False
    _wake: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def name(self) -> str:
        return self.command.name

    def start(self) -> None:
        """Begin to keep the command running."""
        self._wanted = True
        self._task = asyncio.create_task(self._keep_running(), name=f"keep {self.name}")

    async def stop(self) -> None:
        """End the process for good: SIGTERM, then SIGKILL after a grace period."""
        self._wanted = False
        self._end_run()
        if self._task is not None:
            await self._task

    def replace(self, command: Command) -> None:
        """Run another command of the same name from now on; what runs is ended for it."""
        self.command = command
        self._end_run()

    def _end_run(self) -> None:
        self._wake.set()
        run = self.current
        if run is not None and run.finished is None:
            _signal(run.pid, signal.SIGTERM)
            asyncio.get_running_loop().call_later(_GRACE, _kill, run)

    async def _keep_running(self) -> None:
        while self._wanted:
            began = asyncio.get_running_loop().time()
            await self._run_once()
            self.restarts += 1
            if asyncio.get_running_loop().time() - began > _HEALTHY_RUN:
                self._delay = _FIRST_DELAY
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), self._delay)
            self._wake.clear()
            self._delay = min(self._delay * 2, _LAST_DELAY)

    async def _run_once(self) -> None:
        command = self.command
        try:
            process = await self._spawn(command)
        except (SpawnError, OSError) as error:
            _log.warning("process not started", process=self.name, error=str(error))
            self.failures += 1
            self.reason = str(error)
            self.changed()
            return
        self.current = run = Run(process.pid, _now())
        if not self._wanted or self.command != command:
            self._end_run()  # it was decided otherwise meanwhile
        try:
            write_pid(self.layout.pid_file(self.name), process.pid)
        except OSError as error:  # only a `cn2 down` after our own death would miss it
            _log.warning("pid not written", process=self.name, error=str(error))
        self.changed()
        probe = asyncio.create_task(self._probe())
        try:
            code = await process.wait()
            run.exit_code = code if code >= 0 else 128 - code  # as shells show a signal
        finally:
            probe.cancel()
            run.finished = _now()
            if self._wanted and self.command == command:
                self._failed(run)
            self.ready = False
            self.previous = run
            self.layout.pid_file(self.name).unlink(missing_ok=True)
            self.changed()
        if self._wanted:
            _log.warning("process ended", process=self.name, exit_code=run.exit_code)

    def _failed(self, run: Run) -> None:
        """It ended and nobody wanted it to."""
        self.failures = 0 if self.ready else self.failures + 1
        said = last_words(self.layout.log_file(self.name))
        self.reason = f"exit code {run.exit_code}" + (f", {said}" if said else "")

    async def _spawn(self, command: Command) -> Child:
        self.layout.health_socket(self.name).unlink(missing_ok=True)
        environment = {**os.environ, **dict(command.environment)}
        order = Order(self.name, command.arguments, environment)
        with contextlib.ExitStack() as stack:
            # Nobody writes to it now; a process turns its own log over while it runs.
            bound(self.layout.log_file(self.name))
            log = stack.enter_context(self.layout.log_file(self.name).open("ab"))
            namespace = None
            if command.netns is not None:
                namespace = os.open(command.netns, os.O_RDONLY | os.O_CLOEXEC)
                stack.callback(os.close, namespace)
            return await self.spawner.spawn(order, log.fileno(), namespace)

    async def _probe(self) -> None:
        """Follow /readyz: quickly until it is ready, then once in a while."""
        connector = aiohttp.UnixConnector(str(self.layout.health_socket(self.name)))
        timeout = aiohttp.ClientTimeout(total=3)
        async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
            while True:
                ready = await _is_ready(session)
                if ready != self.ready:
                    self.ready = ready
                    if ready:
                        self.failures, self.reason = 0, ""
                    self.changed()
                await asyncio.sleep(2.0 if ready else 0.03)


async def _is_ready(session: aiohttp.ClientSession) -> bool:
    try:
        async with session.get("http://localhost/readyz") as reply:
            return reply.status == 200
    except (OSError, aiohttp.ClientError, TimeoutError):
        return False


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def _kill(run: Run) -> None:
    if run.finished is None:
        _signal(run.pid, signal.SIGKILL)


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
