"""The machine's clock is set an hour forward and back while a system runs on it.

A preloaded library (clock_shift.c) moves the wall clock of every process of the system.
"""

from __future__ import annotations

import json
import struct
import subprocess
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from machine import Machine
from networks import network, pod

from cn2.supervisor.pids import read_pid

pytestmark = [pytest.mark.e2e, pytest.mark.root, pytest.mark.kubectl, pytest.mark.timeout(240)]

HOUR = 3600


class Clock:
    """Seconds by which the system's clock differs from the machine's."""

    def __init__(self, directory: Path) -> None:
        self.seconds = 0
        self._file = directory / "shift"
        self._library = directory / "clock_shift.so"
        self._file.write_bytes(bytes(8))
        source = Path(__file__).with_name("clock_shift.c")
        command = ["gcc", "-shared", "-fPIC", "-O2", "-Wall", "-o", str(self._library), str(source)]
        subprocess.run(command, check=True)

    def set(self, seconds: int) -> None:
        self.seconds = seconds
        with self._file.open("r+b") as file:
            file.write(struct.pack("q", seconds))

    @property
    def environment(self) -> dict[str, str]:
        return {"LD_PRELOAD": str(self._library), "CLOCK_SHIFT": str(self._file)}


@pytest.fixture(scope="module")
def clock(tmp_path_factory: pytest.TempPathFactory) -> Clock:
    return Clock(tmp_path_factory.mktemp("clock"))


@pytest.fixture(scope="module")
def machine(clock: Clock) -> Iterator[Machine]:
    machine = Machine()
    try:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in clock.environment.items():
                patch.setenv(name, value)
            machine.up()
        for process, pid in processes(machine).items():
            assert "clock_shift.so" in Path(f"/proc/{pid}/maps").read_text(), process
        machine.apply(network("steady", "172.16.60.0/24"))
        machine.apply(pod("steady", "steady"))
        machine.running("steady")
        yield machine
    finally:
        machine.down()


def processes(machine: Machine) -> dict[str, int | None]:
    return {path.stem: read_pid(path) for path in (machine.data_dir / "run").glob("*.pid")}


def moment(obj: Any) -> datetime:
    return datetime.fromisoformat(obj["metadata"]["creationTimestamp"])


def lease(machine: Machine) -> str:
    """When the node says that it was last alive."""
    found = machine.get("lease", "node1", "-n", "kube-node-lease")
    return str(found["spec"]["renewTime"])


def stubborn(name: str) -> str:
    """A pod that must be killed when its grace is over."""
    manifest = json.loads(pod(name))
    manifest["spec"]["containers"][0]["command"] = [
        "sh",
        "-c",
        "trap '' TERM; while :; do sleep 1; done",
    ]
    return json.dumps(manifest)


@pytest.mark.parametrize("seconds", [HOUR, 0, -HOUR], ids=["forward", "back", "back again"])
def test_a_clock_that_is_set(machine: Machine, clock: Clock, seconds: int) -> None:
    """Everything works as before, the node is not given up, and nothing ends or restarts."""
    name = f"at{seconds}".replace("-", "m")
    before = processes(machine)
    old = machine.get("pod", "steady")
    machine.kubectl("create", "configmap", f"{name}-before")
    events = {item["metadata"]["uid"] for item in machine.items("events")}
    renewed = lease(machine)
    machine.apply(stubborn(f"{name}-stubborn"))
    machine.running(f"{name}-stubborn")
    machine.kubectl("delete", "pod", f"{name}-stubborn", "--grace-period=5", "--wait=false")

    shift = seconds - clock.seconds
    clock.set(seconds)
    machine.kubectl("create", "configmap", f"{name}-after")
    stamps = [moment(machine.get("configmap", f"{name}-{when}")) for when in ("before", "after")]
    assert abs(stamps[1] - stamps[0] - timedelta(seconds=shift)) < timedelta(minutes=5)

    machine.apply(network(name, "172.16.61.0/24"))
    machine.apply(pod(name, name))
    machine.running(name)
    machine.until(lambda: machine.get("vn", name)["status"]["state"] == "Success")
    assert "hello" in machine.execute(name, "echo", "hello")
    token = machine.kubectl("create", "token", "default").strip()
    asked = ["auth", "whoami", "-o", "json", "--token", token]
    assert "system:serviceaccount:default:default" in machine.kubectl(*asked)
    machine.kubectl("delete", "pod", name, "--timeout=30s")
    machine.kubectl("delete", "net-attach-def", name, "--timeout=30s")
    machine.until(lambda: lease(machine) != renewed, "the node renews its lease")
    machine.until(lambda: not machine.get("pod", f"{name}-stubborn"), "its grace is over")
    node = machine.get("node", "node1")

    assert processes(machine) == before
    assert machine.get("pod", "steady")["status"] == old["status"]
    ready = next(each for each in node["status"]["conditions"] if each["type"] == "Ready")
    assert ready["status"] == "True" and not node["spec"].get("taints"), node
    assert events <= {item["metadata"]["uid"] for item in machine.items("events")}
