"""Where everything of one system lives: one data directory, nothing outside it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

DEFAULT_DATA_DIR = Path("/var/lib/cn2")


@dataclass(frozen=True, slots=True)
class Layout:
    """The paths of one system. Several systems with several data directories run side by side."""

    root: Path

    @property
    def kubeconfig(self) -> Path:
        return self.root / "kubeconfig"

    @property
    def pki(self) -> Path:
        return self.root / "pki"

    @property
    def etc(self) -> Path:
        return self.root / "etc"

    @property
    def store(self) -> Path:
        return self.root / "store"

    @property
    def run(self) -> Path:
        return self.root / "run"

    @property
    def log(self) -> Path:
        return self.root / "log"

    @property
    def netns(self) -> Path:
        return self.root / "netns"

    @property
    def bpf(self) -> Path:
        return self.root / "bpf"

    @property
    def pods(self) -> Path:
        return self.root / "pods"

    @property
    def nodes(self) -> Path:
        return self.root / "nodes"

    @property
    def lock(self) -> Path:
        return self.run / "supervisor.lock"

    @property
    def socket(self) -> Path:
        """The supervisor's own HTTP socket."""
        return self.run / "supervisor.sock"

    @property
    def settings(self) -> Path:
        """The options that the system was brought up with."""
        return self.etc / "system.json"

    @property
    def fabric_netns(self) -> Path:
        return self.netns / "fabric"

    def node_netns(self, node: str) -> Path:
        return self.netns / f"node-{node}"

    def node(self, node: str) -> Path:
        return self.nodes / node

    def health_socket(self, process: str) -> Path:
        return self.run / f"{process}.sock"

    def log_file(self, process: str) -> Path:
        return self.log / f"{process}.log"

    def pid_file(self, process: str) -> Path:
        return self.run / f"{process}.pid"

    def component_kubeconfig(self, component: str) -> Path:
        return self.etc / f"{component}.kubeconfig"

    @property
    def used(self) -> bool:
        """Whether a system was started here, as far as this user may know: `cn2 up` opens this log
        before all else."""
        try:
            return self.log_file("supervisor").exists()
        except PermissionError:
            return False

    @property
    def untouched(self) -> bool:
        """Whether nothing is here, or what a `cn2 up` leaves that was killed at its first step."""
        if not self.root.exists():
            return True
        return all(path == self.log and not any(path.iterdir()) for path in self.root.iterdir())

    def make(self) -> None:
        """Create the directories, readable by their owner alone."""
        for path in (
            self.root,
            self.pki,
            self.etc,
            self.store,
            self.run,
            self.log,
            self.netns,
            self.bpf,
            self.pods,
            self.nodes,
        ):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.chmod(0o700)


def write_private(path: Path, data: bytes) -> None:
    """Write a file as a whole, durably, readable by its owner alone."""
    temporary = path.with_name(path.name + ".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
