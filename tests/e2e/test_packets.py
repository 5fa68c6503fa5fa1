"""What crosses the networks of a real system, and what does not."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from machine import Machine
from networks import network, pod

pytestmark = [pytest.mark.e2e, pytest.mark.root, pytest.mark.kubectl, pytest.mark.timeout(180)]

V4, V6 = "172.16.30.0/24", "2001:db8:30::/64"
ECHO_SERVER = """
import socket, sys
family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
server = socket.create_server((sys.argv[1], 7000), family=family)
print("listening", flush=True)
peer, _ = server.accept()
while data := peer.recv(65536):
    peer.sendall(data)
"""
ECHO_CLIENT = """
import socket, sys
with socket.create_connection((sys.argv[1], 7000), timeout=5) as peer:
    message = b"x" * 100000
    peer.sendall(message)
    peer.shutdown(socket.SHUT_WR)
    answer = b""
    while data := peer.recv(65536):
        answer += data
print(len(answer), answer == message)
"""


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    """Blue and red with the same prefixes, two pods on blue and two on red."""
    with Machine("--pod-v6-subnet", "fd00:244::/64") as machine:
        for name in ("blue", "red"):
            machine.apply(network(name, V4, V6))
        for name in ("blue-a", "blue-b", "red-a", "red-b"):
            machine.apply(pod(name, name.split("-")[0]))
            machine.running(name)
        yield machine


def addresses(machine: Machine, name: str, interface: str = "eth1") -> list[str]:
    status = machine.get("pod", name)["metadata"]["annotations"]
    for entry in json.loads(status["k8s.v1.cni.cncf.io/network-status"]):
        if entry["interface"] == interface:
            return list(entry["ips"])
    raise AssertionError(f"{name} has no {interface}")


def ping(machine: Machine, source: str, target: str, *options: str) -> str:
    command = ["ping", "-c", "3", "-i", "0.02", "-W", "2", *options, target]
    return machine.shell(f"kubectl exec {source} -- {' '.join(command)}; echo rc=$?")


@pytest.mark.parametrize("source,target", [("blue-a", "blue-b"), ("blue-b", "blue-a")])
@pytest.mark.parametrize("family", [0, 1], ids=["v4", "v6"])
def test_pods_of_a_network_ping(machine: Machine, source: str, target: str, family: int) -> None:
    """Two pods of a network reach each other, both ways and in both families."""
    answer = ping(machine, source, addresses(machine, target)[family], "-I", "eth1")

    assert " 0% packet loss" in answer, answer


@pytest.mark.parametrize("client,server", [("blue-a", "blue-b"), ("blue-b", "blue-a")])
@pytest.mark.parametrize("family", [0, 1], ids=["v4", "v6"])
def test_pods_of_a_network_speak_tcp(
    machine: Machine, client: str, server: str, family: int
) -> None:
    """100,000 bytes go there and come back the same, both ways and in both families."""
    address = addresses(machine, server)[family]
    listening = subprocess.Popen(
        ["kubectl", "exec", server, "--", "python3", "-c", ECHO_SERVER, address],
        env=machine.environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert listening.stdout is not None
    assert listening.stdout.readline() == "listening\n"
    answer = machine.execute(client, "python3", "-c", ECHO_CLIENT, address)
    listening.communicate(timeout=10)

    assert answer == "100000 True\n"


def test_gateways_answer(machine: Machine) -> None:
    """Every gateway of a pod's networks answers, with TTL 64."""
    for gateway in ("10.244.0.1", "172.16.30.1", "fd00:244::1", "2001:db8:30::1"):
        answer = ping(machine, "blue-a", gateway)

        assert " 0% packet loss" in answer, answer
        assert "ttl=64" in answer, answer


def _capture(machine: Machine, name: str, count_file: Path) -> subprocess.Popen[bytes]:
    namespace = machine.pod_netns(machine.get("pod", name))
    capture = subprocess.Popen(
        [
            "nsenter",
            f"--net={namespace}",
            "tcpdump",
            "--immediate-mode",
            "-U",
            "-i",
            "eth1",
            "-w",
            str(count_file),
        ],
        stderr=subprocess.PIPE,
    )
    assert capture.stderr is not None
    while b"listening on" not in capture.stderr.readline():
        pass
    return capture


def _echo_requests(path: Path) -> list[bytes]:
    """The payloads of the ICMP echo requests in a capture."""
    from scapy.layers.inet import ICMP
    from scapy.utils import rdpcap

    return [bytes(packet[ICMP].payload) for packet in rdpcap(str(path)) if ICMP in packet]


def test_a_network_with_the_same_addresses_hears_nothing(machine: Machine, tmp_path: Path) -> None:
    """Red's pod, with the very address that blue pings, hears red's packets and none of blue's."""
    target = addresses(machine, "blue-b")[0]
    assert target == addresses(machine, "red-b")[0]
    capture = _capture(machine, "red-b", tmp_path / "red.pcap")
    ping(machine, "blue-a", target, "-I", "eth1", "-p", "b1b1")
    ping(machine, "red-a", target, "-I", "eth1", "-p", "4e4e")
    capture.terminate()
    capture.wait()
    heard = _echo_requests(tmp_path / "red.pcap")

    assert any(b"\x4e\x4e\x4e\x4e" in payload for payload in heard), "the capture works"
    assert not any(b"\xb1\xb1\xb1\xb1" in payload for payload in heard)


def drops(machine: Machine) -> dict[str, int]:
    found: dict[str, int] = {}
    report: Any = json.loads(
        machine.cn2("status", "--data-dir", str(machine.data_dir), "-o", "json", check=False).stdout
    )
    for node in report["nodes"]:
        for reason, count in node["drops"].items():
            found[reason] = found.get(reason, 0) + count
    return found


def test_a_spoofed_source_is_dropped_and_counted(machine: Machine) -> None:
    """A packet with a source that is not the pod's does not arrive, and its counter says why."""
    namespace = machine.pod_netns(machine.get("pod", "blue-a"))
    inside = ["nsenter", f"--net={namespace}"]
    subprocess.run([*inside, "ip", "address", "add", "172.16.30.77/32", "dev", "eth1"], check=True)
    try:
        before = drops(machine)["rpf"]
        answer = subprocess.run(
            [*inside, "ping", "-c", "3", "-i", "0.02", "-W", "0.2", "-I", "172.16.30.77"]
            + [addresses(machine, "blue-b")[0]],
            capture_output=True,
            text=True,
        ).stdout
        after = drops(machine)["rpf"]
    finally:
        subprocess.run(
            [*inside, "ip", "address", "del", "172.16.30.77/32", "dev", "eth1"], check=True
        )

    assert "100% packet loss" in answer
    assert after - before >= 3
