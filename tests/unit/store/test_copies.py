"""Copies kept before a migration, and what a damaged store says."""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
from pathlib import Path

import pytest

from cn2.store import copies, inspection, schema
from cn2.store.inspection import FILE_NAME, DamagedStore
from cn2.store.interface import Entry, Put, StoreError, Txn
from cn2.store.schema import Known, Record
from cn2.store.sqlite import open_store


async def filled(directory: Path, release: str = "1") -> None:
    """A store whose record names schema s1."""
    store = await open_store(directory)
    record = schema.encode(Record("s1", 0, release))
    values = [Put(f"/{number}", os.urandom(1000)) for number in range(50)]
    await store.commit(Txn((Put(schema.KEY, record), *values)))
    await store.close()


async def test_a_copy_is_made_of_what_lies_in_the_journal_too(tmp_path: Path) -> None:
    store = await open_store(tmp_path)
    await store.commit(Txn((Put("/a", b"1"),)))
    assert (tmp_path / f"{FILE_NAME}-wal").stat().st_size > 0

    database = sqlite3.connect(copies.keep(tmp_path, "s2"))
    assert database.execute("SELECT key, value FROM current").fetchall() == [("/a", b"1")]
    database.close()
    await store.close()


async def test_a_few_copies_are_kept_the_newest(tmp_path: Path) -> None:
    await filled(tmp_path)
    for number in range(copies.KEPT + 2):
        made = copies.keep(tmp_path, f"s{number}")
        os.utime(made, (number, number))

    kept = {path.name for path in inspection.copies(tmp_path)}
    assert kept == {f"before-s{number}.db" for number in range(2, copies.KEPT + 2)}


async def test_the_same_schema_means_no_copy_an_older_one_does(tmp_path: Path) -> None:
    await filled(tmp_path)
    await (await open_store(tmp_path, Known(("s0", "s1"), "1"))).close()
    assert inspection.copies(tmp_path) == []
    await (await open_store(tmp_path, Known(("s0", "s1", "s2"), "2"))).close()
    assert [path.name for path in inspection.copies(tmp_path)] == ["before-s2.db"]


async def test_whatever_is_damaged_is_noticed(tmp_path: Path) -> None:
    """A page of zeros, or one bit, anywhere in the file: what was there, or a refusal."""
    await filled(tmp_path)
    path = tmp_path / FILE_NAME
    whole = path.read_bytes()
    right = await _entries(tmp_path)
    noticed = 0
    for page in range(0, len(whole), 4096):
        bit = page + random.Random(page).randrange(4096)
        zeros = whole[:page] + bytes(4096) + whole[page + 4096 :]
        flipped = whole[:bit] + bytes((whole[bit] ^ 4,)) + whole[bit + 1 :]
        for spoilt in (zeros, flipped):
            path.write_bytes(spoilt)
            try:
                assert await _entries(tmp_path) == right
            except StoreError:
                noticed += 1
    assert noticed >= len(whole) / 4096


async def test_a_damaged_store_is_refused_untouched_with_the_way_back(tmp_path: Path) -> None:
    directory = tmp_path / "store"
    await filled(directory)
    copies.keep(directory, "s2")
    path = directory / FILE_NAME
    spoilt = path.read_bytes().replace(b"schema", b"shemac")
    path.write_bytes(spoilt)

    with pytest.raises(DamagedStore, match="is damaged") as refusal:
        await open_store(directory, Known(("s1",), "1"))
    assert path.read_bytes() == spoilt

    way_back = str(refusal.value).partition("last migration: ")[2]
    subprocess.run(["bash", "-c", way_back], check=True)  # noqa: ASYNC221
    assert len(await _entries(directory)) == 51


async def _entries(directory: Path) -> list[Entry]:
    store = await open_store(directory)
    try:
        return store.list("/").entries
    finally:
        await store.close()


async def test_a_store_cut_short_is_refused(tmp_path: Path) -> None:
    await filled(tmp_path)
    path = tmp_path / FILE_NAME
    path.write_bytes(path.read_bytes()[: 4096 * 3])
    with pytest.raises(DamagedStore):
        await open_store(tmp_path)
