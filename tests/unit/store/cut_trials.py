"""Run under cut.so: the same work cut off at every call that changes a file, one after another.

`python cut_trials.py TRIAL MODE FIRST STEP DIRECTORY`: every STEP-th moment from FIRST on; prints
how many there were. A trial's work runs in a fork that dies or finishes; then it is judged.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import shutil
import sqlite3
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path

from old_store import old_store, stored

from cn2.apiserver import keys, migration
from cn2.apiserver.backend import Backend
from cn2.store import inspection, schema
from cn2.store.inspection import FILE_NAME
from cn2.store.interface import Delete, Put, StoreError, Txn
from cn2.store.logged import LoggedStore
from cn2.store.sqlite import open_store

MODES = {"kill": 1, "tear": 2, "fail": 3}
CUT = 3
"""Exit code of work that met a full disk and came through."""
WRITES = (
    Txn((Put("/a", b"1"), Put("/b", b"1"))),
    Txn((Put("/a", b"2" * 9000), Delete("/b"))),
    Txn((Put("/c", b"3"),)),
)
"""After the first n of them the store is STATES[n]."""
STATES = ({}, {"/a": b"1", "/b": b"1"}, {"/a": b"2" * 9000}, {"/a": b"2" * 9000, "/c": b"3"})

Acknowledge = Callable[[bytes], object]
Work = Callable[[Path, Acknowledge], Coroutine[None, None, None]]


async def commits(directory: Path, acknowledge: Acknowledge) -> None:
    """Some commits on a new store; a full disk refuses them, and there is room again later."""
    try:
        store = await open_store(directory)
    except StoreError:
        disarm()
        store = await open_store(directory)
    for txn in WRITES:
        try:
            await store.commit(txn)
        except StoreError:
            disarm()
            if store.broken:
                return
            assert await _view(store) in STATES
            await store.commit(txn)
        acknowledge(b"!")
    await store.close()


async def judge_commits(directory: Path, acknowledged: int) -> None:
    store = await open_store(directory)
    view = await _view(store)
    assert view in STATES[acknowledged : acknowledged + 2], (acknowledged, view)
    assert len(await store.watch("/", 0).next(timeout=0)) == sum(
        len(txn.changes) for txn in WRITES[: store.revision]
    )
    await store.commit(Txn((Put("/after", b""),)))
    await store.close()


async def migrating(directory: Path, acknowledge: Acknowledge) -> None:
    """A store of an older release is opened, and opened again once there is room."""
    for _ in range(2):
        try:
            await _migrate(directory)
        except StoreError:
            disarm()
            found = stored(directory / FILE_NAME)
            assert found == BEFORE or schema.KEY in found


async def judge_migrating(directory: Path, acknowledged: int) -> None:
    await _migrate(directory)
    after = stored(directory / FILE_NAME)
    assert after.pop(schema.KEY)
    assert all(b"fabricSNAT" in v for k, (v, _) in after.items() if "/virtualnetworks/" in k)
    (copy,) = inspection.copies(directory)
    assert stored(copy) == BEFORE
    assert {name for name in directory.iterdir() if name.suffix == ".new"} == set()
    for key, (value, revision) in BEFORE.items():
        if key.startswith(keys.CLAIM_FAMILIES):
            assert after[key] == (value, revision)


async def _migrate(directory: Path) -> None:
    store = await open_store(directory, migration.KNOWN)
    try:
        await migration.run(Backend(store=store))
    finally:
        await store.close()


async def _view(store: LoggedStore) -> dict[str, bytes]:
    return {entry.key: entry.value for entry in store.list("/").entries}


def _small(path: Path) -> None:
    """Few objects that lack a default, and whatever belongs to them."""
    kept = ("/registry/%/virtualnetworks/%", "/registry/k8s.cni%", "/wants/%")
    kept += ("/claims/virtual-network-id-pool/%", "/holders/VirtualNetwork/%")
    database = sqlite3.connect(path, isolation_level=None)
    others = " AND ".join("key NOT LIKE ?" for _ in kept)
    database.execute(f"DELETE FROM current WHERE {others}", kept)
    database.execute(
        "UPDATE current SET value = CAST(json_remove(CAST(value AS TEXT), '$.spec.fabricSNAT')"
        " AS BLOB) WHERE key LIKE '/registry/%/virtualnetworks/%'"
    )
    database.execute("VACUUM")
    database.close()


def disarm() -> None:
    ctypes.CDLL(None).cut_disarm()


def _cut_off(work: Work, mode: str, after: int, at: Path) -> tuple[int, int]:
    """Runs the work in a fork; how it ended, and how much it had acknowledged."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        where = os.fsencode(at)
        ctypes.CDLL(None).cut_arm(MODES[mode], after, where)
        asyncio.run(work(at, lambda said: os.write(writing, said)))
        os._exit(CUT if ctypes.CDLL(None).cut_left() < 0 else 0)
    os.close(writing)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    with os.fdopen(reading, "rb") as said:
        return code, len(said.read())


TRIALS = {"commits": (commits, judge_commits), "migrating": (migrating, judge_migrating)}
BEFORE: dict[str, tuple[bytes, int]] = {}


def main(trial: str, mode: str, first: int, step: int, directory: Path) -> None:
    work, judge = TRIALS[trial]
    origin = directory / "origin"
    origin.mkdir()
    if trial == "migrating":
        _small(old_store(origin))
        BEFORE.update(stored(origin / FILE_NAME))
    moment, code = first, -1
    while code != 0:
        at = directory / "store"
        shutil.copytree(origin, at)
        code, acknowledged = _cut_off(work, mode, moment, at)
        assert code in (0, CUT, -9), (moment, code)
        asyncio.run(judge(at, acknowledged))
        shutil.rmtree(at)
        moment += step
    print(moment - step)


main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), Path(sys.argv[5]))
