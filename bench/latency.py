"""TCP request-response on one node: our datapath, a Linux bridge and a raw veth pair.

Both ends are pinned to one processor, since p50 is then steady on a shared machine; the three are
interleaved in rounds and each figure is the median over rounds.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from machine import Machine
from networks import network, pod

from bench.measure import Figure, percentile

ROUNDS, EXCHANGES, PORT = 7, 20000, "7001"
HERE = Path(__file__).parent


def _build(directory: Path) -> Path:
    target = directory / "rr"
    subprocess.run(["gcc", "-O2", "-o", target, HERE / "rr.c"], check=True)
    return target


def _exchange(rr: Path, server: list[str], client: list[str], address: str) -> float:
    """p50 in microseconds; `server` and `client` are the commands that enter the namespaces."""
    listening = subprocess.Popen(
        [*server, "taskset", "-c", "0", rr, "server", address, PORT],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert listening.stdout is not None
    listening.stdout.readline()
    answer = subprocess.run(
        [*client, "taskset", "-c", "0", rr, "client", address, PORT, str(EXCHANGES)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    listening.wait()
    return int(answer.split()[0]) / 1000


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True)


@contextmanager
def _two_ends(bridge: bool) -> Iterator[tuple[list[str], list[str]]]:
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
        yield ["ip", "netns", "exec", ends[0]], ["ip", "netns", "exec", ends[1]]
    finally:
        for name in [*ends, f"{tag}-hub"]:
            _ip("netns", "delete", name)


def run(machine: Machine) -> list[Figure]:
    machine.apply(network("latency", "172.16.60.0/24"))
    for name in ("rr-a", "rr-b"):
        machine.apply(pod(name, "latency"))
    inside = [
        ["nsenter", f"--net={machine.pod_netns(machine.running(name))}"]
        for name in ("rr-a", "rr-b")
    ]
    taken: dict[str, list[float]] = {"cn2": [], "bridge": [], "veth": []}
    with tempfile.TemporaryDirectory() as directory, _two_ends(True) as bridge:
        with _two_ends(False) as veth:
            rr = _build(Path(directory))
            for _ in range(ROUNDS):
                taken["cn2"].append(_exchange(rr, inside[0], inside[1], "172.16.60.2"))
                taken["bridge"].append(_exchange(rr, *bridge, "10.99.0.1"))
                taken["veth"].append(_exchange(rr, *veth, "10.99.0.1"))
    median = {name: percentile(values, 50) for name, values in taken.items()}
    what = "TCP request-response on one node, p50"
    return [
        Figure(what, median["cn2"], "µs", peer, median[name])
        for name, peer in (("bridge", "Linux bridge"), ("veth", "raw veth pair"))
    ]
