"""Who runs, written down so that a later command finds him: a pid and its start time."""

from __future__ import annotations

from pathlib import Path


def start_time(pid: int) -> str:
    """The kernel's start time of a process: with the pid, its identity across pid reuse."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    return text.rpartition(")")[2].split()[19]


def write_pid(path: Path, pid: int) -> None:
    """Record who runs, so that a later `cn2 down` finds him after a kill -9 of the supervisor."""
    path.write_text(f"{pid} {start_time(pid)}\n")


def read_pid(path: Path) -> int | None:
    """The pid recorded at `path` if that very process still runs."""
    try:
        pid, began = path.read_text().split()
    except (OSError, ValueError):
        return None
    return int(pid) if start_time(int(pid)) == began else None
