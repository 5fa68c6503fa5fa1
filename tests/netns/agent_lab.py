"""A node in a namespace of its own: agent, shim and pods, driven as a container runtime would."""

from __future__ import annotations

import asyncio
import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from ipaddress import ip_interface
from pathlib import Path
from typing import Any

from node_objects import CLUSTER_NAMESPACE, Object, address, interface, network, subnet

import cn2
from cn2.client.health import ask
from cn2.drivers import netns
from cn2.net.names import fnv1a32

NATIVE = Path(cn2.__file__).parent / "native"
PROCESS = Path(__file__).with_name("agent_process.py")
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Answer:
    """What the plugin printed, and how it ended."""

    code: int
    body: Any


class Lab:
    """One node. `close` removes all of it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.node = directory / "node"
        self.bpf = directory / "bpf"
        self.objects: dict[str, list[Object]] = {
            "interfaces": [],
            "addresses": [],
            "networks": [],
            "subnets": [],
        }
        self._pods: list[Path] = []
        self._agent: subprocess.Popen[bytes] | None = None
        netns.create(self.node)
        self.bpf.mkdir()
        if _libc.mount(b"bpf", os.fsencode(self.bpf), b"bpf", 0, b"mode=0700"):
            raise OSError(ctypes.get_errno(), "mount bpf")

    def close(self) -> None:
        self.stop(signal.SIGKILL)
        for pod in self._pods:
            netns.delete(pod)
        netns.delete(self.node)
        _libc.umount2(os.fsencode(self.bpf), 2)
        shutil.rmtree(self.directory)

    # objects

    def add_network(self, name: str, vni: int, *cidrs: str, **properties: str) -> None:
        namespace = CLUSTER_NAMESPACE if name == "default-podnetwork" else "default"
        families = {}
        for cidr in cidrs:
            family = "v6" if ":" in cidr else "v4"
            families[family] = f"{name}-{family}"
            gateway = str(ip_interface(cidr).network[1])
            self.objects["subnets"].append(subnet(families[family], cidr, gateway, namespace))
        self.objects["networks"].append(network(name, vni, families, namespace, **properties))

    def add_pod(self, name: str, *attached: tuple[str, str | tuple[str, ...]]) -> None:
        """Objects of a pod attached to (network, addresses) in order."""
        uid = f"uid-{name}"
        for index, (on, ips) in enumerate(attached):
            namespace = CLUSTER_NAMESPACE if on == "default-podnetwork" else "default"
            vmi = f"{name}-{index}"
            number = len(self.objects["interfaces"]) + 1
            one = interface(
                vmi,
                on,
                f"{index}/{len(attached)}",
                mac=f"02:00:00:00:{number >> 8:02x}:{number & 255:02x}",
                pod=name,
                uid=uid,
                network_namespace=namespace,
            )
            machine = fnv1a32(name)
            one["spec"]["virtualMachineReferences"][0]["uid"] = machine
            self.objects["interfaces"].append(one)
            for ip in (ips,) if isinstance(ips, str) else ips:
                self.objects["addresses"].append(address(vmi, on, ip, network_namespace=namespace))

    def publish(self) -> None:
        """Let the agent see the objects; returns at once."""
        path = self.directory / "objects.json"
        path.with_suffix(".new").write_text(json.dumps(self.objects))
        path.with_suffix(".new").rename(path)
        if self._agent:
            self._agent.send_signal(signal.SIGHUP)

    # processes

    def start(self, *, ready: bool = True) -> None:
        self._agent = subprocess.Popen(
            [
                *self.inside(self.node),
                sys.executable,
                str(PROCESS),
                *map(str, (self.directory, NATIVE, self.bpf)),
            ],
            stderr=(self.directory / "agent.log").open("ab"),
            env={**os.environ, "PYTHONPATH": str(PROCESS.parents[2])},
        )
        wait_for(lambda: ready is False or self.cni("STATUS", "-").code == 0, self.log)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        if self._agent:
            self._agent.send_signal(number)
            self._agent.wait()
            self._agent = None

    def log(self) -> str:
        return (self.directory / "agent.log").read_text()

    def introspect(self, page: str) -> Any:
        status, text = asyncio.run(
            ask(self.directory / "health.sock", f"/introspect/{page}", seconds=5)
        )
        assert status == 200, text
        return json.loads(text)

    def metrics(self) -> str:
        return asyncio.run(ask(self.directory / "health.sock", "/metrics"))[1]

    # pods

    def sandbox(self, pod: str) -> Path:
        """The pod's namespace, as a runtime makes it."""
        path = self.directory / f"pod-{pod}"
        if not path.exists():
            netns.create(path)
            self._pods.append(path)
        return path

    def cni(
        self, command: str, pod: str, version: str = "1.1.0", container: str = "", **config: Any
    ) -> Answer:
        environment = {
            "CNI_COMMAND": command,
            "CNI_CONTAINERID": container or f"box-{pod}",
            "CNI_NETNS": str(self.directory / f"pod-{pod}"),
            "CNI_IFNAME": "eth0",
            "CNI_ARGS": f"IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME={pod};"
            f"K8S_POD_INFRA_CONTAINER_ID=x;K8S_POD_UID=uid-{pod}",
            "CNI_PATH": str(NATIVE),
        }
        stdin = {
            "cniVersion": version,
            "name": "contrail-k8s-cni",
            "type": "contrail-k8s-cni",
            "agent-socket": str(self.directory / "agent.sock"),
            **config,
        }
        done = subprocess.run(
            [NATIVE / "contrail-k8s-cni"],
            input=json.dumps(stdin).encode(),
            env=environment,
            capture_output=True,
            check=False,
            timeout=15,
        )
        return Answer(done.returncode, json.loads(done.stdout) if done.stdout else None)

    def plug(self, *pods: str) -> None:
        for pod in pods:
            self.sandbox(pod)
            answer = self.cni("ADD", pod)
            assert answer.code == 0, (answer.body, self.log())

    def inside(self, namespace: Path) -> list[str]:
        return ["nsenter", f"--net={namespace}"]

    def run(self, pod: str, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self.inside(self.directory / f"pod-{pod}"), *command],
            capture_output=True,
            text=True,
            check=False,
        )

    def pings(self, pod: str, to: str, *options: str) -> bool:
        arguments = options or ("-c", "3", "-i", "0.01", "-W", "0.3")
        return self.run(pod, "ping", *arguments, to).returncode == 0

    def links(self) -> list[str]:
        """Names of the links of the node's namespace."""
        command = [*self.inside(self.node), "ip", "-j", "link"]
        shown = subprocess.run(command, capture_output=True, check=True)
        return [one["ifname"] for one in json.loads(shown.stdout) if one["ifname"] != "lo"]


def wait_for(condition: Any, explain: Any = lambda: "", seconds: float = 10.0) -> None:
    """Return when the condition holds; fail with the explanation otherwise."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, explain()
        time.sleep(0.01)
