"""What a store promises: keys and bytes under one global revision.

A store knows no kinds. It keeps what there is in memory: reading never waits. Keys are text in
byte order, values are bytes. Every transaction that changes something gets the next revision, all
its changes share it, and watchers see it whole.

Two views exist. The **committed** view (`get`, `list`, `watch`) is what readers may be shown. The
**latest** view (`latest`, `latest_under`) also contains transactions that are still on their way
to the disk: a writer starts from it, so that writers of one key need not wait for each other's
disk write. Whoever answers from the latest view first awaits `settled`.
"""

from __future__ import annotations

import builtins
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol


class StoreError(Exception):
    """Anything a store refuses or fails to do."""


class Mismatch(StoreError):
    """A condition of a transaction did not hold; nothing was changed."""

    def __init__(self, key: str) -> None:
        super().__init__(f"{key} is not as the transaction expected")
        self.key = key


class Compacted(StoreError):
    """The history that was asked for is no longer kept; `oldest` is the first revision that is."""

    def __init__(self, asked: int, oldest: int) -> None:
        super().__init__(f"revision {asked} is no longer kept, the oldest is {oldest}")
        self.asked = asked
        self.oldest = oldest


class FutureRevision(StoreError):
    """A revision was asked for that does not exist yet."""

    def __init__(self, asked: int, current: int) -> None:
        super().__init__(f"revision {asked} does not exist yet, the newest is {current}")
        self.asked = asked
        self.current = current


class Unavailable(StoreError):
    """The store could not write (disk full, disk error, closing); nothing was changed."""


class Full(Unavailable):
    """There is no room on the disk; nothing was changed, and writing goes on when there is."""


class Stamped(NamedTuple):
    """A value that carries its own revision: the store writes it, in decimal, between the two."""

    before: bytes
    after: bytes


Value = bytes | Stamped


@dataclass(frozen=True, slots=True)
class Entry:
    """One key with its value, the revision that wrote it and the one that first created it."""

    key: str
    value: bytes
    revision: int
    created: int


@dataclass(frozen=True, slots=True)
class Put:
    key: str
    value: Value


@dataclass(frozen=True, slots=True)
class Delete:
    """Removes a key; `last` is what watchers are told its value was. No key: no change."""

    key: str
    last: Value = b""


@dataclass(frozen=True, slots=True)
class Absent:
    """Holds while the key does not exist."""

    key: str


@dataclass(frozen=True, slots=True)
class At:
    """Holds while the key was last written by this revision."""

    key: str
    revision: int


@dataclass(frozen=True, slots=True)
class Txn:
    """Changes that happen together or not at all. A key is changed at most once."""

    changes: tuple[Put | Delete, ...]
    conditions: tuple[Absent | At, ...] = ()


@dataclass(frozen=True, slots=True)
class Event:
    """One change as watchers see it. For a deletion `value` is `Delete.last`."""

    key: str
    value: bytes
    revision: int
    deleted: bool
    previous: Entry | None

    @property
    def entry(self) -> Entry:
        """The entry that a put left behind."""
        created = self.previous.created if self.previous else self.revision
        return Entry(self.key, self.value, self.revision, created)


@dataclass(frozen=True, slots=True)
class Commit:
    """What a transaction did. Without a change `revision` is the newest one and `events` empty."""

    revision: int
    events: tuple[Event, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """Entries in key order as of `revision`; `remaining` entries follow the last one."""

    entries: list[Entry] = field(default_factory=list)
    revision: int = 0
    remaining: int = 0


class Watch(Protocol):
    """Changes under a prefix in the order of revisions, each once, in whole transactions."""

    revision: int
    """Everything up to this revision has been handed out."""

    closed: bool
    """The watch has ended: nothing more will come."""

    async def next(self, timeout: float | None = None) -> list[Event]:
        """The changes since the last call; empty when `timeout` seconds pass without any.

        Raises Compacted when the reader was too slow and changes had to be dropped.
        """

    def close(self) -> None:
        """Ends the watch; a waiting `next` returns an empty list."""


class Store(Protocol):
    """A store; see the module's text for the two views."""

    @property
    def revision(self) -> int:
        """The newest committed revision."""

    def get(self, key: str) -> Entry | None: ...

    def list(self, prefix: str, *, after: str = "", limit: int = 0, at: int | None = None) -> Page:
        """Entries under `prefix` with keys greater than `after`, at most `limit` (0: all).

        With `at`, as they were when that revision was the newest. Raises Compacted, FutureRevision.
        """

    def latest(self, key: str) -> Entry | None: ...

    def latest_under(self, prefix: str) -> builtins.list[Entry]: ...

    async def settled(self) -> None:
        """Returns when everything in the latest view is committed. Raises Unavailable."""

    async def commit(self, txn: Txn) -> Commit:
        """Returns when the transaction survives a crash. Raises Mismatch, Unavailable."""

    def watch(self, prefix: str, after: int) -> Watch:
        """Changes with revisions greater than `after`. Raises Compacted, FutureRevision."""

    async def close(self) -> None: ...
