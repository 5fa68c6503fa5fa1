"""One thread for everything that blocks on the kernel or the disk, and one turn for who uses it.

Plugs do not get faster by threads: the kernel serializes them under one lock.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


class Worker:
    """Runs blocking calls one after the other; `turn` makes several of them one step."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="worker")
        self.turn = asyncio.Lock()

    async def run(self, call: Callable[[], T]) -> T:
        """The result of `call`, made in the worker's thread."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)

    def close(self) -> None:
        """Wait for the call under way, then end the thread."""
        self._thread.shutdown(wait=True, cancel_futures=True)
