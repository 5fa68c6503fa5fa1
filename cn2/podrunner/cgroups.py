"""Memory and process limits of containers: version 1 control groups, where the host has them."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from cn2.api.kind import Object

ROOT = Path("/sys/fs/cgroup")
CONTROLLERS = ("memory", "pids")
PROCESSES = 4096
"""Processes and threads of one container: a fork bomb stays in its pod."""

_UNITS: dict[str, int | Decimal] = {
    "": 1,
    "m": Decimal("0.001"),
    "k": 10**3,
    "M": 10**6,
    "G": 10**9,
    "T": 10**12,
    "Ki": 1 << 10,
    "Mi": 1 << 20,
    "Gi": 1 << 30,
    "Ti": 1 << 40,
}


_QUANTITY = re.compile(r"([0-9]+(?:\.[0-9]*)?(?:[eE][0-9]+)?)([kMGTPE]i?|Ki|m)?")


def memory_limit(container: Object) -> int | None:
    """Bytes of resources.limits.memory, None without a limit. ValueError when it is no quantity."""
    limits = (container.get("resources") or {}).get("limits") or {}
    text = str(limits.get("memory") or "")
    if not text:
        return None
    match = _QUANTITY.fullmatch(text)
    if match is None or (match.group(2) or "") not in _UNITS:
        raise ValueError(f"memory limit {text!r} is not a quantity")
    return int(Decimal(match.group(1)) * _UNITS[match.group(2) or ""])


@dataclass(frozen=True, slots=True)
class Cgroups:
    """The groups of one data directory's pods: ROOT/CONTROLLER/cn2/UID/CONTAINER.ATTEMPT."""

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

    @contextlib.contextmanager
    def joined(self, uid: str, run: str, container: Object | None) -> Iterator[Sequence[int]]:
        """Descriptors of the `cgroup.procs` that a process of this run writes itself into.

        With `container` the groups are made and limited first; without it they are there.
        """
        opened: list[int] = []
        try:
            for controller in self.controllers:
                group = self._group(controller, uid, run)
                if container is not None:
                    group.mkdir(parents=True, exist_ok=True)
                    self._limit(group, controller, container)
                opened.append(os.open(group / "cgroup.procs", os.O_WRONLY | os.O_CLOEXEC))
            yield opened
        finally:
            for descriptor in opened:
                os.close(descriptor)

    def _limit(self, group: Path, controller: str, container: Object) -> None:
        if controller == "pids":
            (group / "pids.max").write_text(str(PROCESSES))
        elif (limit := memory_limit(container)) is not None:
            (group / "memory.limit_in_bytes").write_text(str(limit))

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
