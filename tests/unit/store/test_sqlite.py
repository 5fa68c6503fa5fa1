"""What the file on the disk adds: durability, recovery, privacy, refusal."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from cn2.store.directory import DirectoryInUse
from cn2.store.inspection import FILE_NAME, NewerStore, NotAStore
from cn2.store.interface import Delete, Put, Stamped, Txn, Unavailable
from cn2.store.sqlite import open_store


async def test_everything_is_there_after_a_restart_also_the_recent_past(tmp_path: Path) -> None:
    store = await open_store(tmp_path)
    await store.commit(Txn((Put("/a", b"1"), Put("/b", b"1"))))
    await store.commit(Txn((Put("/a", b"2"),)))
    await store.commit(Txn((Delete("/b", Stamped(b"gone ", b"")),)))
    before = await store.watch("/", 0).next()
    await store.close()

    again = await open_store(tmp_path)
    entry = again.get("/a")
    assert entry is not None
    assert (entry.value, entry.revision, entry.created) == (b"2", 2, 1)
    assert again.get("/b") is None
    assert again.revision == 3
    assert await again.watch("/", 0).next() == before
    assert [e.value for e in again.list("/", at=1).entries] == [b"1", b"1"]
    await again.close()


WRITER = """
import asyncio, sys
from pathlib import Path
from cn2.store.interface import Put, Txn
from cn2.store.sqlite import open_store

async def main():
    store = await open_store(Path(sys.argv[1]))
    async def write(writer):
        number = 0
        while True:
            await store.commit(Txn((Put(f"/{writer}", b"%d" % number),)))
            sys.stdout.write(f"{writer} {number}\n")
            sys.stdout.flush()
            number += 1
    await asyncio.gather(*(write(w) for w in range(4)))

asyncio.run(main())
"""


async def test_an_acknowledged_write_survives_kill_9(tmp_path: Path) -> None:
    writer = subprocess.Popen(  # noqa: ASYNC220
        [sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout is not None
    acknowledged: dict[str, int] = {}
    for line in writer.stdout:
        if not line.endswith("\n"):
            break  # the kill hit in the middle of it
        who, number = line.split()
        acknowledged[who] = int(number)
        if int(number) >= 20:
            os.kill(writer.pid, signal.SIGKILL)
    writer.wait()
    writer.stdout.close()

    store = await open_store(tmp_path)
    for who, number in acknowledged.items():
        entry = store.get(f"/{who}")
        assert entry is not None
        assert int(entry.value) >= number
    await store.close()


async def test_a_full_disk_fails_the_write_and_corrupts_nothing(tmp_path: Path) -> None:
    store = await open_store(tmp_path)
    await store.commit(Txn((Put("/a", b"1"),)))
    database = store._journal._journal._db  # type: ignore[attr-defined]
    pages = database.execute("PRAGMA page_count").fetchone()[0]
    database.execute(f"PRAGMA max_page_count = {pages}")

    big = Txn((Put("/a", bytes(1 << 20)),))
    results = await asyncio.gather(
        store.commit(big), store.commit(Txn((Put("/b", b"1"),))), return_exceptions=True
    )
    assert all(isinstance(result, Unavailable) for result in results)
    assert store.revision == 1
    latest = store.latest("/a")
    assert latest is not None
    assert latest.value == b"1"

    database.execute("PRAGMA max_page_count = 1073741823")
    commit = await store.commit(Txn((Put("/a", b"2"),)))
    assert commit.revision == 2
    await store.close()
    again = await open_store(tmp_path)
    assert again.revision == 2
    await again.close()


async def test_files_are_readable_by_their_owner_alone(tmp_path: Path) -> None:
    store = await open_store(tmp_path / "store")
    await store.commit(Txn((Put("/a", b"1"),)))

    assert stat.S_IMODE((tmp_path / "store").stat().st_mode) == 0o700
    modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in (tmp_path / "store").iterdir()}
    assert set(modes.values()) == {0o600}, modes
    await store.close()


async def test_a_directory_belongs_to_one_process_at_a_time(tmp_path: Path) -> None:
    store = await open_store(tmp_path)
    with pytest.raises(DirectoryInUse, match=str(os.getpid())):
        await open_store(tmp_path)
    await store.close()
    await (await open_store(tmp_path)).close()


async def test_a_newer_store_is_refused_untouched(tmp_path: Path) -> None:
    await (await open_store(tmp_path)).close()
    path = tmp_path / FILE_NAME
    database = sqlite3.connect(path)
    database.execute("PRAGMA journal_mode = DELETE")
    database.execute("PRAGMA user_version = 99")
    database.commit()
    database.close()
    before = path.read_bytes()

    with pytest.raises(NewerStore):
        await open_store(tmp_path)
    assert path.read_bytes() == before


async def test_a_foreign_file_is_refused_untouched(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    path.write_bytes(b"dear diary")

    with pytest.raises(NotAStore):
        await open_store(tmp_path)
    assert path.read_bytes() == b"dear diary"


async def test_the_log_is_cut_as_history_is_forgotten(tmp_path: Path) -> None:
    store = await open_store(tmp_path, max_events=10)
    for start in range(0, 1200, 100):
        await asyncio.gather(*(store.commit(Txn((Put(f"/{start + i}", b""),))) for i in range(100)))
    await store.close()
    database = sqlite3.connect(tmp_path / FILE_NAME)
    (rows,) = database.execute("SELECT count(*) FROM log").fetchone()
    database.close()

    assert rows < 300
    again = await open_store(tmp_path, max_events=10)
    assert len(await again.watch("/", again.revision - 5).next()) == 5
    await again.close()
