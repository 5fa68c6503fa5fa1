"""Conditions of a workload's status. Pure: lists go in, lists come out."""

from __future__ import annotations

from collections.abc import Iterable

from cn2.api.access import text
from cn2.api.kind import Object


def condition_of(conditions: Iterable[Object], type_: str) -> Object:
    """The condition of a type, {} when there is none."""
    return next((entry for entry in conditions if text(entry, "type") == type_), {})


def without_condition(conditions: Iterable[Object], type_: str) -> list[Object]:
    return [entry for entry in conditions if text(entry, "type") != type_]


def with_condition(conditions: list[Object], wanted: Object, now: str) -> list[Object]:
    """The conditions with `wanted` (type, status, reason, message) last; as they are where status
    and reason are the same. A transition is a change of the status."""
    have = condition_of(conditions, wanted["type"])
    if have and all(text(have, key) == wanted[key] for key in ("status", "reason")):
        return conditions
    since = now
    if have and text(have, "status") == wanted["status"]:
        since = text(have, "lastTransitionTime") or now
    entry = {**wanted, "lastTransitionTime": since}
    return [*without_condition(conditions, wanted["type"]), entry]
