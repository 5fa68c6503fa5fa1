"""CNI ADD and DEL as a runtime calls them: our shim and agent against bridge + host-local.

Both plugins are executed alike, with the same environment, on pod namespaces made beforehand, in
interleaved rounds, by a small program that does nothing else. Our pods exist as objects with
addresses before their ADD is timed.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from machine import Machine
from networks import pod, together

import cn2
from bench.measure import Figure, median, percentile

PODS, ROUNDS = 64, 3
CONCURRENCY = (1, 8, 32)
COMMANDS = ("ADD", "DEL")
HUB = "cn2-bench-hub"
DEBIAN = "/usr/lib/cni"
OURS, PEER = "cn2", "bridge + host-local"
NATIVE = Path(cn2.__file__).parent / "native"
HERE = Path(__file__).parent


@dataclass(frozen=True)
class Sandbox:
    """One pod as a runtime sees it."""

    name: str
    namespace: Path
    uid: str


@dataclass(frozen=True)
class Plugin:
    """One plugin and how it is called; `enter` puts it into its node's namespace."""

    name: str
    path: str
    configuration: Path
    enter: tuple[str, ...]

    def call(
        self, calls: Path, command: str, sandboxes: list[Sandbox], at_once: int
    ) -> tuple[list[float], float]:
        """Execute the plugin for every sandbox; seconds of each and of the whole."""
        done = subprocess.run(
            [*self.enter, calls, self.path, command, self.configuration, str(at_once)],
            input="".join(f"{one.name} {one.uid} {one.namespace}\n" for one in sandboxes),
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise RuntimeError(f"{self.name} {command}: {done.stderr}")
        *each, whole = (float(line) / 1e6 for line in done.stdout.split())
        return each, whole


def _ours(machine: Machine) -> Plugin:
    node = next((machine.data_dir / "nodes").iterdir())
    return Plugin(
        OURS,
        str(NATIVE / "contrail-k8s-cni"),
        node / "cni/net.d/10-contrail.conf",
        ("nsenter", f"--net={machine.data_dir}/netns/node-{node.name}"),
    )


def _bridge(directory: Path) -> Plugin:
    configuration = {
        "cniVersion": "0.4.0",
        "name": "bench",
        "type": "bridge",
        "bridge": "cni0",
        "isGateway": True,
        "ipam": {"type": "host-local", "subnet": "10.98.0.0/16", "dataDir": str(directory)},
    }
    file = directory / "bridge.conf"
    file.write_text(json.dumps(configuration))
    return Plugin(PEER, f"{DEBIAN}/bridge", file, ("ip", "netns", "exec", HUB))


def _pods(machine: Machine) -> list[dict[str, Any]]:
    """Pods that are networked but not run: the pod runner leaves mirror pods alone."""
    node = machine.items("node")[0]["metadata"]["name"]
    manifests = []
    for number in range(PODS):
        manifest = json.loads(pod(f"cni-{number}"))
        manifest["spec"]["nodeName"] = node
        manifest["metadata"]["annotations"] = {"cn2.io/mirror": "true"}
        manifest["metadata"]["labels"] = {"bench": "cni"}
        manifests.append(json.dumps(manifest))
    machine.apply(together(*manifests))

    def addressed() -> bool:
        found = machine.items("iip")
        ready = [x for x in found if x.get("status", {}).get("state") == "Success"]
        return sum("-cni-" in x["metadata"]["name"] for x in ready) == PODS

    machine.until(addressed, "every pod has its address")
    return list(machine.items("pod", "-l", "bench=cni"))


def _namespaces(prefix: str, count: int) -> list[Path]:
    names = [f"{prefix}-{number}" for number in range(count)]
    for name in names:
        subprocess.run(["ip", "netns", "add", name], check=True)
    return [Path("/run/netns") / name for name in names]


@dataclass
class Taken:
    """Seconds of every call, and calls a second of every round."""

    each: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)


def run(machine: Machine) -> list[Figure]:
    objects = _pods(machine)
    figures = []
    subprocess.run(["ip", "netns", "add", HUB], check=True)
    namespaces = _namespaces("cn2-bench", PODS)
    sandboxes = [
        Sandbox(o["metadata"]["name"], namespace, o["metadata"]["uid"])
        for o, namespace in zip(objects, namespaces, strict=True)
    ]
    try:
        with tempfile.TemporaryDirectory() as name:
            calls = Path(name) / "calls"
            subprocess.run(["gcc", "-O2", "-o", calls, HERE / "calls.c"], check=True)
            plugins = (_ours(machine), _bridge(Path(name)))
            for at_once in CONCURRENCY:
                taken = {(p.name, command): Taken() for p in plugins for command in COMMANDS}
                for _ in range(ROUNDS):
                    for plugin in plugins:
                        for command in COMMANDS:
                            each, whole = plugin.call(calls, command, sandboxes, at_once)
                            taken[plugin.name, command].each += each
                            taken[plugin.name, command].rates.append(PODS / whole)
                figures += _figures(taken, at_once)
    finally:
        for namespace in namespaces:
            subprocess.run(["ip", "netns", "delete", namespace.name], check=True)
        subprocess.run(["ip", "netns", "delete", HUB], check=True)
        machine.kubectl("delete", "pod", "-l", "bench=cni", "--force", "--grace-period=0")
    return figures


def _figures(taken: dict[tuple[str, str], Taken], at_once: int) -> list[Figure]:
    figures = []
    for command in COMMANDS:
        mine, peer = taken[OURS, command], taken[PEER, command]
        what = f"CNI {command}, {at_once} at once"
        for percent in (50, 99):
            values = [percentile(one.each, percent) * 1000 for one in (mine, peer)]
            figures.append(Figure(f"{what}, p{percent}", values[0], "ms", PEER, values[1]))
        rates = [median(one.rates) for one in (mine, peer)]
        figures.append(Figure(f"{what}, rate", rates[0], "/s", PEER, rates[1]))
    return figures
