"""Copies of a store that are kept before its values are migrated."""

from __future__ import annotations

import os
import sqlite3
from collections import deque
from contextlib import closing
from pathlib import Path

from cn2.store import rows
from cn2.store.inspection import FILE_NAME, FORMAT, connect_unchanged, copies
from cn2.store.interface import StoreError

KEPT = 3


class NoRoom(StoreError):
    """The copy could not be written; the store was not touched."""


def keep(directory: Path, schema: str) -> Path:
    """Copies the store as it is before it follows `schema`; of all copies the newest few stay.

    The copy is whole or not there, has been read, is durable, and readable by its owner alone.
    Raises NoRoom, and sqlite3.DatabaseError of a store that is damaged.
    """
    target = directory / f"before-{schema}.db"
    fresh = target.with_suffix(".new")
    try:
        _copy(directory / FILE_NAME, fresh)
        _read(fresh)
        fresh.replace(target)
        _sync(directory)
    except (sqlite3.OperationalError, OSError) as error:
        fresh.unlink(missing_ok=True)
        raise NoRoom(
            f"The store in {directory} must be migrated, and no copy of it could be kept: {error}."
            f" Nothing was touched. Make room for {_mebibytes(directory)} MiB there and try again."
        ) from error
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
    for old in copies(directory)[KEPT:]:
        old.unlink()
    return target


def _copy(source: Path, fresh: Path) -> None:
    fresh.unlink(missing_ok=True)
    os.close(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    with closing(connect_unchanged(source)) as db:
        db.execute("VACUUM INTO ?", (str(fresh),))
    _sync(fresh)


def _read(copy: Path) -> None:
    with closing(connect_unchanged(copy)) as db:
        (version,) = db.execute("PRAGMA user_version").fetchone()
        if version == FORMAT:  # earlier ones have nothing to check by
            deque(rows.entries(db), maxlen=0)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _mebibytes(directory: Path) -> int:
    """Enough for a copy, rounded up."""
    size = sum(path.stat().st_size for path in directory.glob(FILE_NAME + "*"))
    return (size >> 20) + 1
