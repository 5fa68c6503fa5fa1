"""Who is told of which commit."""

from __future__ import annotations

import asyncio
from collections import deque

from cn2.store.interface import Compacted, Event
from cn2.store.window import Window

MAX_BACKLOG = 10_000
"""Events a watch may lag behind before it is dropped and has to list again."""


class WindowWatch:
    """One reader of the changes under a prefix."""

    def __init__(self, watchers: Watchers, prefix: str, after: int, backlog: list[Event]) -> None:
        self.prefix = prefix
        self.revision = after
        self._watchers = watchers
        self._batches: deque[list[Event]] = deque([backlog] if backlog else [])
        self._count = len(backlog)
        self._reached = after
        self._lost = False
        self.closed = False
        self._waiting: asyncio.Future[None] | None = None

    async def next(self, timeout: float | None = None) -> list[Event]:
        if not self._batches and not self.closed and not self._lost:
            await self._wait(timeout)
        if self._lost:
            raise Compacted(self.revision, self._reached)
        self.revision = self._reached
        events = [event for batch in self._batches for event in batch]
        self._batches.clear()
        self._count = 0
        return events

    def close(self) -> None:
        self.closed = True
        self._watchers.forget(self)
        self._wake()

    def offer(self, events: list[Event]) -> None:
        """Hands over the events of a commit that lie under this watch's prefix."""
        if self._count + len(events) > MAX_BACKLOG:
            self._lost = True
            self._batches.clear()
        elif not self._lost:
            self._batches.append(events)
            self._count += len(events)
        self._wake()

    def reach(self, revision: int) -> None:
        """Everything up to `revision` has been offered."""
        self._reached = revision

    async def _wait(self, timeout: float | None) -> None:
        self._waiting = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(timeout):
                await self._waiting
        except TimeoutError:
            return
        finally:
            self._waiting = None

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)


class Watchers:
    """All watches of a store, grouped by prefix: a commit is sorted once for all of a group."""

    def __init__(self, window: Window) -> None:
        self._window = window
        self._groups: dict[str, set[WindowWatch]] = {}

    def open(self, prefix: str, after: int) -> WindowWatch:
        backlog = [event for event in self._window.after(after) if event.key.startswith(prefix)]
        watch = WindowWatch(self, prefix, after, backlog)
        watch.reach(self._window.revision)
        self._groups.setdefault(prefix, set()).add(watch)
        return watch

    def forget(self, watch: WindowWatch) -> None:
        group = self._groups.get(watch.prefix, set())
        group.discard(watch)
        if not group:
            self._groups.pop(watch.prefix, None)

    def publish(self, events: list[Event]) -> None:
        revision = events[-1].revision
        for prefix, group in self._groups.items():
            matching = [event for event in events if event.key.startswith(prefix)]
            for watch in group:
                watch.reach(revision)
                if matching:
                    watch.offer(matching)

    def close(self) -> None:
        for watch in [watch for group in self._groups.values() for watch in group]:
            watch.close()
