"""What lies in a store's directory, found out without changing a byte of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import msgspec

from cn2.store import schema
from cn2.store.interface import StoreError, Unavailable
from cn2.store.schema import Known, Record

FORMAT = 2
"""The tables' version. 1: no schema record; who knows only that must not open what has one."""
FILE_NAME = "cn2.db"
COPY_NAMES = "before-*.db"

_MAGIC = b"SQLite format 3\0"
_VERSION_AT = 60


class NewerStore(StoreError):
    """The store was written by a newer release; it was not touched."""


class NotAStore(StoreError):
    """The file is something else; it was not touched."""


class DamagedStore(StoreError):
    """The file cannot be read as what it once was."""


@dataclass(frozen=True, slots=True)
class Found:
    """A store that may be opened."""

    empty: bool
    record: Record | None

    def needs_migration(self, known: Known) -> bool:
        return not self.empty and not known.is_own(self.record)


def inspect(directory: Path, known: Known | None = None) -> Found:
    """Raises NotAStore, NewerStore, DamagedStore, Unavailable; their texts say what to do."""
    path = directory / FILE_NAME
    if not _has_tables(path):
        return Found(empty=True, record=None)
    with explained(directory, known), closing(connect_unchanged(path)) as db:
        found = _read(db)
    if known is not None and not known.reads(found.record):
        assert found.record is not None
        raise NewerStore(
            f"The store in {directory} was written by cn2 {found.record.release}"
            f" (schema {found.record.schema}); this is cn2 {known.release}, which knows no schema"
            f" later than {known.schemas[-1]}. Nothing was touched."
            f" Use cn2 {found.record.release} or later{_or_copy(directory, known)}"
        )
    return found


def obstacle(directory: Path, known: Known) -> str:
    """Why the store in `directory` cannot be opened, and what to do; "" when it can."""
    try:
        inspect(directory, known)
    except StoreError as error:
        return str(error)
    return ""


@contextmanager
def explained(directory: Path, known: Known | None) -> Iterator[None]:
    """Turns what SQLite says of a file into DamagedStore or Unavailable, with what to do."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise Unavailable(f"The store in {directory} cannot be read: {error}.") from error
    except (sqlite3.DatabaseError, msgspec.DecodeError) as error:
        raise DamagedStore(
            f"The store in {directory} is damaged ({error}): put back a backup of it, start with"
            f" another data directory{_or_copy(directory, known)}"
        ) from error


def copies(directory: Path) -> list[Path]:
    """The copies that were kept before migrations, newest first."""
    return sorted(directory.glob(COPY_NAMES), key=lambda path: path.stat().st_mtime, reverse=True)


def connect_unchanged(path: Path) -> sqlite3.Connection:
    """A connection that changes nothing of what is stored.

    Only when a change of format was cut off does SQLite write: it takes the change back.
    """
    if path.with_name(path.name + "-journal").exists():
        mode = "rw"
    elif _is_empty(path.with_name(path.name + "-wal")):
        mode = "ro&immutable=1"  # nothing to recover, so SQLite need not make files to look
    else:
        mode = "ro"
    return sqlite3.connect(f"file:{quote(str(path))}?mode={mode}", uri=True, isolation_level=None)


def _is_empty(path: Path) -> bool:
    return not path.exists() or path.stat().st_size == 0


def _has_tables(path: Path) -> bool:
    """Whether there is a database; refuses what is not ours by its first bytes alone."""
    try:
        with path.open("rb") as file:
            header = file.read(100)
    except (FileNotFoundError, NotADirectoryError):
        return False
    if header and not header.startswith(_MAGIC):
        raise NotAStore(f"{path} is not a store: choose another data directory.")
    version = int.from_bytes(header[_VERSION_AT : _VERSION_AT + 4], "big")
    if version > FORMAT:
        raise NewerStore(
            f"{path} has format {version}; this release knows {FORMAT}. Nothing was touched."
            " Use the release that wrote it, or another data directory."
        )
    return version > 0


def _read(db: sqlite3.Connection) -> Found:
    if db.execute("PRAGMA user_version").fetchone() == (0,):
        return Found(empty=True, record=None)  # its making was cut off
    empty = db.execute("SELECT 1 FROM current LIMIT 1").fetchone() is None
    row = db.execute("SELECT value FROM current WHERE key = ?", (schema.KEY,)).fetchone()
    return Found(empty, None if row is None else schema.decode(row[0]))


def _or_copy(directory: Path, known: Known | None) -> str:
    """The last part of a remedy: how to go back to the newest copy that can be read, if any."""
    copy = next((copy for copy in copies(directory) if _is_readable(copy, known)), None)
    if copy is None:
        return ""
    aside = directory.with_name(directory.name + ".aside")
    return (
        ", or go back to the copy that was kept before the last migration:"
        f" mv {directory} {aside} && install -D -m 600 {aside / copy.name} {directory / FILE_NAME}"
    )


def _is_readable(copy: Path, known: Known | None) -> bool:
    try:
        with closing(connect_unchanged(copy)) as db:
            found = _read(db)
    except sqlite3.Error:
        return False
    return known is None or known.reads(found.record)
