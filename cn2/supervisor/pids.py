"""Who runs, written down so that a later command finds him.

A pid alone says little: the kernel gives it away again. With its start and the boot it is one
process for ever.
"""

from __future__ import annotations

from pathlib import Path

from cn2.drivers.processes import boot_id, start_time


def write_pid(path: Path, pid: int) -> None:
    """Record who runs, so that a later `cn2 down` finds him after a kill -9 of the supervisor."""
    path.write_text(f"{pid} {start_time(pid)} {boot_id()}\n")


def read_pid(path: Path) -> int | None:
    """The pid recorded at `path` if that very process still runs."""
    try:
        pid, began, boot = path.read_text().split()
        alive = boot == boot_id() and start_time(int(pid)) == int(began)
    except (OSError, ValueError):
        return None
    return int(pid) if alive else None
