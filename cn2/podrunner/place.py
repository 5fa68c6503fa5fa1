"""Where a pod's things lie below the data directory. The layout is what a later pod runner adopts.

DIR/pods/UID/sandbox.json            what the pod runner must know again (cn2.podrunner.record)
DIR/pods/UID/init                    process 1: `pid start-time boot-id`, written by cn2-init
DIR/pods/UID/init.sock               its control socket
DIR/pods/UID/containers/NAME/N.log   output of the container's run number N, CRI format
DIR/pods/UID/containers/NAME/N.state start, end and exit code of that run
DIR/pods/UID/containers/NAME/N.spec  what was run, records as on the socket
DIR/netns/pod-UID                    the network namespace
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class PodPlace:
    """The files of one pod."""

    data_dir: Path
    uid: str

    @property
    def directory(self) -> Path:
        return self.data_dir / "pods" / self.uid

    @property
    def netns(self) -> Path:
        return self.data_dir / "netns" / f"pod-{self.uid}"

    @property
    def record(self) -> Path:
        return self.directory / "sandbox.json"

    @property
    def identity(self) -> Path:
        return self.directory / "init"

    def container(self, name: str) -> Path:
        return self.directory / "containers" / name

    def log(self, name: str, attempt: int) -> Path:
        return self.container(name) / f"{attempt}.log"

    def state(self, name: str, attempt: int) -> Path:
        return self.container(name) / f"{attempt}.state"

    def spec(self, name: str, attempt: int) -> Path:
        return self.container(name) / f"{attempt}.spec"
