"""Processes known by more than a pid, which the kernel gives away again."""

from __future__ import annotations

from pathlib import Path


def start_time(pid: int) -> int | None:
    """Start of a process in clock ticks since boot; None for one that is gone or a zombie."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()  # the name before it may contain anything
    return None if fields[0] in "ZX" else int(fields[19])


def boot_id() -> str:
    """What this boot of the machine is called."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
