"""A full disk refuses writes and stops nothing else; with room again, all goes on by itself."""

from __future__ import annotations

import shutil
import signal
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing
from os import kill
from pathlib import Path

import pytest
from convergence import settle
from cut_client import Credentials, CutClient, Exchange, NotAsked
from history import History
from ledger import Ledger, marks
from machine import Machine
from networks import network, pod
from udp_stream import Stream

from cn2.supervisor.pids import read_pid

pytestmark = [pytest.mark.e2e, pytest.mark.root, pytest.mark.kubectl, pytest.mark.timeout(240)]

SIZE = 300 << 20
MAPS = "/api/v1/namespaces/default/configmaps"
LARGE = "x" * 100_000
CHECKPOINT = 1000 * 4096
"""Bytes of SQLite's log after which it is copied into the file."""


class Disk:
    """A file system of its own, to be filled to the last byte."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def fill(self) -> None:
        with (self.path / "filler").open("ab", buffering=0) as filler:
            for size in (1 << 20, 4096, 1):
                try:
                    while filler.write(bytes(size)) == size:
                        pass
                except OSError:
                    continue
        assert shutil.disk_usage(self.path).free == 0

    def clear(self) -> None:
        (self.path / "filler").unlink()


@pytest.fixture(scope="module")
def disk() -> Iterator[Disk]:
    path = Path(tempfile.mkdtemp(prefix="cn2-disk-"))
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "none", str(path)], check=True)
    try:
        yield Disk(path)
    finally:
        subprocess.run(["umount", str(path)], check=True)
        path.rmdir()


@pytest.fixture(scope="module")
def machine(disk: Disk) -> Iterator[Machine]:
    machine = Machine()
    machine.data_dir.rmdir()
    machine.data_dir = disk.path / "data"
    with machine:
        machine.apply(network("blue", "172.16.50.0/24"))
        yield machine


def processes(machine: Machine) -> dict[str, int | None]:
    """The processes that run, by name."""
    return {path.stem: read_pid(path) for path in (machine.data_dir / "run").glob("*.pid")}


class Writer:
    """Makes ConfigMaps and notes which of them the API has acknowledged."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self.ledger = Ledger()
        self.count = 0
        self._client = CutClient(Credentials(machine.data_dir / "kubeconfig"))

    def write(self, text: str = LARGE) -> Exchange:
        self.count += 1
        name, token = f"map-{self.count}", f"{self.count:06}"
        body = {"metadata": {"name": name, **marks(token)}, "data": {"text": text}}
        answer = self._client.send("POST", MAPS, body)
        if answer.good:
            self.ledger.wrote((MAPS, name), answer.body)
        return answer

    def taken(self) -> bool:
        """Whether a write is taken again; a server that is just coming up takes none."""
        try:
            return self.write().good
        except NotAsked:
            return False

    def until_refused(self) -> Exchange:
        """Large ones, then, where those find no room, small ones."""
        for text in (LARGE, ""):
            while (answer := self.write(text)).good:
                assert self.count < SIZE / len(LARGE)
        return answer

    def audit(self) -> list[str]:
        """What of that does not agree with what there is."""
        found = {item["metadata"]["name"]: item for item in self._machine.items("configmap")}
        found.pop("kube-root-ca.crt")
        self.ledger.audit({(MAPS, name): item for name, item in found.items()})
        return self.ledger.faults


@pytest.fixture(scope="module")
def writer(machine: Machine) -> Writer:
    return Writer(machine)


def test_a_full_disk_refuses_writes_and_nothing_else(
    machine: Machine, disk: Disk, writer: Writer
) -> None:
    """First the pod runner finds no room for its records, then SQLite's checkpoint fails, then
    the log is full: no process ends, reads, watches and packets go on."""
    stream = Stream(machine, "blue")
    stream.start()
    history = History(Credentials(machine.data_dir / "kubeconfig"), {"ConfigMap": MAPS})
    history.start()
    while writer.count * len(LARGE) < 1.2 * CHECKPOINT:
        assert writer.write().good
    before = processes(machine)

    disk.fill()
    machine.apply(pod("late", "blue"))  # small: SQLite's log has room that was used before
    told = machine.until(lambda: _events(machine, "late"))
    refused = writer.until_refused()
    kubectl = machine.shell("kubectl create configmap more --from-literal=a=b")
    listed = machine.items("configmap")

    assert any("No space left on device" in text for text in told), told
    assert (refused.status, refused.body["reason"]) == (507, "InsufficientStorage")
    for text in (refused.body["message"], kubectl):
        assert f"no space left on the file system of {machine.data_dir}/store" in text, text
    assert len(listed) > writer.count / 2
    assert not machine.get("configmap", "more")

    disk.clear()
    machine.until(lambda: writer.write("").good, "writes are taken again")
    machine.running("late")
    machine.apply(network("red", "172.16.51.0/24"))
    machine.apply(pod("next", "red"))
    machine.running("next")
    settle(machine)
    figures = stream.end()

    assert processes(machine) == before
    assert writer.audit() == []
    assert history.faults == []
    machine.until(lambda: len(history.live["ConfigMap"]) == len(machine.items("configmap")))
    history.stop()
    assert (figures.lost, figures.failed) == (0, 0), figures
    assert integrity(machine) == "ok"


def _events(machine: Machine, name: str) -> list[str]:
    return [
        event["message"]
        for event in machine.items("events")
        if event["involvedObject"]["name"] == name and event["type"] == "Warning"
    ]


def integrity(machine: Machine) -> str:
    """SQLite's own verdict."""
    path = machine.data_dir / "store/cn2.db"
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        return str(database.execute("PRAGMA integrity_check").fetchone()[0])


def test_what_dies_on_a_full_disk_comes_back_with_room(
    machine: Machine, disk: Disk, writer: Writer
) -> None:
    """kill -9 of everything but the supervisor while there is not a byte left."""
    disk.fill()
    writer.until_refused()
    killed = {name: pid for name, pid in processes(machine).items() if name != "supervisor"}
    for pid in killed.values():
        assert pid is not None
        kill(pid, signal.SIGKILL)
    machine.until(lambda: not any(pid in killed.values() for pid in processes(machine).values()))
    disk.clear()
    settle(machine)
    machine.until(writer.taken, "writes are taken again")
    assert writer.audit() == []
    assert integrity(machine) == "ok"


def test_up_on_a_full_disk_says_so(machine: Machine, disk: Disk) -> None:
    """Nothing is started or changed; with room the system comes up with all its objects."""
    names = sorted(item["metadata"]["name"] for item in machine.items("configmap"))
    machine.cn2("down", "--data-dir", str(machine.data_dir))
    disk.fill()
    refused = machine.cn2("up", "--detach", "--data-dir", str(machine.data_dir), check=False)
    assert refused.returncode == 1
    assert f"MiB are free at {machine.data_dir}" in " ".join(refused.stderr.split()), refused
    assert processes(machine) == {}

    disk.clear()
    machine.up()
    assert sorted(item["metadata"]["name"] for item in machine.items("configmap")) == names
