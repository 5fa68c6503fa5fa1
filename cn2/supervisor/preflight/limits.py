"""What this machine and this session allow: descriptors, inotify, processes, memory."""

from __future__ import annotations

import ctypes
import os
import re
import resource
from collections.abc import Iterator
from pathlib import Path

from cn2.supervisor.preflight.finding import Finding

_DESCRIPTORS = 1024
_PROCESSES = 100
_LITTLE_MEMORY = 512
"""MiB: an idle system takes about 200."""
_libc = ctypes.CDLL(None, use_errno=True)


def findings() -> Iterator[Finding]:
    """Which limits a system would soon meet."""
    _, descriptors = resource.getrlimit(resource.RLIMIT_NOFILE)
    if descriptors != resource.RLIM_INFINITY and descriptors < _DESCRIPTORS:
        yield Finding(
            f"A process may open {descriptors} files only", f"ulimit -n {_DESCRIPTORS} or more"
        )
    yield from _inotify()
    room = room_for_processes(Path("/proc/self/cgroup").read_text(), Path("/sys/fs/cgroup"))
    if room is not None and room < _PROCESSES:
        yield Finding(
            f"This control group has room for {room} more processes and threads",
            f"raise its pids.max by {_PROCESSES} or more",
        )
    available = re.search(r"^MemAvailable: +(\d+) kB", Path("/proc/meminfo").read_text(), re.M)
    if available and int(available[1]) >> 10 < _LITTLE_MEMORY:
        yield Finding(
            f"Only {int(available[1]) >> 10} MiB of memory are free, an idle system takes 200",
            "end something else",
            stops=False,
        )


def _inotify() -> Iterator[Finding]:
    descriptor = _libc.inotify_init1(os.O_CLOEXEC)
    if descriptor >= 0:
        os.close(descriptor)
        return
    yield Finding(
        f"No more inotify instances: {os.strerror(ctypes.get_errno())}",
        "sysctl fs.inotify.max_user_instances=1024",
    )


def room_for_processes(own: str, mounted: Path) -> int | None:
    """How many processes and threads the control group of a /proc/PID/cgroup still lets be made,
    with either version's hierarchy `mounted`; None without a limit."""
    for line in own.splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == "pids":
            group = mounted / "pids" / path.lstrip("/")
        elif controllers == "":
            group = mounted / path.lstrip("/")
        else:
            continue
        try:
            limit = (group / "pids.max").read_text().strip()
            current = (group / "pids.current").read_text()
        except OSError:
            continue
        if limit != "max":
            return int(limit) - int(current)
    return None
