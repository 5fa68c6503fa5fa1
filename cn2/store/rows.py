"""Rows of the tables, with a checksum each: SQLite sees damage of its own structure only."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterator
from typing import Any

from cn2.store.interface import Entry, Event

Row = tuple[Any, ...]


def current_row(event: Event) -> Row:
    """What `current` holds after a put."""
    entry = event.entry
    values = (entry.key, entry.value, entry.revision, entry.created)
    return (*values, checksum(*values))


def log_row(event: Event) -> Row:
    """What undoes a change."""
    last = event.value if event.deleted else None
    before = event.previous
    previous = (before.value, before.revision, before.created) if before else (None, None, None)
    values = (event.revision, event.key, last, *previous)
    return (*values, checksum(*values))


def entries(db: sqlite3.Connection) -> Iterator[Entry]:
    """Everything in `current`. Raises DatabaseError for a row that is not what was written."""
    for row in db.execute("SELECT key, value, revision, created, checksum FROM current"):
        yield Entry(*_verified(row))


def undo_records(db: sqlite3.Connection) -> Iterator[Row]:
    """revision, key, last, previous value, revision, created; newest first. Raises as above."""
    rows = db.execute(
        "SELECT revision, key, last, previous, previous_revision, previous_created, checksum"
        " FROM log ORDER BY revision DESC, key DESC"
    )
    return map(_verified, rows)


def checksum(*values: object) -> int:
    """CRC-32 of text, bytes, numbers and NULLs in this order."""
    found = 0
    for value in values:
        piece = value if isinstance(value, bytes) else str(value).encode()
        found = zlib.crc32(piece, found)
    return found


def _verified(row: Row) -> Row:
    *values, given = row
    # Rows of format 1 have none.
    if given is not None and given != checksum(*values):
        raise sqlite3.DatabaseError(f"a row is not what was written, key {row[0]!r}")
    return tuple(values)
