"""Memory and process limits of containers: version 1 control groups, where the host has them."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
CONTROLLERS = ("memory", "pids")
PROCESSES = 4096
"""Processes and threads of one pod: a fork bomb stays in it."""


@dataclass(frozen=True, slots=True)
class Cgroups:
    """The groups of pods, ROOT/CONTROLLER/cn2/UID, and of those of their containers' runs that
    have a limit of their own, CONTAINER.ATTEMPT below."""

    controllers: tuple[str, ...]
    root: Path = ROOT

    @classmethod
    def found(cls, root: Path = ROOT) -> Cgroups:
        """With the controllers that this host has as version 1 hierarchies and lets us use."""
        usable = [
            name
            for name in CONTROLLERS
            if (root / name / "cgroup.procs").exists() and os.access(root / name, os.W_OK)
        ]
        return cls(tuple(usable), root)

    @property
    def missing(self) -> tuple[str, ...]:
        return tuple(name for name in CONTROLLERS if name not in self.controllers)

    def _group(self, controller: str, uid: str, run: str) -> Path:
        return self.root / controller / "cn2" / uid / run.replace("/", ".")

    def make_pod(self, uid: str) -> list[Path]:
        """The groups of a whole pod, with its limit of processes: the `cgroup.procs` to join."""
        joinable = []
        for controller in self.controllers:
            group = self.root / controller / "cn2" / uid
            group.mkdir(parents=True, exist_ok=True)
            if controller == "pids":
                (group / "pids.max").write_text(str(PROCESSES))
            joinable.append(group / "cgroup.procs")
        return joinable

    def make(self, uid: str, run: str, memory: int) -> None:
        """A group for one run (NAME/ATTEMPT) with a limit of memory in bytes of its own."""
        if "memory" in self.controllers:
            group = self._group("memory", uid, run)
            group.mkdir(parents=True, exist_ok=True)
            (group / "memory.limit_in_bytes").write_text(str(memory))

    @contextlib.contextmanager
    def joined(self, uid: str, run: str) -> Iterator[Sequence[int]]:
        """Descriptors of the `cgroup.procs` that a process of this run writes itself into; none
        when the run has no group of its own and stays in its pod's."""
        opened: list[int] = []
        try:
            for controller in self.controllers:
                group = self._group(controller, uid, run)
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
        try:
            text = (self._group("memory", uid, run) / "memory.oom_control").read_text()
        except OSError:
            return False
        return any(
            line.startswith("oom_kill ") and line != "oom_kill 0" for line in text.split("\n")
        )

    def remove(self, uid: str, run: str) -> None:
        """Removes one run's groups; a process that is still ending keeps its group for later."""
        for controller in self.controllers:
            with contextlib.suppress(OSError):
                self._group(controller, uid, run).rmdir()

    def remove_pod(self, uid: str) -> None:
        """Removes all groups of a pod, and the parent when it was the last."""
        for controller in self.controllers:
            pod = self.root / controller / "cn2" / uid
            with contextlib.suppress(OSError):
                for group in pod.iterdir():
                    if group.is_dir():
                        group.rmdir()
            with contextlib.suppress(OSError):
                pod.rmdir()
                pod.parent.rmdir()
