"""Processor time and memory: of the machine, of a system's processes, and of everybody else."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")
_IDLE = slice(3, 5)
"""In /proc/stat: idle, and waiting for a disk."""


def _fields(pid: int) -> list[str]:
    """/proc/PID/stat from the state on (proc(5), field 3)."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def used(pid: int) -> float:
    """Processor seconds of a process and of its children that have ended."""
    return sum(int(one) for one in _fields(pid)[11:15]) / _TICK


def resident(pid: int) -> float:
    """Memory of a process in MiB, shared pages counted in proportion (PSS)."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    raise ValueError(f"no Pss for {pid}")


def used_by(processes: Mapping[str, int]) -> dict[str, float]:
    """Name -> processor seconds, of name -> process id."""
    return {name: used(pid) for name, pid in processes.items()}


def _busy() -> float:
    numbers = [int(one) for one in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return (sum(numbers) - sum(numbers[_IDLE])) / _TICK


def _family(root: int) -> Iterator[int]:
    """A process and all that descend from it."""
    parents: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            parents.setdefault(int(_fields(int(path.name))[1]), []).append(int(path.name))
        except OSError:
            continue
    waiting = [root]
    while waiting:
        pid = waiting.pop()
        yield pid
        waiting += parents.get(pid, [])


def _ours(roots: tuple[int, ...]) -> float:
    total = sum(
        sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    for root in roots:
        for pid in _family(root):
            try:
                total += used(pid)
            except OSError:
                continue
    return total


@dataclass
class Others:
    """How many processors other work on this machine keeps busy, from its making on."""

    roots: tuple[int, ...] = ()
    """Whose processes are ours, besides this one and its children."""

    def __post_init__(self) -> None:
        self._began, self._busy, self._own = time.monotonic(), _busy(), _ours(self.roots)

    def processors(self) -> float:
        passed = time.monotonic() - self._began
        return max(0.0, (_busy() - self._busy - _ours(self.roots) + self._own) / passed)
