"""Time that passes when a test says so."""

from __future__ import annotations

import heapq
from collections.abc import Callable


class _Call:
    def __init__(self, when: float, callback: Callable[[], None]) -> None:
        self._when = when
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        self.callback = None

    def when(self) -> float:
        return self._when


class VirtualClock:
    """The part of an event loop that knows time: `time` and `call_later`."""

    def __init__(self) -> None:
        self.now = 0.0
        self._calls: list[tuple[float, int, _Call]] = []
        self._number = 0

    def time(self) -> float:
        return self.now

    def call_later(self, delay: float, callback: Callable[[], None], /) -> _Call:
        call = _Call(self.now + delay, callback)
        self._number += 1
        heapq.heappush(self._calls, (call.when(), self._number, call))
        return call

    def advance(self, seconds: float) -> None:
        """Lets time pass and makes the calls that fall due, in their order."""
        until = self.now + seconds
        while self._calls and self._calls[0][0] <= until:
            self.now, _, call = heapq.heappop(self._calls)
            if call.callback is not None:
                call.callback()
        self.now = until
