"""kill -9 of a system's processes, at seeded moments at which they have work to do."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cut_client import Credentials, CutClient, NotAsked
from history import History
from load import CONFIG_MAPS, Load
from machine import PATIENCE, Machine
from sockets import is_ready
from work import intervals, is_waiting

from cn2.supervisor.layout import Layout
from cn2.supervisor.pids import read_pid

CONTROLLERS = ("controller", "kubemanager", "localkube")
PROCESSES = ("apiserver", *CONTROLLERS, "agent", "podrunner")
_DELAY = 0.01
"""Seconds between the moment at which work is seen and the kill, at most."""
_ANSWER = 0.01
"""Seconds in which a plugin that has its answer ends."""


@dataclass(slots=True)
class Kill:
    """One kill, and what the process had in its hands."""

    process: str
    at: float
    """Monotonic seconds."""
    revision: int = 0
    """Of a controller: the store's newest afterwards. Whatever the process wrote is not later."""
    children: int = 0
    """CNI plugins that waited for the agent; whatever children the pod runner waited for."""


class Killer:
    """Kills, and counts the kills that have hit work under way."""

    def __init__(self, machine: Machine, load: Load, history: History, seed: int) -> None:
        self.kills: list[Kill] = []
        self._layout = Layout(machine.data_dir)
        self._load = load
        self._history = history
        self._chance = random.Random(seed)
        self._client = CutClient(Credentials(machine.data_dir / "kubeconfig"))
        self._began = time.monotonic()

    def round(self) -> list[str]:
        """Every process once, in a seeded order."""
        return self._chance.sample(PROCESSES, len(PROCESSES))

    def kill(self, process: str) -> None:
        """Wait until `process` is ready and has work, and kill it a moment later."""
        deadline = time.monotonic() + PATIENCE
        while (kill := self._try(process)) is None:
            assert time.monotonic() < deadline, f"{process} never had work under way"
            time.sleep(0.002)
        if process in CONTROLLERS:
            kill.revision = self._revision()
        self.kills.append(kill)
        print(f"  {kill.at - self._began:7.3f} s  kill -9 {process}")

    def kill_helper(self, process: str) -> None:
        """The supervisor or its template, which have no requests: at once."""
        supervisor = read_pid(self._layout.pid_file("supervisor"))
        assert supervisor is not None
        if process == "template":
            pid = next(child for child in children(supervisor) if "template" in command(child))
        else:
            pid = supervisor
        os.kill(pid, signal.SIGKILL)
        print(f"  {time.monotonic() - self._began:7.3f} s  kill -9 {process}")

    def hits(self) -> dict[str, int]:
        """By process, the kills that hit work under way, as far as is known by now."""
        found = dict.fromkeys(PROCESSES, 0)
        work = {process: list(intervals(process, self._history)) for process in CONTROLLERS}
        for kill in self.kills:
            if kill.process == "apiserver":
                hit = any(cut.began < kill.at < cut.ended for cut in self._load.cuts)
            elif kill.process in CONTROLLERS:
                hit = any(begin <= kill.revision < end for begin, end in work[kill.process])
            else:
                hit = kill.children > 0
            found[kill.process] += hit
        return found

    def _try(self, process: str) -> Kill | None:
        pid = read_pid(self._layout.pid_file(process))
        if pid is None or not is_ready(self._layout.health_socket(process)):
            return None
        if not self._has_work(process):
            return None
        time.sleep(self._chance.uniform(0, _DELAY))
        if process == "agent":
            # Held still, so that only plugins that really wait for it are left.
            os.kill(pid, signal.SIGSTOP)
            time.sleep(_ANSWER)
        if not self._has_work(process):
            os.kill(pid, signal.SIGCONT)
            return None
        kill = Kill(process, time.monotonic(), children=len(self._held(process)))
        os.kill(pid, signal.SIGKILL)
        return kill

    def _has_work(self, process: str) -> bool:
        if process in CONTROLLERS:
            return is_waiting(process, self._history) and self._is_served()
        return process == "apiserver" or bool(self._held(process))

    def _held(self, process: str) -> list[int]:
        """Children of the pod runner that wait for `process`, or that it waits for."""
        runner = read_pid(self._layout.pid_file("podrunner"))
        if runner is None or process not in ("agent", "podrunner"):
            return []
        plugin = "contrail-k8s-cni" if process == "agent" else ""
        return [child for child in children(runner) if plugin in command(child)]

    def _is_served(self) -> bool:
        try:
            return self._client.send("GET", "/version").good
        except NotAsked:
            return False

    def _revision(self) -> int:
        while True:
            try:
                answer = self._client.send("GET", f"{CONFIG_MAPS}?limit=1")
            except NotAsked:
                continue
            if answer.good:
                return int(answer.body["metadata"]["resourceVersion"])


def children(pid: int) -> Iterator[int]:
    """Child processes that are not reaped yet."""
    for file in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            yield from map(int, file.read_text().split())
        except OSError:
            continue


def command(pid: int) -> str:
    """The command line; "" for a process that has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""
