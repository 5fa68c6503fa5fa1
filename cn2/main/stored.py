"""Looks into the store itself: a system that is down has no API to ask."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec

from cn2.api.kind import Object
from cn2.api.kinds import by_name
from cn2.apiserver import keys
from cn2.store.inspection import FILE_NAME, connect_unchanged, inspect
from cn2.store.interface import StoreError


def secrets(store: Path) -> list[Object]:
    """Every Secret that is stored; none when there is no store. Raises ValueError for one that
    can't be read."""
    prefix = keys.under(by_name("Secret"))
    try:
        if inspect(store).empty:
            return []
        with closing(connect_unchanged(store / FILE_NAME)) as db:
            found = db.execute(
                "SELECT value FROM current WHERE key >= ? AND key < ?", (prefix, prefix + "\x7f")
            ).fetchall()
        return [msgspec.json.decode(value) for (value,) in found]
    except (StoreError, sqlite3.Error, msgspec.DecodeError) as error:
        raise ValueError(str(error).rstrip(".")) from error
