"""Pods that fail at once are no storm."""

from datetime import UTC, datetime, timedelta

import pytest

from cn2.localkube.workloads import backoff

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def pod(uid, seconds_ago, phase="Failed"):
    born = (NOW - timedelta(seconds=seconds_ago)).isoformat()
    return {"metadata": {"uid": uid, "creationTimestamp": born}, "status": {"phase": phase}}


@pytest.mark.parametrize(
    ("ages", "wait"), [([], 0), ([0], 1), ([5], 0), ([9, 5, 1], 3), ([700, 700, 0], 1)]
)
def test_a_set_waits_twice_as_long_with_each_recent_failure(ages, wait):
    pods = [pod(str(age), age) for age in ages] + [pod("well", 0, "Running")]

    assert backoff.seconds_to_retry(pods, NOW) == wait


def test_the_longest_wait_is_five_minutes():
    assert backoff.seconds_to_retry([pod(str(n), 0) for n in range(50)], NOW) == 300


def test_one_place_counts_its_failures_by_pod():
    failures = backoff.Failures()

    assert failures.seconds("web-0", pod("a", 0), NOW) == 1
    assert failures.seconds("web-0", pod("a", 0), NOW + timedelta(seconds=1)) == 0
    assert failures.seconds("web-0", pod("b", 0), NOW) == 2
    assert failures.seconds("web-1", pod("c", 0), NOW) == 1
    assert failures.seconds("web-0", pod("d", 1000), NOW) == 1
