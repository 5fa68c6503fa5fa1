"""A system comes, goes and comes back; whatever happened to it, nothing of it is left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import footprint
import pytest
from footprint import output
from machine import CN2, PATIENCE
from machine import Machine as Plain
from networks import network

from cn2.drivers import mounts
from cn2.drivers.processes import boot_id

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.alone,
    pytest.mark.root,
    pytest.mark.kubectl,
    pytest.mark.timeout(120),
]

POD = """
apiVersion: v1
kind: Pod
metadata:
  name: pod
  annotations: {k8s.v1.cni.cncf.io/networks: vn1}
spec:
  containers:
  - {name: c, image: x, command: [sleep, "31557600"]}
"""


class Machine(Plain):
    """A system of which nothing may be left when it was taken down."""

    def down(self) -> None:
        seen = footprint.footprint(self.data_dir)
        super().down()
        self.until(lambda: not footprint.remains(seen), f"nothing is left of {seen}")


@pytest.fixture(autouse=True)
def nothing_changed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Around every test: the machine is as it was."""
    directories = tempfile.mkdtemp(prefix="cn2-")
    monkeypatch.setattr(tempfile, "tempdir", directories)
    before = footprint.machine()
    yield
    assert footprint.machine() == before
    Path(directories).rmdir()


def pod_of(machine: Machine) -> dict[str, Any]:
    """What must stay the same of the pod and its network, seen from inside too."""
    machine.until(
        lambda: "172.16.10." in machine.kubectl("exec", "pod", "--", "ip", "addr", check=False)
    )
    pod = machine.running("pod")
    network_status = pod["metadata"]["annotations"]["k8s.v1.cni.cncf.io/network-status"]
    return {
        "uid": pod["metadata"]["uid"],
        "addresses": [entry["ips"] for entry in json.loads(network_status)],
        "vni": machine.get("vn", "vn1")["status"]["virtualNetworkNetworkId"],
        "route target": machine.get("ri", "vn1")["status"]["defaultRouteTargetReference"]["name"],
    }


def populate(machine: Machine) -> dict[str, Any]:
    """A pod on the second of two networks, so that its numbers aren't just the first ones."""
    machine.apply(network("vn0", "172.16.9.0/24"))
    machine.until(lambda: machine.get("ri", "vn0"))
    machine.apply(network("vn1", "172.16.10.0/24"))
    machine.apply(POD)
    return pod_of(machine)


def pids(machine: Machine) -> dict[str, int]:
    """Every process of a system by name, the supervisor's included."""
    files = (machine.data_dir / "run").glob("*.pid")
    return {file.stem: int(file.read_text().split()[0]) for file in files}


def halt(machine: Machine) -> None:
    machine.cn2("down", "--data-dir", str(machine.data_dir))


def test_objects_come_back_and_pods_run_again_with_their_addresses() -> None:
    """down keeps the objects; the next up runs the same pods, same addresses, same numbers."""
    with Machine("--cluster-name", "lasting") as machine:
        before = populate(machine)
        halt(machine)
        halt(machine)
        machine.options = ()
        machine.up()
        assert pod_of(machine) == before
        namespaces = machine.kubectl("get", "namespaces")
        assert "contrail-k8s-kubemanager-lasting-contrail" in namespaces
        assert "contrail-k8s-kubemanager-mk-contrail" not in namespaces


def test_a_system_comes_back_after_kill_9_of_everything() -> None:
    """Also of the supervisor, and without a `down` between."""
    with Machine() as machine:
        before = populate(machine)
        killed = pids(machine)
        assert {"supervisor", "apiserver", "agent", "podrunner"} <= set(killed)
        for name in sorted(killed, key=lambda name: name != "supervisor"):
            os.kill(killed[name], signal.SIGKILL)
        machine.up()
        assert not set(killed.values()) & set(pids(machine).values())
        assert pod_of(machine) == before
        assert machine.cn2("status", "--data-dir", str(machine.data_dir)).returncode == 0


def kill_everything(machine: Machine) -> None:
    """Supervisor, components, the parents of the pods and the pods."""
    for one in footprint.processes(machine.data_dir):
        one.send(signal.SIGKILL)
    machine.until(lambda: not [*footprint.processes(machine.data_dir)])


def test_a_reboot() -> None:
    """No process, mount or namespace is left, and files tell of an earlier boot: the next up needs
    no down, and the pods are there again with their addresses."""
    with Machine() as machine:
        before = populate(machine)
        kill_everything(machine)
        for path in mounts.below(machine.data_dir):
            mounts.detach(path)
        for path in machine.data_dir.rglob("*"):
            if path.is_file() and path.stat().st_size < 1 << 20:
                path.write_bytes(path.read_bytes().replace(boot_id().encode(), b"-" * 36))
        machine.up()
        assert pod_of(machine) == before


STUCK = """
apiVersion: v1
kind: Pod
metadata: {name: stuck}
spec:
  terminationGracePeriodSeconds: 3600
  containers:
  - name: c
    image: x
    command: [bash, -c, "trap '' TERM; touch /tmp/up; while true; do sleep 31557600; done"]
"""


def test_down_cleans_up_after_anything() -> None:
    """A pod in its grace period, everything killed, a pid that is another's now, the directory
    moved: all of the system goes, nothing else."""
    with Machine() as machine, bystanding() as bystander:
        machine.apply(STUCK)
        pod = machine.running("stuck")
        machine.kubectl("exec", "stuck", "--", "test", "-e", "/tmp/up")
        machine.kubectl("delete", "pod", "stuck", "--wait=false")
        with bystanding("nsenter", f"--net={machine.pod_netns(pod)}") as stranger:
            seen = footprint.footprint(machine.data_dir)
            kill_everything(machine)
            (machine.data_dir / "run/agent.pid").write_text(f"{bystander.pid} 1 {boot_id()}")
            moved = machine.data_dir.with_name("moved")
            machine.data_dir.rename(moved)
            done = machine.cn2("down", "--data-dir", str(moved), check=False)
            assert f"sleep (pid {stranger.pid}) entered one of the system's network namespaces" in (
                done.stderr
            )
            assert done.returncode == 1
            assert stranger.poll() is None and bystander.poll() is None
            assert footprint.remains(seen).keys() == {"namespaces"}
        machine.until(lambda: not footprint.remains(seen))
        assert machine.cn2("down", "--data-dir", str(moved)).stderr == ""
        moved.rename(machine.data_dir)


@contextmanager
def bystanding(*entering: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process that is none of ours."""
    process = subprocess.Popen([*entering, "sleep", "31557600"])
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_two_systems_run_side_by_side_and_a_third_after_them() -> None:
    with Machine() as one, Machine("--cluster-name", "other") as two:
        for machine in (one, two):
            machine.apply(network("vn1", "172.16.10.0/24"))
            machine.apply(POD)
        assert pod_of(one)["uid"] != pod_of(two)["uid"]
        for machine in (one, two):
            machine.cn2("status", "--data-dir", str(machine.data_dir))
    with Machine() as three:
        assert three.get("vn", "vn1") is None


def test_after_sudo_the_kubeconfig_is_the_users(monkeypatch: pytest.MonkeyPatch) -> None:
    """He reads it, also after root alone started the system again, and nothing else."""
    nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    with Machine() as machine:
        for environment in ({"SUDO_UID": "65534", "SUDO_GID": "65534"}, {}):
            halt(machine)
            with monkeypatch.context() as sudo:
                for name, value in environment.items():
                    sudo.setenv(name, value)
                machine.up()
            kubeconfig = machine.data_dir / "kubeconfig"
            machine.data_dir.parent.chmod(0o755)
            assert output(*nobody, "cat", str(kubeconfig)) == kubeconfig.read_text()
            assert kubeconfig.stat().st_mode & 0o777 == 0o600
            for name in ("", "pki/ca.key", "store", "etc", "log", "run"):
                path = str(machine.data_dir / name)
                done = subprocess.run([*nobody, "ls", path], capture_output=True, check=False)
                assert done.returncode != 0, path


def test_what_is_in_the_way_is_said() -> None:
    """A second up, a port that is taken, a value that can't be: each says what to do."""
    with Machine() as machine:
        server = json.loads(machine.kubectl("config", "view", "-o", "json"))["clusters"][0]
        port = server["cluster"]["server"].rpartition(":")[2]
        where = str(machine.data_dir)
        twice = machine.cn2("up", "--detach", "--data-dir", where)
        assert f"A system runs in {where} already" in twice.stdout and "Ready. Next" in twice.stdout
        named = ("up", "--detach", "--data-dir", where, "--cluster-name", "other")
        other = machine.cn2(*named, check=False)
        assert other.returncode == 1 and "made with --cluster-name mk" in flat(other.stderr)
        beside = ("up", "--detach", "--data-dir", f"{where}-other")
        taken = machine.cn2(*beside, "--port", port, check=False)
        assert taken.returncode == 1
        assert f"Port {port} of 127.0.0.1 is taken by cn2-apiserver (pid " in taken.stderr
        assert "choose another with --port" in taken.stderr
        wrong = machine.cn2(*beside, "--node-address", "1.2.3", check=False)
        assert wrong.returncode == 1 and "is not an IPv4 address" in flat(wrong.stderr)
        assert not Path(f"{where}-other").exists()
    nothing = machine.cn2("down", "--data-dir", where, check=False)
    assert nothing.returncode == 0 and "No system in" in flat(nothing.stdout)
    for command in ("status", "env"):
        none = machine.cn2(command, "--data-dir", where, check=False)
        assert none.returncode == 1 and "start one with" in flat(none.stderr)


def flat(text: str) -> str:
    """Without the line breaks of a narrow terminal."""
    return " ".join(text.split())


@pytest.mark.parametrize("seen", ["", "keys and certificates", "Ctrl-C takes it down"])
def test_ctrl_c_takes_it_down(seen: str) -> None:
    """While it comes up, and when it is up."""
    where = tempfile.mkdtemp(prefix="cn2-")
    process = subprocess.Popen(
        ["env", "--default-signal=INT", *CN2, "up", "--data-dir", where, "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    try:
        deadline = time.monotonic() + PATIENCE
        while not seen or seen not in process.stdout.readline():
            assert time.monotonic() < deadline
            if not seen and (Path(where) / "log/supervisor.log").exists():
                break  # as early as can be: the supervisor has hardly begun
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=PATIENCE) in (0, 130)
    finally:
        process.kill()
        process.stdout.close()
        subprocess.run([*CN2, "down", "--data-dir", where, "--purge"], check=True)
