"""Where a store's commits become durable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from cn2.store.interface import Entry, Event


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a journal remembers from before.

    `events` is the recent past, complete after revision `floor`.
    """

    entries: list[Entry] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    revision: int = 0
    floor: int = 0


class JournalFailed(Exception):
    """The events were not stored, and the journal is as it was before."""


class JournalFull(JournalFailed):
    """There was no room for the events. The journal tries again with the next ones."""


class JournalLost(Exception):
    """It is unknown whether the events were stored: no write may follow until a restart."""


class Journal(Protocol):
    async def load(self) -> Loaded: ...

    async def append(self, events: Sequence[Event], floor: int) -> None:
        """Makes events durable together; history up to `floor` may be forgotten.

        Raises JournalFailed, JournalLost.
        """

    async def close(self) -> None: ...


class Forgetful:
    """A journal that keeps nothing: the store lives as long as its process."""

    async def load(self) -> Loaded:
        return Loaded()

    async def append(self, events: Sequence[Event], floor: int) -> None:
        return None

    async def close(self) -> None:
        return None
