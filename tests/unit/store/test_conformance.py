"""What every store must do, run against each implementation."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from cn2.store.interface import (
    Absent,
    At,
    Compacted,
    Delete,
    Event,
    FutureRevision,
    Mismatch,
    Put,
    Stamped,
    Store,
    Txn,
)
from cn2.store.logged import memory_store
from cn2.store.sqlite import open_store

Opener = Callable[..., Awaitable[Store]]


@pytest.fixture(params=["memory", "sqlite"])
def opener(request: pytest.FixtureRequest, tmp_path: Path) -> Opener:
    if request.param == "memory":
        return memory_store
    return lambda **options: open_store(tmp_path / "store", **options)


@pytest.fixture
async def store(opener: Opener) -> AsyncIterator[Store]:
    opened = await opener()
    yield opened
    await opened.close()


def put(key: str, value: bytes, *conditions: Absent | At) -> Txn:
    return Txn((Put(key, value),), conditions)


def told(events: list[Event]) -> list[tuple[str, bytes, int, bool]]:
    return [(e.key, e.value, e.revision, e.deleted) for e in events]


async def test_a_put_is_read_back_with_its_revision(store: Store) -> None:
    commit = await store.commit(put("/a", b"1"))
    entry = store.get("/a")

    assert entry is not None
    assert (entry.value, entry.revision, entry.created) == (b"1", commit.revision, commit.revision)
    assert store.revision == commit.revision


async def test_created_stays_while_the_key_lives(store: Store) -> None:
    first = await store.commit(put("/a", b"1"))
    second = await store.commit(put("/a", b"2"))
    entry = store.get("/a")

    assert entry is not None
    assert (entry.created, entry.revision) == (first.revision, second.revision)


async def test_all_changes_of_a_transaction_share_one_revision(store: Store) -> None:
    before = store.revision
    await store.commit(Txn((Put("/a", b"1"), Put("/b", b"2"))))

    page = store.list("/")
    assert [(e.key, e.revision) for e in page.entries] == [("/a", before + 1), ("/b", before + 1)]


async def test_a_stamped_value_carries_its_own_revision(store: Store) -> None:
    commit = await store.commit(Txn((Put("/a", Stamped(b"<", b">")),)))
    entry = store.get("/a")

    assert entry is not None
    assert entry.value == b"<%d>" % commit.revision


async def test_a_failed_condition_changes_nothing(store: Store) -> None:
    await store.commit(put("/a", b"1"))
    revision = store.revision
    with pytest.raises(Mismatch):
        await store.commit(Txn((Put("/b", b"2"), Put("/a", b"2")), (Absent("/a"),)))
    with pytest.raises(Mismatch):
        await store.commit(put("/a", b"2", At("/a", revision + 7)))
    with pytest.raises(Mismatch):
        await store.commit(put("/c", b"2", At("/c", revision)))

    assert store.revision == revision
    assert store.get("/b") is None


async def test_of_two_concurrent_writers_with_one_condition_one_wins(store: Store) -> None:
    results = await asyncio.gather(
        *(store.commit(put("/a", b"%d" % i, Absent("/a"))) for i in range(8)),
        return_exceptions=True,
    )

    assert sum(isinstance(r, Mismatch) for r in results) == 7


async def test_the_latest_view_is_ahead_of_the_committed_one_until_settled(store: Store) -> None:
    writing = asyncio.ensure_future(store.commit(put("/a", b"1")))
    await asyncio.sleep(0)
    assert store.get("/a") is None
    latest = store.latest("/a")
    assert latest is not None
    assert [e.key for e in store.latest_under("/")] == ["/a"]

    await store.settled()
    assert store.get("/a") == latest
    await writing


async def test_a_caller_that_goes_away_does_not_disturb_the_others(store: Store) -> None:
    first = asyncio.ensure_future(store.commit(put("/a", b"1")))
    second = asyncio.ensure_future(store.commit(put("/b", b"1")))
    await asyncio.sleep(0)
    first.cancel()

    await second
    assert store.get("/a") is not None


async def test_lists_are_in_key_order_and_come_in_pages(store: Store) -> None:
    for key in ["/x/3", "/x/1", "/y/1", "/x/2", "/w"]:
        await store.commit(put(key, b""))

    first = store.list("/x/", limit=2)
    rest = store.list("/x/", after=first.entries[-1].key, limit=2)
    assert [e.key for e in first.entries] == ["/x/1", "/x/2"]
    assert (first.remaining, rest.remaining) == (1, 0)
    assert [e.key for e in rest.entries] == ["/x/3"]


async def test_a_list_can_be_taken_as_of_an_earlier_revision(store: Store) -> None:
    await store.commit(put("/x/1", b"old"))
    await store.commit(put("/x/2", b"old"))
    then = store.revision
    await store.commit(put("/x/1", b"new"))
    await store.commit(put("/x/1", b"newer"))
    await store.commit(Txn((Delete("/x/2"),)))
    await store.commit(put("/x/0", b"new"))

    page = store.list("/x/", at=then)
    assert [(e.key, e.value) for e in page.entries] == [("/x/1", b"old"), ("/x/2", b"old")]
    assert page.revision == then


async def test_a_revision_that_is_not_there_yet_is_refused(store: Store) -> None:
    with pytest.raises(FutureRevision):
        store.list("/", at=store.revision + 1)
    with pytest.raises(FutureRevision):
        store.watch("/", store.revision + 1)


async def test_deleting_what_is_not_there_is_no_change(store: Store) -> None:
    revision = store.revision
    commit = await store.commit(Txn((Delete("/a"),)))

    assert (commit.revision, commit.events) == (revision, ())


async def test_a_watch_sees_each_change_under_its_prefix_once_and_in_order(store: Store) -> None:
    await store.commit(put("/x/1", b"0"))
    watch = store.watch("/x/", store.revision)
    first = await store.commit(put("/x/1", b"1"))
    await store.commit(put("/y/1", b"1"))
    last = await store.commit(Txn((Delete("/x/1", Stamped(b"gone ", b"")), Put("/x/2", b"2"))))

    events = await watch.next()
    assert told(events) == [
        ("/x/1", b"1", first.revision, False),
        ("/x/1", b"gone %d" % last.revision, last.revision, True),
        ("/x/2", b"2", last.revision, False),
    ]
    assert [e.previous.value if e.previous else None for e in events] == [b"0", b"1", None]
    assert watch.revision == last.revision


async def test_a_watch_from_the_past_begins_with_what_was_missed(store: Store) -> None:
    start = store.revision
    await store.commit(put("/x/1", b"1"))
    await store.commit(put("/x/1", b"2"))

    events = await store.watch("/x/", start).next()
    assert [e.value for e in events] == [b"1", b"2"]


async def test_a_watch_with_nothing_to_tell_reports_how_far_it_is(store: Store) -> None:
    watch = store.watch("/x/", store.revision)
    await store.commit(put("/y", b""))

    assert await watch.next(timeout=0) == []
    assert watch.revision == store.revision


async def test_closing_a_watch_ends_its_reader(store: Store) -> None:
    watch = store.watch("/x/", store.revision)
    reader = asyncio.ensure_future(watch.next())
    await asyncio.sleep(0)
    watch.close()

    assert await reader == []


async def test_history_beyond_the_bound_is_compacted(opener: Opener) -> None:
    store = await opener(max_events=3)
    start = store.revision
    for i in range(5):
        await store.commit(put("/a", b"%d" % i))

    with pytest.raises(Compacted) as refused:
        store.watch("/", start)
    with pytest.raises(Compacted):
        store.list("/", at=start)
    assert refused.value.oldest == store.revision - 3
    assert len(await store.watch("/", refused.value.oldest).next()) == 3
    await store.close()


async def test_a_watch_that_lags_too_far_has_to_list_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cn2.store.watching.MAX_BACKLOG", 2)
    watch = store.watch("/", store.revision)
    for i in range(3):
        await store.commit(put("/a", b"%d" % i))

    with pytest.raises(Compacted):
        await watch.next()
