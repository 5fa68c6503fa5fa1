"""Which Warnings doctor tells as troubles of the present."""

from __future__ import annotations

import pytest

from cn2.api.kind import Object
from cn2.cli.doctor.objects import warnings


def event(uid: str, reason: str, kind: str = "Pod") -> Object:
    on = {"kind": kind, "namespace": "default", "name": "web", "uid": uid}
    when = "2026-01-01T00:00:00Z"
    return {"type": "Warning", "involvedObject": on, "reason": reason, "lastTimestamp": when}


def pod(uid: str, ready: str) -> Object:
    condition = {"type": "Ready", "status": ready}
    return {"metadata": {"uid": uid}, "status": {"phase": "Running", "conditions": [condition]}}


PODS = [pod("well", "True"), pod("ill", "False")]


@pytest.mark.parametrize(
    ("told", "over"),
    [
        (event("well", "Unhealthy"), True),
        (event("well", "NoCommand"), False),
        (event("ill", "Unhealthy"), False),
        (event("gone", "NoCommand"), True),
        (event("any", "UnknownKeys", "NetworkAttachmentDefinition"), False),
    ],
)
def test_what_has_passed_is_over(told: Object, over: bool) -> None:
    assert [one["over"] for one in warnings([told], PODS)] == [over]


def test_a_name_that_a_new_pod_has_taken_tells_only_of_the_new_one() -> None:
    """As in a StatefulSet; and what is not over comes first."""
    events = [event("gone", "BackOff"), event("ill", "Unhealthy"), event("ill", "Unhealthy")]
    found = [(one["reason"], one["count"], one["over"]) for one in warnings(events, PODS)]
    assert found == [("Unhealthy", 2, False), ("BackOff", 1, True)]
