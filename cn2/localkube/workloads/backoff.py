"""How long a pod that failed is left alone before another one takes its place.

A pod that can never run (its node refuses it, say) fails at once; without a wait its controller
would make pods as fast as they fail.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from datetime import datetime

from cn2.api.access import text
from cn2.api.kind import Object
from cn2.localkube.workloads.ownership import is_deleting
from cn2.localkube.workloads.times import seconds_since

_FIRST, _LAST = 1.0, 300.0
"""Seconds: doubled with every failure from the first to the last."""
_CALM = 600.0
"""A pod that lived for so many seconds begins anew."""


def delay(failures: int, first: float = _FIRST, last: float = _LAST) -> float:
    """Seconds to wait after so many failures in a row."""
    return min(last, first * 2.0 ** min(failures - 1, 32)) if failures > 0 else 0.0


def seconds_to_retry(pods: Iterable[Object], now: datetime) -> float:
    """How long a set whose pods failed waits before it makes more, by the age of the latest."""
    failed = [
        seconds_since(text(pod, "metadata", "creationTimestamp"), now)
        for pod in pods
        if text(pod, "status", "phase") == "Failed" and not is_deleting(pod)
    ]
    recent = [age for age in failed if age < _CALM]
    return max(0.0, delay(len(recent)) - min(recent)) if recent else 0.0


@dataclass(slots=True)
class _Streak:
    uid: str
    count: int
    since: datetime


class Failures:
    """Failures in a row of the pods that take each other's place, by place."""

    def __init__(self) -> None:
        self._streaks: dict[Hashable, _Streak] = {}

    def seconds(self, place: Hashable, pod: Object, now: datetime) -> float:
        """How long the failed pod in this place stays."""
        uid = text(pod, "metadata", "uid")
        streak = self._streaks.get(place)
        if streak is None or streak.uid != uid:
            lived = seconds_since(text(pod, "metadata", "creationTimestamp"), now)
            count = 1 if streak is None or lived > _CALM else streak.count + 1
            streak = self._streaks[place] = _Streak(uid, count, now)
        return max(0.0, delay(streak.count) - (now - streak.since).total_seconds())

    def forget(self, owner: Hashable) -> None:
        """Drops the places (owner, ...) of an owner that is gone."""
        for place in [p for p in self._streaks if isinstance(p, tuple) and p[0] == owner]:
            del self._streaks[place]
