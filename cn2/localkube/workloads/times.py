"""Times as the API has them: RFC 3339 in UTC, whole seconds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    return datetime.now(UTC)


def stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parsed(text: str) -> datetime | None:
    """The moment that a time of the API names; None for an empty or malformed one."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def seconds_since(text: str, now: datetime) -> float:
    """Seconds from a time of the API to `now`; 0 for one that is no time."""
    moment = parsed(text)
    return (now - moment).total_seconds() if moment else 0.0
