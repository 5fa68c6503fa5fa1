"""The arithmetic of disruption budgets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cn2.localkube.budgets import recheck_seconds, status_of

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def pod(name: str, *, ready: bool = True, owner: str = "", **metadata: Any) -> dict[str, Any]:
    owners = [{"uid": owner, "controller": True}] if owner else []
    return {
        "metadata": {"name": name, "ownerReferences": owners, **metadata},
        "status": {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": str(ready)}],
        },
    }


def status(spec: Any, *pods: Any, scale: int = 0, before: Any = None) -> dict[str, Any]:
    budget = {"metadata": {"generation": 4}, "spec": spec, "status": before or {}}
    return status_of(budget, pods, lambda _: scale, NOW)


@pytest.mark.parametrize(
    ("spec", "scale", "expected", "desired", "allowed"),
    [
        ({"minAvailable": 1}, 3, 3, 1, 2),
        ({"minAvailable": 5}, 3, 3, 5, 0),
        ({"minAvailable": "50%"}, 3, 3, 2, 1),
        ({"maxUnavailable": 1}, 3, 3, 2, 1),
        ({"maxUnavailable": "34%"}, 3, 3, 1, 2),
        ({"maxUnavailable": 1}, 5, 5, 4, 0),
        ({}, 3, 3, 0, 3),
    ],
)
def test_how_many_may_go(spec: Any, scale: int, expected: int, desired: int, allowed: int) -> None:
    found = status(spec, *(pod(name, owner="o") for name in "abc"), scale=scale)

    assert (found["expectedPods"], found["desiredHealthy"], found["disruptionsAllowed"]) == (
        expected,
        desired,
        allowed,
    )
    assert found["observedGeneration"] == 4


def test_the_unready_the_dying_and_the_just_evicted_are_not_healthy() -> None:
    pods = [pod("a", ready=False), pod("b", deletionTimestamp="x"), pod("c"), pod("d")]
    before = {"disruptedPods": {"c": "2025-12-31T23:59:30Z", "gone": "2025-12-31T23:59:30Z"}}
    found = status({"minAvailable": 1}, *pods, before=before)

    assert (found["currentHealthy"], found["disruptionsAllowed"]) == (1, 0)
    assert found["disruptedPods"] == {"c": "2025-12-31T23:59:30Z"}
    assert found["conditions"][0]["reason"] == "InsufficientPods"


def test_an_eviction_that_never_came_is_forgotten_after_two_minutes() -> None:
    before = {"disruptedPods": {"c": "2026-01-01T00:00:00Z"}}
    budget = {"metadata": {}, "spec": {"minAvailable": 0}, "status": before}
    later = NOW + timedelta(minutes=2)

    assert recheck_seconds(budget, NOW) == 120.0
    assert "disruptedPods" not in status_of(budget, [pod("c")], lambda _: 0, later)


def test_a_second_look_changes_nothing() -> None:
    first = status({"minAvailable": 1}, pod("a"))

    assert status({"minAvailable": 1}, pod("a"), before=first) == first
