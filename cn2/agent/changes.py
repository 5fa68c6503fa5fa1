"""Waiting for a condition on what the agent knows, without polling."""

from __future__ import annotations

import asyncio


class Changes:
    """Wakes everyone who waits whenever something changed."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Future[None]] = set()

    def notify(self) -> None:
        for future in self._waiting:
            if not future.done():
                future.set_result(None)
        self._waiting.clear()

    def next(self) -> asyncio.Future[None]:
        """A future that the next `notify` completes.

        Take it before looking at the condition: then no change between the look and the wait is
        missed.
        """
        future = asyncio.get_running_loop().create_future()
        self._waiting.add(future)
        future.add_done_callback(self._waiting.discard)
        return future
