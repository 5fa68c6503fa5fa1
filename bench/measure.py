"""Figures, and what they are made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured quantity. `peer` is the same quantity of the peer in the same run."""

    what: str
    value: float
    unit: str
    peer_name: str = ""
    peer: float | None = None

    @property
    def ratio(self) -> float | None:
        return self.value / self.peer if self.peer else None


def percentile(values: Sequence[float], percent: float) -> float:
    """The value below which `percent` of 100 lie (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def median(values: Sequence[float]) -> float:
    return percentile(values, 50)


def spread(what: str, seconds: Sequence[float]) -> list[Figure]:
    """p50 and p99 of durations, in milliseconds."""
    return [
        Figure(f"{what}, p{percent}", percentile(seconds, percent) * 1000, "ms")
        for percent in (50, 99)
    ]
