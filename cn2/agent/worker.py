"""Whose turn it is to change the node, and a thread for what takes long.

A plug takes a few milliseconds, of which a switch to another thread and back would be a fifth:
it runs where it is, on the event loop, and so does an unplug. What may take longer (deleting a
batch of links, reading all tables, looking into namespaces) runs in the thread. Either holds the
turn. More threads would not help: the kernel serializes changes of links under one lock.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


class Worker:
    """The turn, and the one thread."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="worker")
        self.turn = asyncio.Lock()

    async def run(self, call: Callable[[], T]) -> T:
        """The result of `call`, made in the thread."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)

    def close(self) -> None:
        """Wait for the call under way, then end the thread."""
        self._thread.shutdown(wait=True, cancel_futures=True)
