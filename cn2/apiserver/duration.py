"""Ages in the form of Kubernetes' HumanDuration, which `kubectl get` shows as AGE."""

from __future__ import annotations

from datetime import datetime, timedelta


def human_duration(age: timedelta) -> str:
    """An age in one or two units: `13s`, `2m45s`, `26h`, `2d7h`."""
    seconds = int(age.total_seconds())
    if seconds < -1:
        return "<invalid>"
    if seconds < 0:
        return "0s"
    if seconds < 120:
        return f"{seconds}s"
    minutes, hours = seconds // 60, seconds // 3600
    if minutes < 10:
        return _two(minutes, "m", seconds % 60, "s")
    if minutes < 180:
        return f"{minutes}m"
    if hours < 8:
        return _two(hours, "h", minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    days = hours // 24
    if hours < 24 * 8:
        return _two(days, "d", hours % 24, "h")
    if days < 365 * 2:
        return f"{days}d"
    if days < 365 * 8:
        return _two(days // 365, "y", days % 365, "d")
    return f"{days // 365}y"


def _two(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large}{large_unit}{small}{small_unit}" if small else f"{large}{large_unit}"


def age(timestamp: str, now: datetime) -> str:
    """The age of an RFC 3339 time; `<unknown>` without one, `<invalid>` when it is none."""
    if not timestamp:
        return "<unknown>"
    try:
        return human_duration(now - datetime.fromisoformat(timestamp.replace("Z", "+00:00")))
    except (ValueError, TypeError):
        return "<invalid>"
