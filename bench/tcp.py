"""TCP on one node: our datapath, a Linux bridge and a raw veth pair.

Both ends are pinned to one processor, since figures are then steady on a shared machine (of a
stream they say what a byte costs); the three are interleaved in rounds and each figure is the
median over rounds.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from machine import Machine
from networks import network, pod

from bench.measure import Figure, median
from cn2.plan.cluster.pod_networks import NETWORK_STATUS

ROUNDS, EXCHANGES, MILLISECONDS, PORT = 7, 20000, 500, "7001"
HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Ends:
    """Two ends of one path: the commands that enter them, and the server's address."""

    server: list[str]
    client: list[str]
    address: str


def _between(tcp: Path, ends: Ends, verbs: tuple[str, str], amount: int) -> tuple[str, str]:
    """What server and client print."""
    pinned = ("taskset", "-c", "0", str(tcp))
    listening = subprocess.Popen(
        [*ends.server, *pinned, verbs[0], ends.address, PORT], stdout=subprocess.PIPE, text=True
    )
    assert listening.stdout is not None
    listening.stdout.readline()
    asking = [*ends.client, *pinned, verbs[1], ends.address, PORT, str(amount)]
    printed = subprocess.run(asking, capture_output=True, text=True, check=True).stdout
    served, _ = listening.communicate()
    return served, printed


def _exchange(tcp: Path, ends: Ends) -> float:
    """p50 of a request and its response, microseconds."""
    _, printed = _between(tcp, ends, ("echo", "ask"), EXCHANGES)
    return int(printed.split()[0]) / 1000


def _stream(tcp: Path, ends: Ends) -> float:
    """Gigabits per second."""
    served, _ = _between(tcp, ends, ("drain", "pour"), MILLISECONDS)
    return float(served) * 8 / 1e9


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True)


@contextmanager
def _two_ends(bridge: bool) -> Iterator[Ends]:
    """Two namespaces joined by a raw veth pair, or by a bridge in a third."""
    tag = "cn2b" if bridge else "cn2v"
    ends = [f"{tag}-a", f"{tag}-b"]
    for name in [*ends, f"{tag}-hub"]:
        _ip("netns", "add", name)
    try:
        if bridge:
            _ip("-n", f"{tag}-hub", "link", "add", "name", "br0", "type", "bridge")
            _ip("-n", f"{tag}-hub", "link", "set", "br0", "up")
            for index, end in enumerate(ends):
                port = f"p{index}"
                _ip("-n", f"{tag}-hub", "link", "add", port, "type", "veth", "peer", "name", "e0")
                _ip("-n", f"{tag}-hub", "link", "set", "e0", "netns", end)
                _ip("-n", f"{tag}-hub", "link", "set", port, "master", "br0", "up")
        else:
            _ip("-n", ends[0], "link", "add", "e0", "type", "veth", "peer", "name", "e1")
            _ip("-n", ends[0], "link", "set", "e1", "netns", ends[1], "name", "e0")
        for index, end in enumerate(ends):
            _ip("-n", end, "address", "add", f"10.99.0.{index + 1}/24", "dev", "e0")
            _ip("-n", end, "link", "set", "e0", "up")
            _ip("-n", end, "link", "set", "lo", "up")
        entered = [["ip", "netns", "exec", end] for end in ends]
        yield Ends(entered[0], entered[1], "10.99.0.1")
    finally:
        for name in [*ends, f"{tag}-hub"]:
            _ip("netns", "delete", name)


def _pods(machine: Machine) -> Ends:
    machine.apply(network("tcp", "172.16.60.0/24"))
    names = ("tcp-a", "tcp-b")
    for name in names:
        machine.apply(pod(name, "tcp"))
    pods = [machine.running(name) for name in names]
    entered = [["nsenter", f"--net={machine.pod_netns(one)}"] for one in pods]
    address = json.loads(pods[0]["metadata"]["annotations"][NETWORK_STATUS])[1]["ips"][0]
    return Ends(entered[0], entered[1], address)


def run(machine: Machine) -> list[Figure]:
    ours = _pods(machine)
    with tempfile.TemporaryDirectory() as directory, _two_ends(True) as bridge:
        with _two_ends(False) as veth:
            tcp = Path(directory) / "tcp"
            subprocess.run(["gcc", "-O2", "-o", tcp, HERE / "tcp.c"], check=True)
            paths = {"cn2": ours, "Linux bridge": bridge, "raw veth pair": veth}
            figures = []
            for what, unit, one in (
                ("TCP request-response on one node, p50", "µs", _exchange),
                ("TCP stream on one node, one processor", "Gbit/s", _stream),
            ):
                taken: dict[str, list[float]] = {name: [] for name in paths}
                for _ in range(ROUNDS):
                    for name, ends in paths.items():
                        taken[name].append(one(tcp, ends))
                mine, *peers = ((name, median(values)) for name, values in taken.items())
                figures += [Figure(what, mine[1], unit, *peer) for peer in peers]
    machine.kubectl("delete", "pod", "tcp-a", "tcp-b", "--wait=false")
    return figures
