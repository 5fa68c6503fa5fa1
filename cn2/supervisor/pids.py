"""Who runs, written down so that a later command finds him: a pid and its start time."""

from __future__ import annotations

from pathlib import Path

from cn2.drivers.processes import start_time


def write_pid(path: Path, pid: int) -> None:
    """Record who runs, so that a later `cn2 down` finds him after a kill -9 of the supervisor."""
    path.write_text(f"{pid} {start_time(pid)}\n")


def read_pid(path: Path) -> int | None:
    """The pid recorded at `path` if that very process still runs."""
    try:
        pid, began = map(int, path.read_text().split())
    except (OSError, ValueError):
        return None
    return pid if start_time(pid) == began else None
