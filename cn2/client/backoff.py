"""How long to wait before trying again."""

from __future__ import annotations

import random
from collections.abc import Callable


class Backoff:
    """Exponential delays with jitter, so that many clients of one server do not return together.

    Each delay is drawn between half and the whole of `first * factor**n`, at most `limit` seconds.
    """

    def __init__(
        self,
        first: float,
        limit: float,
        *,
        factor: float = 2.0,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._first = first
        self._limit = limit
        self._factor = factor
        self._chance = chance
        self._next = first

    def delay(self) -> float:
        """The next delay in seconds."""
        whole = self._next
        self._next = min(self._limit, whole * self._factor)
        return whole * (0.5 + 0.5 * self._chance())

    def reset(self) -> None:
        self._next = self._first
