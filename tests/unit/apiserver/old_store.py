"""A store as an older release left it, from the dump in tests/data."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from cn2.store.inspection import FILE_NAME

DUMP = Path(__file__).parents[2] / "data" / "store_format_1.sql"


def old_store(directory: Path) -> Path:
    """Makes the store's file in `directory` and returns it."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = directory / FILE_NAME
    database = sqlite3.connect(path)
    database.executescript(DUMP.read_text())
    database.execute("PRAGMA journal_mode = WAL")
    database.close()
    path.chmod(0o600)
    return path


def stored(path: Path) -> dict[str, tuple[bytes, int]]:
    """Value and revision of every key, read from the file."""
    database = sqlite3.connect(path)
    rows = database.execute("SELECT key, value, revision FROM current").fetchall()
    database.close()
    return {key: (value, revision) for key, value, revision in rows}
