"""Equal events are counted, floods are thinned, nobody waits."""

import asyncio
from datetime import UTC, datetime

from kube_server import serving, status, until

from cn2.api.kinds import EVENT
from cn2.client.events import EventLog, Events, reference

NOW = datetime(2026, 1, 1, tzinfo=UTC)
POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "p", "namespace": "ns", "uid": "u"},
}


def record(log, message="m", tick=0.0, reason="r"):
    return log.record(reference(POD), "Normal", reason, message, now=NOW, tick=tick)


def test_equal_events_are_one_series_with_a_count():
    log = EventLog()

    first = record(log)
    again = record(log)

    assert again is first
    assert first.count == 2


def test_another_message_is_another_event_of_another_name():
    log = EventLog()

    assert record(log, "a").name != record(log, "b").name


def test_a_flood_of_one_reason_is_thinned_and_does_not_hide_another():
    log = EventLog(burst=3, refill=0.1)

    written = [record(log, str(number)) is not None for number in range(5)]

    assert written == [True, True, True, False, False]
    assert record(log, reason="other") is not None
    assert record(log, tick=10.0) is not None


async def test_what_is_emitted_arrives_with_its_source_and_part():
    async with serving() as (kube, client):
        events = Events(client, "kubelet", host="minikube")
        events.emit(POD, "Normal", "Pulled", "image", field_path="spec.containers{app}")
        await events.flush()

        event = kube.all(EVENT)[0]
        assert event["source"] == {"component": "kubelet", "host": "minikube"}
        assert event["involvedObject"] == {
            "apiVersion": "v1",
            "kind": "Pod",
            "name": "p",
            "namespace": "ns",
            "uid": "u",
            "fieldPath": "spec.containers{app}",
        }
        assert event["metadata"]["namespace"] == "ns"
        assert event["count"] == 1


async def test_repeats_raise_the_count_of_the_same_object():
    async with serving() as (kube, client):
        events = Events(client, "x")
        events.emit(POD, "Normal", "r", "m")
        await events.flush()
        events.emit(POD, "Normal", "r", "m")
        events.emit(POD, "Normal", "r", "m")
        await events.flush()

        assert [event["count"] for event in kube.all(EVENT)] == [3]
        assert len(kube.writes()) == 2


async def test_an_expired_event_is_made_anew():
    async with serving() as (kube, client):
        events = Events(client, "x")
        events.emit(POD, "Normal", "r", "m")
        await events.flush()
        kube.remove(EVENT, kube.all(EVENT)[0]["metadata"]["name"], "ns")
        events.emit(POD, "Normal", "r", "m")
        await events.flush()

        assert [event["count"] for event in kube.all(EVENT)] == [2]


async def test_a_refused_event_does_not_end_the_recorder():
    async with serving() as (kube, client):
        kube.failures = [status(403, "Forbidden", "terminating")]
        events = Events(client, "x")
        task = asyncio.create_task(events.run())
        events.emit(POD, "Normal", "r", "refused")
        events.emit(POD, "Normal", "r", "written")
        await until(lambda: kube.all(EVENT))

        assert [event["message"] for event in kube.all(EVENT)] == ["written"]
        task.cancel()


async def test_events_about_cluster_scoped_objects_are_in_default():
    async with serving() as (kube, client):
        events = Events(client, "x")
        events.emit({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}}, "N", "r", "m")
        await events.flush()

        assert kube.all(EVENT)[0]["metadata"]["namespace"] == "default"
