"""A queue of keys, each at most once in it and at most once in work.

A key added while it is worked on is worked on again afterwards, never twice at a time. A key that
fails waits for itself alone, exponentially longer, while the others go on. (The shape is that of
client-go's workqueue.)
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Hashable
from typing import Generic, Protocol, TypeVar

K = TypeVar("K", bound=Hashable)


class Timer(Protocol):
    """A pending call that can be cancelled, as asyncio's TimerHandle."""

    def cancel(self) -> None: ...

    def when(self) -> float: ...


class Clock(Protocol):
    """The part of an event loop that knows time; seconds."""

    def time(self) -> float: ...

    def call_later(self, delay: float, callback: Callable[[], None], /) -> Timer: ...


class WorkQueue(Generic[K]):
    """Deduplicating queue with delays; for one event loop, not for threads."""

    def __init__(self, *, first: float = 0.005, limit: float = 60.0, clock: Clock | None = None):
        """A failing key waits `first` seconds, then twice that, at most `limit`."""
        self._first = first
        self._limit = limit
        self._clock = clock
        self._waiting: deque[K] = deque()
        self._dirty: set[K] = set()
        """Keys that must be worked on: those waiting, and those in work that were added again."""
        self._processing: set[K] = set()
        self._timers: dict[K, Timer] = {}
        self._failures: dict[K, int] = {}
        self._getters: deque[asyncio.Future[None]] = deque()

    def __len__(self) -> int:
        """Keys ready to be worked on; delayed ones are not among them."""
        return len(self._waiting)

    def delayed(self) -> int:
        return len(self._timers)

    def idle(self) -> bool:
        """Nothing waits and nothing is in work; delayed keys do not count."""
        return not self._dirty and not self._processing

    def add(self, key: K) -> None:
        """Asks for work on `key` now. A pending delay is dropped: the work decides anew."""
        timer = self._timers.pop(key, None)
        if timer is not None:
            timer.cancel()
        if key in self._dirty:
            return
        self._dirty.add(key)
        if key not in self._processing:
            self._waiting.append(key)
            self._wake()

    def add_after(self, key: K, seconds: float) -> None:
        """Asks for work on `key` in a while; of several requests the earliest counts."""
        if seconds <= 0:
            self.add(key)
            return
        clock = self._clock or asyncio.get_running_loop()
        pending = self._timers.get(key)
        if pending is not None:
            if pending.when() <= clock.time() + seconds:
                return
            pending.cancel()
        self._timers[key] = clock.call_later(seconds, lambda: self._due(key))

    def retry(self, key: K, *, limit: float | None = None) -> float:
        """Asks for work on a key that failed, later each time; returns the delay in seconds, which
        is at most `limit`, or the queue's own."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        # The exponent is bounded so that a key failing for weeks does not overflow a float.
        delay = min(limit or self._limit, self._first * 2.0 ** min(failures, 32))
        self.add_after(key, delay)
        return delay

    def failures(self, key: K) -> int:
        return self._failures.get(key, 0)

    def forget(self, key: K) -> None:
        """The key succeeded: its next failure waits the shortest delay again."""
        self._failures.pop(key, None)

    async def get(self) -> K:
        """The next key; it is in work until `done`."""
        while not self._waiting:
            getter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._getters.append(getter)
            try:
                await getter
            except asyncio.CancelledError:
                # A wake-up that reached a cancelled worker is passed on, or its key would sleep.
                if getter.done() and not getter.cancelled() and self._waiting:
                    self._wake()
                raise
            finally:
                if getter in self._getters:
                    self._getters.remove(getter)
        key = self._waiting.popleft()
        self._dirty.discard(key)
        self._processing.add(key)
        return key

    def done(self, key: K) -> None:
        """Work on `key` has ended, well or not; if it was added meanwhile, it waits again."""
        self._processing.discard(key)
        if key in self._dirty:
            self._waiting.append(key)
            self._wake()

    def _due(self, key: K) -> None:
        self._timers.pop(key, None)
        self.add(key)

    def _wake(self) -> None:
        while self._getters:
            getter = self._getters.popleft()
            if not getter.done():
                getter.set_result(None)
                return
