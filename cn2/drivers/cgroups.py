"""Limits of containers by control groups, of version 2 or of version 1, as the host has them."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
CONTROLLERS = ("memory", "pids", "cpu")
PROCESSES = 4096
"""Processes and threads of one pod: a fork bomb stays in it."""

_CPU_PERIOD = 100_000
"""Microseconds over which a limit of processors counts."""
_POD = "pod"
"""Version 2: the group below the pod's of what has none of its own. Only leaves have processes."""


@dataclass(frozen=True, slots=True)
class Cgroups:
    """The groups of pods, cn2/UID, and of those of their containers' runs that have a limit of
    their own, CONTAINER.ATTEMPT below. Version 1 has them once per controller."""

    controllers: tuple[str, ...]
    """Those that can be used."""
    root: Path = ROOT
    unified: bool = False
    """Version 2."""

    @classmethod
    def found(cls, root: Path = ROOT) -> Cgroups:
        """With the controllers that this host has and lets us use."""
        if (root / "cgroup.controllers").exists():
            there = (root / "cgroup.controllers").read_text().split()
            writable = os.access(root / "cgroup.subtree_control", os.W_OK)
            usable = [name for name in CONTROLLERS if writable and name in there]
            return cls(tuple(usable), root, unified=True)
        usable = [
            name
            for name in CONTROLLERS
            if (root / name / "cgroup.procs").exists() and os.access(root / name, os.W_OK)
        ]
        return cls(tuple(usable), root)

    @property
    def missing(self) -> tuple[str, ...]:
        return tuple(name for name in CONTROLLERS if name not in self.controllers)

    def _hierarchy(self, controller: str) -> Path:
        return self.root / "cn2" if self.unified else self.root / controller / "cn2"

    @property
    def _hierarchies(self) -> tuple[Path, ...]:
        return tuple(dict.fromkeys(map(self._hierarchy, self.controllers)))

    def _group(self, controller: str, uid: str, run: str) -> Path:
        return self._hierarchy(controller) / uid / run.replace("/", ".")

    def make_pod(self, uid: str) -> list[Path]:
        """The groups of a whole pod, with its limit of processes: the `cgroup.procs` to join."""
        if self.unified and self.controllers:
            joinable = [self._make_unified(uid)]
        else:
            joinable = [self._hierarchy(name) / uid for name in self.controllers if name != "cpu"]
        for group in joinable:
            group.mkdir(parents=True, exist_ok=True)
        if "pids" in self.controllers:
            (self._hierarchy("pids") / uid / "pids.max").write_text(str(PROCESSES))
        return [group / "cgroup.procs" for group in joinable]

    def _make_unified(self, uid: str) -> Path:
        """Hands the controllers down, level by level. The leaf that the pod joins."""
        wanted = " ".join(f"+{name}" for name in self.controllers)
        pod = self.root / "cn2" / uid
        pod.mkdir(parents=True, exist_ok=True)
        for level in (self.root, self.root / "cn2", pod):
            (level / "cgroup.subtree_control").write_text(wanted)
        return pod / _POD

    def make(self, uid: str, run: str, *, memory: int | None, processors: float | None) -> None:
        """A group for one run (NAME/ATTEMPT) with limits of its own, of memory in bytes."""
        if memory is not None and "memory" in self.controllers:
            group = self._made(self._group("memory", uid, run))
            name = "memory.max" if self.unified else "memory.limit_in_bytes"
            (group / name).write_text(str(memory))
        if processors is not None and "cpu" in self.controllers:
            group = self._made(self._group("cpu", uid, run))
            quota = max(1000, int(processors * _CPU_PERIOD))
            if self.unified:
                (group / "cpu.max").write_text(f"{quota} {_CPU_PERIOD}")
            else:
                (group / "cpu.cfs_period_us").write_text(str(_CPU_PERIOD))
                (group / "cpu.cfs_quota_us").write_text(str(quota))

    def _made(self, group: Path) -> Path:
        group.mkdir(parents=True, exist_ok=True)
        return group

    @contextlib.contextmanager
    def joined(self, uid: str, run: str) -> Iterator[Sequence[int]]:
        """Descriptors of the `cgroup.procs` that a process of this run writes itself into; none
        when the run has no group of its own and stays in its pod's."""
        opened: list[int] = []
        try:
            for hierarchy in self._hierarchies:
                group = hierarchy / uid / run.replace("/", ".")
                if group.is_dir():
                    opened.append(os.open(group / "cgroup.procs", os.O_WRONLY | os.O_CLOEXEC))
            yield opened
        finally:
            for descriptor in opened:
                os.close(descriptor)

    def out_of_memory(self, uid: str, run: str) -> bool:
        """Whether the kernel killed something in this run's group for want of memory."""
        if "memory" not in self.controllers:
            return False
        name = "memory.events" if self.unified else "memory.oom_control"
        try:
            text = (self._group("memory", uid, run) / name).read_text()
        except OSError:
            return False
        return any(
            line.startswith("oom_kill ") and line != "oom_kill 0" for line in text.split("\n")
        )

    def remove(self, uid: str, run: str) -> None:
        """Removes one run's groups; a process that is still ending keeps its group for later."""
        for hierarchy in self._hierarchies:
            with contextlib.suppress(OSError):
                (hierarchy / uid / run.replace("/", ".")).rmdir()

    def remove_pod(self, uid: str) -> None:
        """Removes all groups of a pod, and the parent when it was the last."""
        for hierarchy in self._hierarchies:
            pod = hierarchy / uid
            with contextlib.suppress(OSError):
                for group in pod.iterdir():
                    if group.is_dir():
                        group.rmdir()
            with contextlib.suppress(OSError):
                pod.rmdir()
                pod.parent.rmdir()
