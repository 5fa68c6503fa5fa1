"""Cron schedules: five fields or a descriptor such as @daily. A thin layer over cronsim."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

_DESCRIPTORS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_ANY_TIME = datetime(2000, 1, 1)


def expression(schedule: str) -> str:
    """The five fields of a schedule. Raises ValueError with what is wrong."""
    text = schedule.strip()
    if text.startswith("@every"):
        raise ValueError('@every is not supported: write five fields, e.g. "*/5 * * * *"')
    if text.startswith("@"):
        if text not in _DESCRIPTORS:
            raise ValueError(f"unrecognized descriptor: {text}")
        return _DESCRIPTORS[text]
    fields = text.replace("?", "*").split()
    if len(fields) != 5:
        raise ValueError(f"expected exactly 5 fields, found {len(fields)}: [{text}]")
    joined = " ".join(fields)
    try:
        CronSim(joined, _ANY_TIME)
    except (CronSimError, ValueError) as error:
        raise ValueError(str(error)) from error
    return joined


def zone(name: str) -> tzinfo:
    """The time zone of this name. Raises ValueError when there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"unknown time zone {name}") from error


def times_after(schedule: str, after: datetime) -> Iterator[datetime]:
    """The times of a schedule later than `after`, in its zone; the first comes first."""
    return iter(CronSim(expression(schedule), after))


def times_before(schedule: str, before: datetime) -> Iterator[datetime]:
    """The times of a schedule earlier than `before`, in its zone; the last comes first."""
    return iter(CronSim(expression(schedule), before, reverse=True))
