"""The one loop of all controllers: changes become keys, keys are reconciled, failures retried.

A reconcile is given a key, never an event: it reads what is there now and enforces everything that
follows from it, so that a second pass writes nothing. Nobody reconciles before every informer has
synced; so what a reconcile does not find is really absent (or torn between two watches, which the
next change or retry mends).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable

import structlog

from cn2.api.kind import Object
from cn2.client.cache import Key, key_of
from cn2.client.errors import ApiError, Unavailable
from cn2.client.informer import Informer, Informers
from cn2.client.metrics import QUEUE_DEPTH, RECONCILE_SECONDS, RECONCILES
from cn2.client.queue import Clock, WorkQueue

log = structlog.get_logger(__name__)

Reconcile = Callable[[Key], Awaitable[float | None]]
"""Enforces what follows from the object (namespace, name). A number asks to be called again after
so many seconds; raising asks for a retry with backoff."""

Mapper = Callable[[Object], Iterable[Key]]
"""The primary keys that an object of another kind concerns. Called with its old and new form."""

Failed = Callable[[Key, Exception, int], None]
"""Told of each failure: the key, what was raised, how many times in a row."""

_AWAY = 3.0
"""Longest wait, in seconds, after a server that is away or cannot write (a full disk): it is not
the key that is wrong, and all of them wait for it."""
_ERROR_BUDGET = 3
"""Failures in a row after which an expected kind of failure is logged as a warning."""


class Controller:
    """A queue of keys, what fills it, and the reconcile that empties it."""

    def __init__(
        self,
        name: str,
        reconcile: Reconcile,
        *,
        workers: int = 4,
        timeout: float = 60.0,
        failed: Failed | None = None,
        clock: Clock | None = None,
    ) -> None:
        """`workers` keys at a time; a reconcile longer than `timeout` seconds has failed, so that
        no key can hold a worker for ever."""
        self.name = name
        self.queue: WorkQueue[Key] = WorkQueue(clock=clock)
        self.failed = failed
        self._reconcile = reconcile
        self._workers = workers
        self._timeout = timeout
        QUEUE_DEPTH.labels(name).set_function(lambda: len(self.queue))

    def watch(self, informer: Informer, mapper: Mapper | None = None) -> Controller:
        """Reconciles keys when objects of `informer` change: their own key (the primary kind), or
        those that `mapper` names, for the old and for the new form of the object."""
        keys = mapper or _own_key

        def enqueue(old: Object | None, new: Object | None) -> None:
            for obj in (old, new):
                if obj is not None:
                    for key in keys(obj):
                        self.queue.add(key)

        informer.on_change(enqueue)
        return self

    async def run(self) -> None:
        """Works until cancelled. To be started when the informers have synced."""
        async with asyncio.TaskGroup() as group:
            for number in range(self._workers):
                group.create_task(self._work(), name=f"{self.name} {number}")

    async def _work(self) -> None:
        while True:
            key = await self.queue.get()
            try:
                await self.once(key)
            finally:
                self.queue.done(key)

    async def once(self, key: Key) -> None:
        """One reconcile of `key`, with its consequences for the queue. Never raises."""
        started = time.monotonic()
        result = "ok"
        try:
            async with asyncio.timeout(self._timeout):
                again = await self._reconcile(key)
        except Exception as error:
            result = error.reason if isinstance(error, ApiError) else type(error).__name__
            self._fail(key, error)
        else:
            self.queue.forget(key)
            if again is not None:
                self.queue.add_after(key, again)
        RECONCILES.labels(self.name, result).inc()
        RECONCILE_SECONDS.labels(self.name).observe(time.monotonic() - started)

    def _fail(self, key: Key, error: Exception) -> None:
        away = isinstance(error, Unavailable) and error.status != 500
        delay = self.queue.retry(key, limit=_AWAY if away else None)
        failures = self.queue.failures(key)
        facts = {
            "controller": self.name,
            "namespace": key[0],
            "name": key[1],
            "failures": failures,
            "retry_in": round(delay, 3),
        }
        if not isinstance(error, ApiError):
            log.error("reconcile failed", exc_info=error, **facts)
        elif failures >= _ERROR_BUDGET and error.reason != "Unreachable":
            log.warning("reconcile refused", reason=error.reason, error=error.message, **facts)
        if self.failed is not None and not away:
            self.failed(key, error, failures)


class Loop:
    """Informers and controllers of one process, in their order: watch, sync, then reconcile."""

    def __init__(self, informers: Informers) -> None:
        self.informers = informers
        self.controllers: list[Controller] = []
        self.started = False
        """True from the first reconcile on."""

    def add(self, controller: Controller) -> Controller:
        self.controllers.append(controller)
        return controller

    async def run(self, lead: Callable[[], Awaitable[None]] | None = None) -> None:
        """Runs until cancelled. With `lead`, reconciling waits for it to return (leadership)."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.informers.run(), name="informers")
            await self.informers.synced()
            if lead is not None:
                await lead()
            self.started = True
            for controller in self.controllers:
                group.create_task(controller.run(), name=controller.name)

    def problem(self) -> str:
        """Why this process is not ready, "" when it is."""
        return self.informers.problem()

    def idle(self) -> bool:
        """Every queue is empty and nothing is in work."""
        return self.started and all(controller.queue.idle() for controller in self.controllers)


def _own_key(obj: Object) -> tuple[Key]:
    return (key_of(obj),)
