"""The recent past: the events that a watch can start from and an old list is rebuilt from."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable

from cn2.store.interface import Compacted, Entry, Event, FutureRevision

MAX_EVENTS = 10_000
MAX_BYTES = 48 << 20


class Window:
    """A bounded run of events in the order of revisions.

    `floor` is the newest revision whose event is not kept: history after it is complete.
    """

    def __init__(
        self,
        floor: int,
        events: Iterable[Event] = (),
        *,
        max_events: int = MAX_EVENTS,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        self.floor = floor
        self.revision = floor
        self._events: list[Event] = []
        self._first = 0
        self._bytes = 0
        self._max_events = max_events
        self._max_bytes = max_bytes
        self.extend(list(events))

    def extend(self, events: list[Event]) -> None:
        """Takes the events of whole transactions and forgets the oldest beyond the bounds."""
        if not events:
            return
        self._events.extend(events)
        self._bytes += sum(map(_size, events))
        self.revision = events[-1].revision
        self._forget()

    def after(self, revision: int) -> list[Event]:
        """The events of all revisions greater than this one."""
        if revision > self.revision:
            raise FutureRevision(revision, self.revision)
        if revision < self.floor:
            raise Compacted(revision, self.floor)
        start = bisect_right(self._events, revision, lo=self._first, key=_revision)
        return self._events[start:]

    def undo(self, prefix: str, revision: int) -> dict[str, Entry | None]:
        """What the keys under `prefix` that changed after `revision` were at that revision."""
        past: dict[str, Entry | None] = {}
        for event in reversed(self.after(revision)):
            if event.key.startswith(prefix):
                past[event.key] = event.previous
        return past

    def _forget(self) -> None:
        events = self._events
        last = len(events)
        while self._first < last and (
            last - self._first > self._max_events or self._bytes > self._max_bytes
        ):
            # A transaction goes as a whole: half of it is no history.
            self.floor = events[self._first].revision
            while self._first < last and events[self._first].revision == self.floor:
                self._bytes -= _size(events[self._first])
                self._first += 1
        if self._first > self._max_events:
            del events[: self._first]
            self._first = 0


def _revision(event: Event) -> int:
    return event.revision


def _size(event: Event) -> int:
    return len(event.value) + (len(event.previous.value) if event.previous else 0)
