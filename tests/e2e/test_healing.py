"""What comes back by itself, and what goes without a trace."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from machine import Machine
from networks import network, pod, together

pytestmark = [pytest.mark.e2e, pytest.mark.root, pytest.mark.kubectl, pytest.mark.timeout(300)]

KINDS = ("vn", "subnet", "ri", "rt", "vm", "vmi", "iip", "pod", "net-attach-def")


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    with Machine() as machine:
        yield machine


def _numbers(machine: Machine, name: str) -> tuple[int, str] | None:
    """VNI and default route target of a network that is Success."""
    vn = machine.get("vn", name)
    ri = machine.get("ri", name)
    if not vn or not ri or vn.get("status", {}).get("state") != "Success":
        return None
    reference = ri.get("status", {}).get("defaultRouteTargetReference")
    return (vn["status"]["virtualNetworkNetworkId"], reference["name"]) if reference else None


def test_a_deleted_network_heals_without_a_lost_packet(machine: Machine) -> None:
    """A 10 ms ping through `kubectl delete vn`: 0 lost, same numbers, same Subnet."""
    machine.apply(network("blue", "172.16.31.0/24"))
    for name in ("heal-a", "heal-b"):
        machine.apply(pod(name, "blue"))
        machine.running(name)
    before = machine.until(lambda: _numbers(machine, "blue"))
    old = machine.get("vn", "blue")["metadata"]["uid"]
    subnet = machine.get("subnet", "blue-v4")["metadata"]["uid"]
    pinging = subprocess.Popen(
        ["kubectl", "exec", "heal-a", "--"]
        + ["ping", "-i", "0.01", "-c", "600", "-W", "1", "-I", "eth1", "172.16.31.3"],
        env=machine.environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert pinging.stdout is not None
    assert "PING" in pinging.stdout.readline()
    machine.kubectl("delete", "vn", "blue")
    after = machine.until(lambda: _numbers(machine, "blue"))
    running = pinging.poll() is None
    answer = pinging.communicate(timeout=60)[0]

    assert running, "the ping outlasted the healing"
    assert " 0% packet loss" in answer, answer
    assert before == after
    assert old != machine.get("vn", "blue")["metadata"]["uid"]
    assert subnet == machine.get("subnet", "blue-v4")["metadata"]["uid"]


def test_deletion_with_pods_attached(machine: Machine) -> None:
    """The NAD goes at once with everything that came from it, although pods are attached."""
    machine.apply(network("gone", "172.16.32.0/24", routeTargetList=["target:77:1"]))
    machine.apply(pod("attached", "gone"))
    machine.running("attached")
    machine.kubectl("delete", "net-attach-def", "gone", "--timeout=20s")

    assert machine.get("vn", "gone") is None
    assert machine.get("subnet", "gone-v4") is None
    machine.until(lambda: machine.get("ri", "gone") is None)
    machine.until(lambda: machine.get("rt", "target-77-1") is None)
    machine.until(
        lambda: any(
            vmi["status"]["state"] == "Pending"
            for vmi in machine.items("vmi")
            if vmi["spec"]["virtualNetworkReference"]["name"] == "gone"
        ),
        "the interface says that its network is gone",
    )
    machine.kubectl("delete", "pod", "attached", "--timeout=30s")


def _census(machine: Machine) -> dict[str, Any]:
    """Everything that must be as before: objects, usage, links, map entries, namespaces."""
    found: dict[str, Any] = {}
    for kind in KINDS:
        items = machine.items(kind, "-A")
        found[kind] = sorted(item["metadata"]["name"] for item in items)
    found["usage"] = {
        subnet["metadata"]["name"]: subnet["status"]["allocationUsage"]
        for subnet in machine.items("subnet", "-A")
    }
    found["namespaces"] = sorted(path.name for path in (machine.data_dir / "netns").iterdir())
    found["pods"] = sorted(path.name for path in (machine.data_dir / "pods").iterdir())
    node = next((machine.data_dir / "netns").glob("node-*"))
    links = subprocess.run(
        ["nsenter", f"--net={node}", "ip", "-json", "link"], capture_output=True, check=True
    )
    found["links"] = len(json.loads(links.stdout))
    found["maps"] = {
        path.name: len(json.loads(_dump(path)))
        for path in (machine.data_dir / "bpf").rglob("*")
        if path.is_file() and path.name in ("if", "host", "nh", "vrf", "fib4", "fib6", "flood")
    }
    return found


def _dump(path: Any) -> str:
    done = subprocess.run(
        ["bpftool", "--json", "map", "dump", "pinned", str(path)], capture_output=True, text=True
    )
    return done.stdout or "[]"


def test_a_hundred_pods_leave_nothing(machine: Machine) -> None:
    """100 pods on two networks, created and deleted: everything is where it began."""
    machine.apply(network("many", "172.16.33.0/24"))
    machine.until(lambda: _numbers(machine, "many"))
    before = _census(machine)
    machine.apply(together(*(pod(f"many-{number}", "many") for number in range(100))))
    machine.kubectl("wait", "--for=condition=Ready", "pod", "-l", "test=e2e", "--timeout=120s")
    busy = _census(machine)
    names = [f"many-{number}" for number in range(100)]
    machine.kubectl("delete", "pod", *names, "--timeout=120s")
    machine.until(lambda: _census(machine) == before, "all is as it was")

    assert len(busy["pod"]) == len(before["pod"]) + 100
    assert busy["links"] == before["links"] + 200
    assert busy["usage"]["many-v4"] == f"{(3 + 100) / 256 * 100:.2f}%"
    assert before == _census(machine)
