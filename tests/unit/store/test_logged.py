"""What a store does when its journal fails."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from cn2.store.interface import Event, Put, Txn, Unavailable
from cn2.store.journal import Forgetful, JournalFailed, JournalLost
from cn2.store.logged import LoggedStore


class Failing(Forgetful):
    """Fails as it is told to."""

    failure: Exception | None = None

    async def append(self, events: Sequence[Event], floor: int) -> None:
        if self.failure is not None:
            raise self.failure


async def opened() -> tuple[LoggedStore, Failing]:
    journal = Failing()
    store = LoggedStore(journal, await journal.load())
    await store.commit(Txn((Put("/a", b"1"),)))
    return store, journal


async def test_a_failed_write_fails_all_that_may_build_on_it_and_leaves_no_trace() -> None:
    store, journal = await opened()
    watch = store.watch("/", store.revision)
    journal.failure = JournalFailed("disk full")
    results = await asyncio.gather(
        *(store.commit(Txn((Put("/a", b"%d" % i),))) for i in range(3)), return_exceptions=True
    )

    assert [str(r) for r in results] == ["disk full"] * 3
    assert all(isinstance(r, Unavailable) for r in results)
    assert store.latest("/a") == store.get("/a")
    assert await watch.next(timeout=0) == []
    journal.failure = None
    commit = await store.commit(Txn((Put("/a", b"2"),)))
    assert commit.revision == 2
    await store.close()


@pytest.mark.parametrize("failure", [JournalLost("I/O error"), RuntimeError("I/O error")])
async def test_a_write_of_unknown_outcome_stops_all_writes_but_no_reads(
    failure: Exception,
) -> None:
    """Also after an error that the journal did not foresee: its callers get an answer."""
    store, journal = await opened()
    journal.failure = failure
    with pytest.raises(Unavailable):
        await store.commit(Txn((Put("/a", b"2"),)))
    journal.failure = None
    with pytest.raises(Unavailable, match="cannot be trusted"):
        await store.commit(Txn((Put("/a", b"3"),)))
    with pytest.raises(Unavailable):
        await store.settled()

    entry = store.get("/a")
    assert entry is not None
    assert entry.value == b"1"
    assert "I/O error" in store.broken
    await store.close()


class Gated(Forgetful):
    """Writes when it is let."""

    def __init__(self) -> None:
        self.writing = asyncio.Event()
        self.gate = asyncio.Event()

    async def append(self, events: Sequence[Event], floor: int) -> None:
        self.writing.set()
        await self.gate.wait()


async def test_a_store_that_closes_ends_what_is_on_its_way_and_takes_nothing_more() -> None:
    journal = Gated()
    store = LoggedStore(journal, await journal.load())
    under_way = asyncio.create_task(store.commit(Txn((Put("/a", b"1"),))))
    await journal.writing.wait()
    closing = asyncio.create_task(store.close())
    await asyncio.sleep(0)

    with pytest.raises(Unavailable, match="closed"):
        await store.commit(Txn((Put("/b", b"1"),)))
    journal.gate.set()
    assert (await under_way).revision == 1
    await closing


async def test_a_closed_store_takes_nothing_more() -> None:
    store, _ = await opened()
    await store.close()
    with pytest.raises(Unavailable, match="closed"):
        await store.commit(Txn((Put("/a", b"2"),)))
