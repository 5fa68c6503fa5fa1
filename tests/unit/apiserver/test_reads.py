"""Lists, pages, selectors and watches."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"
PODS = "/api/v1/namespaces/default/pods"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
PARTIAL = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json"


async def fill(api: Any, *names: str, **labels: str) -> None:
    for name in names:
        await api.create(CONFIG_MAPS, {"metadata": {"name": name, "labels": labels}})


def names(listed: Any) -> list[str]:
    return [item["metadata"]["name"] for item in listed["items"]]


async def test_a_list_carries_the_revision_from_which_to_watch(api) -> None:
    await fill(api, "b", "a")
    listed = await api.get(CONFIG_MAPS)

    assert (listed["kind"], listed["apiVersion"]) == ("ConfigMapList", "v1")
    assert names(listed) == ["a", "b"]
    assert listed["metadata"]["resourceVersion"] == str(api.backend.store.revision)


async def test_namespaces_are_apart_and_together(api) -> None:
    await fill(api, "a")
    await api.create("/api/v1/namespaces/kube-system/configmaps", {"metadata": {"name": "b"}})

    assert names(await api.get(CONFIG_MAPS)) == ["a"]
    assert names(await api.get("/api/v1/configmaps")) == ["a", "b"]


async def test_pages_show_one_and_the_same_past(api) -> None:
    await fill(api, "a", "b", "c", "d", "e")
    first = await api.get(f"{CONFIG_MAPS}?limit=2")
    await fill(api, "bb", "z")
    await api("DELETE", f"{CONFIG_MAPS}/d")
    second = await api.get(f"{CONFIG_MAPS}?limit=2&continue={first['metadata']['continue']}")
    third = await api.get(f"{CONFIG_MAPS}?limit=2&continue={second['metadata']['continue']}")

    assert [names(page) for page in (first, second, third)] == [["a", "b"], ["c", "d"], ["e"]]
    assert first["metadata"]["remainingItemCount"] == 3
    assert "continue" not in third["metadata"]
    assert len({page["metadata"]["resourceVersion"] for page in (first, second, third)}) == 1


async def test_a_page_of_a_past_that_is_gone_is_expired(api) -> None:
    await fill(api, "a", "b", "c")
    first = await api.get(f"{CONFIG_MAPS}?limit=1")
    for i in range(250):
        await api.merge(f"{CONFIG_MAPS}/a", {"data": {"x": str(i)}})
    answered = await api("GET", f"{CONFIG_MAPS}?continue={first['metadata']['continue']}")

    assert (answered.status, answered.reason) == (410, "Expired")
    assert (await api("GET", f"{CONFIG_MAPS}?continue=nonsense")).status == 400
    both = f"continue={first['metadata']['continue']}&resourceVersion=5"
    assert (await api("GET", f"{CONFIG_MAPS}?{both}")).status == 400


async def test_a_revision_can_be_asked_for_exactly_or_at_least(api) -> None:
    await fill(api, "a")
    then = api.backend.store.revision
    await fill(api, "b")
    exact = await api.get(f"{CONFIG_MAPS}?resourceVersion={then}&resourceVersionMatch=Exact")
    newer = await api.get(f"{CONFIG_MAPS}?resourceVersion={then}")
    any_ = await api.get(f"{CONFIG_MAPS}?resourceVersion=0")
    future = await api("GET", f"{CONFIG_MAPS}?resourceVersion={then + 99}")

    assert (names(exact), exact["metadata"]["resourceVersion"]) == (["a"], str(then))
    assert names(newer) == names(any_) == ["a", "b"]
    assert future.status == 504


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("app=x", ["a"]),
        ("app==x", ["a"]),
        ("app!=x", ["b", "c"]),
        ("app in (x, y)", ["a", "b"]),
        ("app notin (x)", ["b", "c"]),
        ("app", ["a", "b"]),
        ("!app", ["c"]),
        ("app,tier=1", ["a"]),
        ("tier>0", ["a", "b"]),
        ("tier>1", ["b"]),
    ],
)
async def test_labels_select(api, selector: str, expected: list[str]) -> None:
    await fill(api, "a", app="x", tier="1")
    await fill(api, "b", app="y", tier="2")
    await fill(api, "c")
    answer = await api.get(f"{CONFIG_MAPS}?labelSelector={selector.replace('=', '%3D')}")

    assert names(answer) == expected


async def test_fields_select_and_unknown_ones_are_refused(api) -> None:
    spec = {"containers": [{"name": "c", "image": "i"}]}
    await api.create(PODS, {"metadata": {"name": "a"}, "spec": {**spec, "nodeName": "n1"}})
    await api.create(PODS, {"metadata": {"name": "b"}, "spec": spec})

    assert names(await api.get(f"{PODS}?fieldSelector=metadata.name%3Db")) == ["b"]
    assert names(await api.get(f"{PODS}?fieldSelector=spec.nodeName%3Dn1")) == ["a"]
    assert names(await api.get(f"{PODS}?fieldSelector=spec.nodeName%3D")) == ["b"]
    assert names(await api.get(f"{PODS}?fieldSelector=status.phase!%3DRunning")) == ["a", "b"]
    refused = await api("GET", f"{PODS}?fieldSelector=spec.nonsense%3D1")
    assert (refused.status, refused.message) == (400, "field label not supported: spec.nonsense")
    assert (await api("GET", f"{PODS}?labelSelector=a%3D%3D%3Db")).status == 400


async def test_a_limit_counts_what_is_selected(api) -> None:
    await fill(api, "a", "c", "e", app="x")
    await fill(api, "b", "d")
    first = await api.get(f"{CONFIG_MAPS}?limit=2&labelSelector=app")
    rest = await api.get(
        f"{CONFIG_MAPS}?limit=2&labelSelector=app&continue={first['metadata']['continue']}"
    )

    assert [names(first), names(rest)] == [["a", "c"], ["e"]]


async def test_tables_and_metadata_alone_are_served_when_asked_for(api) -> None:
    await fill(api, "a")
    table = await api.get(CONFIG_MAPS, accept=TABLE)
    one = await api.get(f"{CONFIG_MAPS}/a", accept=TABLE)
    partial = await api.get(CONFIG_MAPS, accept=PARTIAL)

    assert table["kind"] == one["kind"] == "Table"
    assert table["rows"][0]["cells"][0] == "a"
    assert partial["kind"] == "PartialObjectMetadataList"
    assert set(partial["items"][0]) == {"kind", "apiVersion", "metadata"}
    assert (await api("GET", CONFIG_MAPS, accept="text/html")).status == 406


async def test_a_watch_tells_of_each_change_after_its_revision(api) -> None:
    await fill(api, "old")
    watch = await api.watch(f"{CONFIG_MAPS}?resourceVersion={api.backend.store.revision}")
    await fill(api, "a")
    await api.merge(f"{CONFIG_MAPS}/a", {"data": {"x": "1"}})
    await api("DELETE", f"{CONFIG_MAPS}/a")

    assert await watch.told(3) == [("ADDED", "a"), ("MODIFIED", "a"), ("DELETED", "a")]
    await watch.close()


async def test_a_watch_from_no_revision_begins_with_what_is_there(api) -> None:
    await fill(api, "a", "b")
    watch = await api.watch(CONFIG_MAPS)
    await fill(api, "c")

    assert await watch.told(3) == [("ADDED", "a"), ("ADDED", "b"), ("ADDED", "c")]
    await watch.close()


async def test_initial_events_end_with_a_bookmark_that_says_so(api) -> None:
    await fill(api, "a")
    watch = await api.watch(
        f"{CONFIG_MAPS}?sendInitialEvents=true&resourceVersionMatch=NotOlderThan"
        "&allowWatchBookmarks=true"
    )
    assert await watch.told(1) == [("ADDED", "a")]
    bookmark = await watch.next()

    assert bookmark["type"] == "BOOKMARK"
    assert bookmark["object"]["metadata"] == {
        "resourceVersion": str(api.backend.store.revision),
        "creationTimestamp": None,
        "annotations": {"k8s.io/initial-events-end": "true"},
    }
    await watch.close()


async def test_an_object_enters_and_leaves_a_selection(api) -> None:
    await fill(api, "a")
    revision = api.backend.store.revision
    watch = await api.watch(f"{CONFIG_MAPS}?labelSelector=app&resourceVersion={revision}")
    url = f"{CONFIG_MAPS}/a"
    await api.merge(url, {"metadata": {"labels": {"app": "x"}}})
    await api.merge(url, {"metadata": {"labels": {"app": "y"}}})
    gone = await api.merge(url, {"metadata": {"labels": {"app": None}}})
    await api.merge(url, {"data": {"unseen": "1"}})
    await api.merge(url, {"metadata": {"labels": {"app": "x"}}})
    await api("DELETE", url)

    assert await watch.told(2) == [("ADDED", "a"), ("MODIFIED", "a")]
    left = await watch.next()
    assert (left["type"], left["object"]["metadata"]["labels"]) == ("DELETED", {"app": "y"})
    assert left["object"]["metadata"]["resourceVersion"] == gone["metadata"]["resourceVersion"]
    assert await watch.told(2) == [("ADDED", "a"), ("DELETED", "a")]
    await watch.close()


async def test_a_watch_of_tables_tells_in_rows(api) -> None:
    await fill(api, "a")
    watch = await api.watch(CONFIG_MAPS, accept=TABLE)
    event = await watch.next()

    assert (event["type"], event["object"]["kind"]) == ("ADDED", "Table")
    assert event["object"]["rows"][0]["cells"][0] == "a"
    await watch.close()


async def test_a_watch_ends_at_its_timeout_with_a_bookmark(api, monkeypatch) -> None:
    revision = api.backend.store.revision
    monkeypatch.setattr("cn2.apiserver.watches._seconds", lambda _: 0.01)
    watch = await api.watch(f"{CONFIG_MAPS}?resourceVersion={revision}&allowWatchBookmarks=true")

    assert (await watch.next())["type"] == "BOOKMARK"
    with pytest.raises(StopAsyncIteration):
        await watch.next()


async def test_bookmarks_come_by_themselves(api, monkeypatch) -> None:
    monkeypatch.setattr("cn2.apiserver.watches.BOOKMARK_SECONDS", 0.01)
    watch = await api.watch(f"{CONFIG_MAPS}?allowWatchBookmarks=true")

    assert (await watch.next())["type"] == "BOOKMARK"
    await watch.close()


async def test_a_watch_from_a_forgotten_revision_has_to_list_again(api) -> None:
    await fill(api, "a")
    then = api.backend.store.revision
    for i in range(250):
        await api.merge(f"{CONFIG_MAPS}/a", {"data": {"x": str(i)}})
    answered = await api("GET", f"{CONFIG_MAPS}?watch=1&resourceVersion={then}")

    assert (answered.status, answered.reason) == (410, "Expired")
    assert answered.message.startswith(f"too old resource version: {then}")


async def test_a_watcher_that_lags_too_far_is_told_so_and_ended(api, monkeypatch) -> None:
    monkeypatch.setattr("cn2.store.watching.MAX_BACKLOG", 1)
    watch = await api.watch(f"{CONFIG_MAPS}?resourceVersion={api.backend.store.revision}")
    await fill(api, "a", "b")
    event = await watch.next()

    assert (event["type"], event["object"]["code"]) == ("ERROR", 410)
    with pytest.raises(StopAsyncIteration):
        await watch.next()


async def test_a_watcher_that_leaves_before_the_first_event_is_forgotten(api, monkeypatch) -> None:
    opened = []
    watch = api.backend.store.watch
    monkeypatch.setattr(
        type(api.backend.store), "watch", lambda _, *how: opened.append(watch(*how)) or opened[-1]
    )
    reader = await api.watch(CONFIG_MAPS)
    await reader.close()

    assert [one.closed for one in opened] == [True]


async def test_watches_end_in_good_order_when_the_server_stops(api) -> None:
    watch = await api.watch(f"{CONFIG_MAPS}?resourceVersion={api.backend.store.revision}")
    reader = asyncio.ensure_future(watch.next())
    await asyncio.sleep(0)
    api.kernel.end_watches()

    with pytest.raises(StopAsyncIteration):
        await reader


async def test_what_is_on_its_way_to_the_disk_is_not_shown(api) -> None:
    writing = asyncio.ensure_future(api("POST", CONFIG_MAPS, {"metadata": {"name": "a"}}))
    await asyncio.sleep(0)
    seen = await api("GET", f"{CONFIG_MAPS}/a")

    assert seen.status == 404
    await writing
    await api.get(f"{CONFIG_MAPS}/a")


async def test_an_object_is_served_as_the_bytes_that_are_stored(api) -> None:
    await fill(api, "a")
    answer = await api.ask("GET", f"{CONFIG_MAPS}/a")
    entry = api.backend.store.get("/registry/core/configmaps/default/a")

    assert answer.body is entry.value
    assert json.loads(answer.body)["metadata"]["resourceVersion"] == str(entry.revision)
