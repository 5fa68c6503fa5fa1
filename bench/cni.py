"""CNI ADD and DEL as a runtime calls them: our shim and agent against bridge + host-local.

Both plugins are executed alike, with the same environment, on pod namespaces made beforehand, in
interleaved rounds. Our pods exist as objects with addresses before their ADD is timed.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from machine import Machine
from networks import pod, together

import cn2
from bench.measure import Figure, percentile

PODS = 64
CONCURRENCY = (1, 8, 32)
HUB = "cn2-bench-hub"
DEBIAN = "/usr/lib/cni"
NATIVE = Path(cn2.__file__).parent / "native"


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
    configuration: str
    enter: tuple[str, ...]

    def call(self, command: str, sandbox: Sandbox) -> float:
        """Execute the plugin once; seconds."""
        environment = {
            **os.environ,
            "CNI_COMMAND": command,
            "CNI_CONTAINERID": sandbox.uid.replace("-", ""),
            "CNI_NETNS": str(sandbox.namespace),
            "CNI_IFNAME": "eth0",
            "CNI_PATH": DEBIAN,
            "CNI_ARGS": "IgnoreUnknown=1;K8S_POD_NAMESPACE=default;"
            f"K8S_POD_NAME={sandbox.name};K8S_POD_UID={sandbox.uid};"
            f"K8S_POD_INFRA_CONTAINER_ID={sandbox.uid.replace('-', '')}",
        }
        began = time.perf_counter()
        done = subprocess.run(
            [*self.enter, self.path],
            input=self.configuration,
            env=environment,
            capture_output=True,
            text=True,
        )
        taken = time.perf_counter() - began
        if done.returncode:
            raise RuntimeError(f"{self.name} {command}: {done.stdout}{done.stderr}")
        return taken


def _ours(machine: Machine) -> Plugin:
    node = next((machine.data_dir / "nodes").iterdir())
    return Plugin(
        "cn2",
        str(NATIVE / "contrail-k8s-cni"),
        (node / "cni/net.d/10-contrail.conf").read_text(),
        ("nsenter", f"--net={machine.data_dir}/netns/node-{node.name}"),
    )


def _bridge(directory: str) -> Plugin:
    configuration = {
        "cniVersion": "0.4.0",
        "name": "bench",
        "type": "bridge",
        "bridge": "cni0",
        "isGateway": True,
        "ipam": {"type": "host-local", "subnet": "10.98.0.0/16", "dataDir": directory},
    }
    enter = ("ip", "netns", "exec", HUB)
    return Plugin("bridge + host-local", f"{DEBIAN}/bridge", json.dumps(configuration), enter)


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


def _round(plugin: Plugin, command: str, sandboxes: list[Sandbox], at_once: int) -> list[float]:
    """Call the plugin for every sandbox, `at_once` at a time; seconds each, then of the whole."""
    began = time.perf_counter()
    with ThreadPoolExecutor(at_once) as pool:
        taken = list(pool.map(lambda sandbox: plugin.call(command, sandbox), sandboxes))
    return [*taken, time.perf_counter() - began]


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
        with tempfile.TemporaryDirectory() as directory:
            plugins = (_ours(machine), _bridge(directory))
            for at_once in CONCURRENCY:
                results = {}
                for plugin in plugins:
                    add = _round(plugin, "ADD", sandboxes, at_once)
                    delete = _round(plugin, "DEL", sandboxes, at_once)
                    results[plugin.name] = (add, delete)
                figures += _figures(results, at_once)
    finally:
        for namespace in namespaces:
            subprocess.run(["ip", "netns", "delete", namespace.name], check=True)
        subprocess.run(["ip", "netns", "delete", HUB], check=True)
        machine.kubectl("delete", "pod", "-l", "bench=cni", "--force", "--grace-period=0")
    return figures


def _figures(results: dict[str, tuple[list[float], list[float]]], at_once: int) -> list[Figure]:
    (ours, theirs) = results.values()
    peer = list(results)[1]
    figures = []
    for index, command in enumerate(("ADD", "DEL")):
        mine, other = ours[index], theirs[index]
        for percent in (50, 99):
            figures.append(
                Figure(
                    f"CNI {command}, {at_once} at once, p{percent}",
                    percentile(mine[:-1], percent) * 1000,
                    "ms",
                    peer,
                    percentile(other[:-1], percent) * 1000,
                )
            )
        what = f"CNI {command}, {at_once} at once, rate"
        figures.append(Figure(what, PODS / mine[-1], "/s", peer, PODS / other[-1]))
    return figures
