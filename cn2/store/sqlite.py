"""The journal in one SQLite file, and the store on top of it.

`current` holds every key as it is. `log` holds the recent past as undo records: what each change
replaced. What a change wrote needs no second copy: it is in `current`, or in the undo record of
the next change of the same key.

`synchronous=FULL` in WAL mode: a commit returns after fdatasync, so what was acknowledged survives
kill -9 and power loss. The format of the tables is SQLite's `user_version`, which lies at a fixed
place of the file, so that a newer file is recognised without opening it.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from cn2.store import copies, inspection, rows
from cn2.store.directory import DirectoryLock
from cn2.store.inspection import FILE_NAME, FORMAT
from cn2.store.interface import Entry, Event
from cn2.store.journal import JournalFailed, JournalFull, JournalLost, Loaded
from cn2.store.logged import LoggedStore
from cn2.store.schema import Known
from cn2.store.window import MAX_EVENTS

_CUT_STEP = 1_000
"""Revisions that may lie below the floor before the log is cut."""

_SCHEMA = f"""
CREATE TABLE current(
    key TEXT PRIMARY KEY, value BLOB NOT NULL, revision INTEGER NOT NULL, created INTEGER NOT NULL,
    checksum INTEGER                               -- NULL in rows of format 1
) WITHOUT ROWID;
CREATE TABLE log(
    revision INTEGER NOT NULL, key TEXT NOT NULL,
    last BLOB,                                     -- of a deletion: what watchers are told
    previous BLOB, previous_revision INTEGER, previous_created INTEGER,
    checksum INTEGER,
    PRIMARY KEY(revision, key)
) WITHOUT ROWID;
CREATE TABLE progress(one INTEGER PRIMARY KEY CHECK (one = 1), revision INTEGER, floor INTEGER);
INSERT INTO progress VALUES (1, 0, 0);
PRAGMA user_version = {FORMAT};
"""

_FROM_FORMAT_1 = f"""
ALTER TABLE current ADD COLUMN checksum INTEGER;
ALTER TABLE log ADD COLUMN checksum INTEGER;
PRAGMA user_version = {FORMAT};
"""

T = TypeVar("T")


class SqliteJournal:
    """A `Journal` in one SQLite file. All SQL runs in one thread of its own."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sqlite")
        self._cut = 0
        self._db: sqlite3.Connection

    async def load(self) -> Loaded:
        try:
            return await self._in_thread(self._load)
        except BaseException:
            self._thread.shutdown()
            raise

    async def append(self, events: Sequence[Event], floor: int) -> None:
        await self._in_thread(lambda: self._append(events, floor))

    async def close(self) -> None:
        await self._in_thread(self._db.close)
        self._thread.shutdown()

    async def _in_thread(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)

    def _load(self) -> Loaded:
        self._db = _open(self._path)
        try:
            return self._read()
        except BaseException:
            self._db.close()
            raise

    def _read(self) -> Loaded:
        revision, floor = self._db.execute("SELECT revision, floor FROM progress").fetchone()
        self._cut = floor
        entries = list(rows.entries(self._db))
        if any(entry.revision > revision for entry in entries):
            raise sqlite3.DatabaseError(f"there are changes later than revision {revision}")
        return Loaded(entries, self._load_events(entries), revision, floor)

    def _load_events(self, entries: Iterable[Entry]) -> list[Event]:
        newer: dict[str, Entry | None] = {entry.key: entry for entry in entries}
        events = []
        for record in rows.undo_records(self._db):
            revision, key, last, value, previous_revision, created = record
            before = None if value is None else Entry(key, value, previous_revision, created)
            after = newer.get(key)
            written = last if last is not None else after.value if after is not None else b""
            events.append(Event(key, written, revision, last is not None, before))
            newer[key] = before
        events.reverse()
        return events

    def _append(self, events: Sequence[Event], floor: int) -> None:
        revision = events[-1].revision
        try:
            self._db.execute("BEGIN IMMEDIATE")
            self._write(events)
            if floor - self._cut >= _CUT_STEP:
                self._db.execute("DELETE FROM log WHERE revision <= ?", (floor,))
                self._db.execute("UPDATE progress SET floor = ?", (floor,))
            self._db.execute("UPDATE progress SET revision = ?", (revision,))
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            self._recover(error, revision)
        if floor - self._cut >= _CUT_STEP:
            self._cut = floor

    def _write(self, events: Sequence[Event]) -> None:
        self._db.executemany(
            "INSERT INTO log VALUES (?, ?, ?, ?, ?, ?, ?)",
            [rows.log_row(event) for event in events],
        )
        # The last change of a key in the group decides what `current` holds.
        final = {event.key: event for event in events}.values()
        self._db.executemany(
            "INSERT OR REPLACE INTO current VALUES (?, ?, ?, ?, ?)",
            [rows.current_row(event) for event in final if not event.deleted],
        )
        self._db.executemany(
            "DELETE FROM current WHERE key = ?", [(e.key,) for e in final if e.deleted]
        )

    def _recover(self, error: sqlite3.Error, revision: int) -> None:
        """After a failed commit: the file itself says whether it happened after all."""
        try:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            (stored,) = self._db.execute("SELECT revision FROM progress").fetchone()
        except sqlite3.Error as second:
            raise JournalLost(f"{error}; then {second}") from error
        if stored == revision:
            return
        if getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_FULL or not _room(self._path):
            why = f"no space left on the file system of {self._path.parent}"
            raise JournalFull(f"{why}: make room there, and writing goes on") from error
        raise JournalFailed(str(error)) from error


def _room(path: Path) -> int:
    """Bytes that may still be written beside `path`."""
    found = os.statvfs(path)
    return found.f_bavail * found.f_frsize


def _open(path: Path) -> sqlite3.Connection:
    """Opens the file or makes it, readable by its owner alone."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=32)
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if version != FORMAT:
        # Not in WAL mode: the format must be in the file itself, where older releases look.
        db.execute("PRAGMA journal_mode = DELETE")
        made = _SCHEMA if version == 0 else _FROM_FORMAT_1
        db.executescript(f"BEGIN;{made}COMMIT;")
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("PRAGMA journal_size_limit = 16777216")
    return db


class _LockedJournal:
    """A journal that gives its directory back when it is closed."""

    def __init__(self, journal: SqliteJournal, lock: DirectoryLock) -> None:
        self._journal = journal
        self._lock = lock
        self.load = journal.load
        self.append = journal.append

    async def close(self) -> None:
        await self._journal.close()
        self._lock.release()


async def open_store(
    directory: Path, known: Known | None = None, *, max_events: int = MAX_EVENTS
) -> LoggedStore:
    """Opens the store in `directory`, making it when there is none.

    When its values follow an older schema than the last that is `known`, a copy is kept first.
    Raises DirectoryInUse, NewerStore, NotAStore, DamagedStore, NoRoom, Unavailable; nothing is
    changed then.
    """
    lock = DirectoryLock(directory)
    try:
        found = inspection.inspect(directory, known)
        journal = _LockedJournal(SqliteJournal(directory / FILE_NAME), lock)
        with inspection.explained(directory, known):
            if known is not None and found.needs_migration(known):
                await asyncio.to_thread(copies.keep, directory, known.schemas[-1])
            loaded = await journal.load()
    except BaseException:
        lock.release()
        raise
    return LoggedStore(journal, loaded, max_events=max_events)
