"""The plugin run by hand with a runtime's environment, against a real agent."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from agent_lab import NATIVE, Lab, wait_for

from cn2.drivers import netns

pytestmark = [pytest.mark.root, pytest.mark.clang, pytest.mark.timeout(60)]


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    made = Lab(tmp_path / "lab") if (tmp_path / "lab").mkdir() is None else None
    assert made
    try:
        made.add_network("default-podnetwork", 2, "10.244.0.0/16")
        made.add_network("vn1", 5, "172.16.10.0/24", "fd00:10::/64")
        made.add_pod(
            "p1",
            ("default-podnetwork", "10.244.0.5"),
            ("vn1", ("172.16.10.2", "fd00:10::2")),
        )
        made.publish()
        made.start()
        yield made
    finally:
        made.close()


@pytest.mark.parametrize("version", ["0.3.1", "0.4.0", "1.0.0", "1.1.0"])
def test_a_containers_life(lab: Lab, version: str) -> None:
    """ADD, a second ADD, CHECK, DEL twice; nothing is left."""
    lab.sandbox("p1")

    added = lab.cni("ADD", "p1", version)
    again = lab.cni("ADD", "p1", version)

    assert (added.code, again) == (0, added), (added.body, lab.log())
    assert added.body["cniVersion"] == version
    assert [one["name"] for one in added.body["interfaces"] if one.get("sandbox")] == [
        "eth0",
        "eth1",
    ]
    (ip,) = added.body["ips"]
    assert (ip["address"], ip["gateway"], ip["interface"]) == ("10.244.0.5/16", "10.244.0.1", 0)
    assert ip.get("version") == ("4" if version < "1" else None)
    checked = lab.cni("CHECK", "p1", version, prevResult=added.body)
    assert checked.code == (0 if version != "0.3.1" else 1), checked.body
    assert lab.cni("DEL", "p1", version, prevResult=added.body) == lab.cni("DEL", "p1", version)
    assert lab.cni("DEL", "p1", version).code == 0
    wait_for(lambda: lab.links() == [])
    assert lab.introspect("ports") == []


def test_the_pod_sees_what_the_walkthrough_shows(lab: Lab) -> None:
    """Addresses with their subnets' masks, MTU 1500, one default route, lo up (F11, F15)."""
    lab.plug("p1")

    links = {one["ifname"]: one for one in json.loads(lab.run("p1", "ip", "-j", "addr").stdout)}
    routes = json.loads(lab.run("p1", "ip", "-j", "route").stdout)
    other = json.loads(lab.run("p1", "ip", "-j", "route", "show", "table", "101").stdout)

    def held(name: str) -> list[str]:
        return [
            f"{one['local']}/{one['prefixlen']}"
            for one in links[name]["addr_info"]
            if one["scope"] == "global"
        ]

    assert held("eth0") == ["10.244.0.5/16"]
    assert held("eth1") == ["172.16.10.2/24", "fd00:10::2/64"]
    assert {links[name]["mtu"] for name in ("eth0", "eth1")} == {1500}
    assert links["eth1"]["address"] == "02:00:00:00:00:02"
    assert "UP" in links["lo"]["flags"]
    assert [(one["gateway"], one["dev"]) for one in routes if one["dst"] == "default"] == [
        ("10.244.0.1", "eth0")
    ]
    assert [one["gateway"] for one in other if one["dst"] == "default"] == ["172.16.10.1"]
    rules = lab.run("p1", "ip", "rule").stdout
    assert "from 172.16.10.2 lookup 101" in rules
    assert sorted(name[:8] for name in lab.links()) == ["tapeth0-", "tapeth1-"]


def test_check_tells_what_somebody_removed(lab: Lab) -> None:
    lab.sandbox("p1")
    added = lab.cni("ADD", "p1", "1.0.0")
    lab.run("p1", "ip", "addr", "del", "172.16.10.2/24", "dev", "eth1")

    checked = lab.cni("CHECK", "p1", "1.0.0", prevResult=added.body)

    assert checked.code == 1
    assert "interface eth1 has lost address 172.16.10.2/24" in checked.body["msg"]


def test_an_add_again_repairs_what_check_complains_of(lab: Lab) -> None:
    lab.plug("p1")
    lab.run("p1", "ip", "link", "del", "eth1")

    lab.plug("p1")

    assert "172.16.10.2" in lab.run("p1", "ip", "addr").stdout


def test_an_add_waits_for_objects_that_come_later(lab: Lab) -> None:
    lab.sandbox("late")
    adding = _start_add(lab, "late")
    lab.add_pod("late", ("default-podnetwork", "10.244.0.9"))
    lab.publish()

    out, _ = adding.communicate(timeout=10)

    assert adding.returncode == 0, out
    assert json.loads(out)["ips"][0]["address"] == "10.244.0.9/16"


def _start_add(lab: Lab, pod: str) -> subprocess.Popen[bytes]:
    environment = {
        "CNI_COMMAND": "ADD",
        "CNI_CONTAINERID": f"box-{pod}",
        "CNI_NETNS": str(lab.directory / f"pod-{pod}"),
        "CNI_IFNAME": "eth0",
        "CNI_ARGS": f"K8S_POD_NAMESPACE=default;K8S_POD_NAME={pod};K8S_POD_UID=uid-{pod}",
    }
    config = {"cniVersion": "1.0.0", "name": "n", "agent-socket": str(lab.directory / "agent.sock")}
    shim = subprocess.Popen(
        [NATIVE / "contrail-k8s-cni"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
    )
    assert shim.stdin
    shim.stdin.write(json.dumps(config).encode())
    shim.stdin.close()
    shim.stdin = None
    return shim


def test_an_add_without_objects_says_what_is_awaited(lab: Lab) -> None:
    lab.sandbox("nobody")

    answer = lab.cni("ADD", "nobody", "1.0.0")

    assert (answer.code, answer.body["code"]) == (1, 11)
    assert "pod default/nobody: no VirtualMachineInterface" in answer.body["msg"]


def test_a_delete_works_when_the_namespace_is_gone(lab: Lab) -> None:
    lab.plug("p1")
    netns.delete(lab.sandbox("p1"))

    assert lab.cni("DEL", "p1").code == 0
    wait_for(lambda: lab.links() == [])


def test_ports_of_a_vanished_namespace_are_unplugged_without_a_delete(lab: Lab) -> None:
    lab.plug("p1")
    netns.delete(lab.sandbox("p1"))

    wait_for(lambda: lab.introspect("ports") == [])
    wait_for(lambda: not list((lab.directory / "ports").glob("*.json")))


def test_without_an_agent_the_error_is_retryable_and_says_where(lab: Lab) -> None:
    lab.sandbox("p1")
    lab.stop()
    began = time.monotonic()

    answer = lab.cni("ADD", "p1", "0.4.0")

    assert (answer.code, answer.body["code"]) == (1, 11)
    assert answer.body["cniVersion"] == "0.4.0"
    assert str(lab.directory / "agent.sock") in answer.body["details"]
    assert time.monotonic() - began < 10
    assert lab.cni("STATUS", "p1").body["code"] == 50


def test_an_add_meets_an_agent_that_is_just_restarting(lab: Lab) -> None:
    lab.sandbox("p1")
    lab.stop(signal.SIGKILL)
    adding = _start_add(lab, "p1")
    lab.start()

    adding.communicate(timeout=10)

    assert adding.returncode == 0


def test_version_needs_no_agent() -> None:
    done = subprocess.run(
        [NATIVE / "contrail-k8s-cni"],
        input=b'{"cniVersion":"1.0.0"}',
        env={"CNI_COMMAND": "VERSION"},
        capture_output=True,
        check=True,
    )

    assert json.loads(done.stdout) == {
        "cniVersion": "1.1.0",
        "supportedVersions": ["0.3.1", "0.4.0", "1.0.0", "1.1.0"],
    }


def test_the_shim_is_static() -> None:
    assert (
        b"interpreter"
        not in subprocess.run(
            ["readelf", "-l", NATIVE / "contrail-k8s-cni"], capture_output=True, check=True
        ).stdout
    )


def test_too_much_on_stdin_is_refused(tmp_path: Path) -> None:
    done = subprocess.run(
        [NATIVE / "contrail-k8s-cni"],
        input=b" " * (1 << 20) + b"{}",
        env={"CNI_COMMAND": "ADD"},
        capture_output=True,
        check=False,
    )

    assert (done.returncode, json.loads(done.stdout)["code"]) == (1, 6)


def test_records_are_private(lab: Lab) -> None:
    lab.plug("p1")

    assert (lab.directory / "ports").stat().st_mode & 0o777 == 0o700
    assert (lab.directory / "agent.sock").stat().st_mode & 0o777 == 0o600
    assert [one.name for one in (lab.directory / "ports").iterdir()] == ["box-p1.json"]
