"""One running system: everything that `cn2 up` starts, in order, and keeps running."""

from __future__ import annotations

import asyncio
import datetime
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cn2 import __version__
from cn2.api.kind import Object
from cn2.api.kinds import by_name
from cn2.client.errors import AlreadyExists, Unavailable
from cn2.client.http import Client
from cn2.client.informer import Informer
from cn2.drivers.mounts import mount_bpffs
from cn2.supervisor import commands, fabric, planes
from cn2.supervisor.layout import Layout, write_private
from cn2.supervisor.mirror import Shown
from cn2.supervisor.pki import Authority
from cn2.supervisor.planes import WORKLOADS
from cn2.supervisor.process import Command, Process
from cn2.supervisor.publisher import Publisher
from cn2.supervisor.settings import Settings
from cn2.supervisor.spawner import Spawner

COMPONENTS = ("controller", "kubemanager", "localkube", "supervisor")
NODE_COMPONENTS = ("agent", "podrunner")
_RETRY, _PATIENCE = 0.05, 200
"""Seconds between two tries to reach the API server, and how many of them."""
_API_SERVER_HOSTS = ("127.0.0.1", "localhost", "kubernetes", "kubernetes.default.svc", "10.96.0.1")


class System:
    """Brings a system up and keeps it up. `steps` says, in order, how far it has come."""

    def __init__(self, layout: Layout, settings: Settings, native: Path, spawner: Spawner) -> None:
        self.layout = layout
        self.settings = settings
        self.native = native
        self.spawner = spawner
        self.steps: list[tuple[str, float]] = []
        self.ready = asyncio.Event()
        self.processes: dict[str, Process] = {}
        self._began = asyncio.get_running_loop().time()
        self._changed = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._client: Client | None = None
        self._publisher: Publisher | None = None

    def _step(self, text: str) -> None:
        self.steps.append((text, asyncio.get_running_loop().time() - self._began))

    async def start(self) -> None:
        """Start everything; returns when every process is ready."""
        layout, settings = self.layout, self.settings
        layout.make()
        prepare_keys(layout, settings)
        self._step("keys and certificates")
        fabric.create(layout, settings)
        mount_bpffs(layout.bpf)
        write_cni_configuration(layout, settings)
        self._step("fabric and node namespaces")
        await self._start_processes()
        await self._until(lambda: all(process.ready for process in self.processes.values()))
        self._step("node ready")
        settings.save(layout)
        self.ready.set()

    async def _start_processes(self) -> None:
        layout, settings, native = self.layout, self.settings, str(self.native)
        self._run(commands.apiserver(layout, settings))
        self._run(commands.controller(layout, settings))
        self._run(commands.localkube(layout))
        self._run(commands.agent(layout, settings, native))
        self._run(commands.podrunner(layout, settings, native))
        await self._until(lambda: self.processes["apiserver"].ready)
        self._step("API server")
        kubeconfig = layout.component_kubeconfig("supervisor")
        client = self._client = Client.from_kubeconfig(kubeconfig, manager="manager")
        await ensure_planes(client)
        watched = Informer(client, by_name("Kubemanager"), namespace="contrail")
        watched.on_change(self._kubemanager_changed)
        self._spawn(watched.run())
        await watched.synced.wait()
        self._publisher = Publisher(client, self._shown)
        self._spawn(self._publisher.run())
        await self._until(
            lambda: all(self._is_ready(name) for name in ("controller", "kubemanager"))
        )
        self._step("controllers")

    def _is_ready(self, name: str) -> bool:
        return name in self.processes and self.processes[name].ready

    def _run(self, command: Command) -> None:
        process = Process(command, self.layout, self.spawner, self._note)
        self.processes[command.name] = process
        process.start()

    def _spawn(self, work: Any) -> None:
        self._tasks.append(asyncio.create_task(work))

    def _note(self) -> None:
        self._changed.set()
        if self._publisher is not None:
            self._publisher.wake()

    async def _until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            self._changed.clear()
            await self._changed.wait()

    def _kubemanager_changed(self, old: Object | None, new: Object | None) -> None:
        """The Kubemanager object was written: the process follows it."""
        if new is None or new["metadata"]["name"] != "contrail-k8s-kubemanager":
            return
        environment = planes.kubemanager_environment(new, self.settings)
        command = commands.kubemanager(self.layout, self.settings, environment)
        running = self.processes.get("kubemanager")
        if running is None:
            self._run(command)
        elif running.command != command:
            running.replace(command)

    def _shown(self) -> list[Shown]:
        return [
            Shown(
                workload=workload,
                command=process.command,
                node=self.settings.node_name,
                node_address=self.settings.node_address,
                log_file=str(self.layout.log_file(process.name)),
                version=__version__,
                current=process.current,
                previous=process.previous,
                restarts=process.restarts,
                ready=process.ready,
                crashing=process.reason if process.failures > 1 else "",
            )
            for workload in WORKLOADS
            if (process := self.processes.get(workload.process)) is not None
        ]

    async def stop(self) -> None:
        """Stop every process; pods and namespaces are left to `cn2 down`."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._client is not None:
            await self._client.close()
        rest = [process for process in self.processes.values() if process.name != "apiserver"]
        await asyncio.gather(*(process.stop() for process in rest))
        if "apiserver" in self.processes:
            await self.processes["apiserver"].stop()
        self.spawner.close()

    def describe(self) -> dict[str, Any]:
        """The state of the system as JSON, for `cn2 up` and `cn2 status`."""
        now = datetime.datetime.now(datetime.UTC)
        return {
            "version": __version__,
            "ready": self.ready.is_set(),
            "steps": [{"step": text, "seconds": round(at, 3)} for text, at in self.steps],
            "node": self.settings.node_name,
            "server": f"https://127.0.0.1:{self.settings.port}",
            "processes": [
                {
                    "name": process.name,
                    "ready": process.ready,
                    "pid": process.current.pid if process.current else None,
                    "restarts": process.restarts,
                    "failures": process.failures,
                    "reason": process.reason,
                    "exitCode": process.previous.exit_code if process.previous else None,
                    "seconds": (
                        round((now - process.current.started).total_seconds(), 1)
                        if process.current
                        else 0
                    ),
                    "log": str(self.layout.log_file(process.name)),
                }
                for process in self.processes.values()
            ],
        }


def prepare_keys(layout: Layout, settings: Settings) -> None:
    """Make what is missing or about to expire of keys, certificates and kubeconfigs."""
    authority = Authority(layout, datetime.datetime.now(datetime.UTC))
    authority.server("apiserver", [*_API_SERVER_HOSTS, settings.fabric_address])
    authority.signing_key("sa")
    local = f"https://127.0.0.1:{settings.port}"
    inside = f"https://{settings.fabric_address}:{commands.FABRIC_PORT}"
    for component in COMPONENTS + NODE_COMPONENTS:
        authority.kubeconfig(
            layout.component_kubeconfig(component),
            server=inside if component in NODE_COMPONENTS else local,
            user=f"system:cn2:{component}",
            group="system:masters",
            cluster=settings.cluster_name,
        )
    authority.kubeconfig(
        layout.kubeconfig,
        server=local,
        user="kubernetes-admin",
        group="system:masters",
        cluster=settings.cluster_name,
    )


def write_cni_configuration(layout: Layout, settings: Settings) -> None:
    """The CNI configuration of the node, where a container runtime looks for it."""
    node = layout.node(settings.node_name)
    directory = node / "cni/net.d"
    directory.mkdir(parents=True, exist_ok=True)
    (node / "ports").mkdir(mode=0o700, exist_ok=True)
    configuration = {
        "cniVersion": "1.0.0",
        "name": "contrail-k8s-cni",
        "type": "contrail-k8s-cni",
        "agent-socket": str(node / "agent.sock"),
        "contrail": {"cluster-name": settings.cluster, "mode": "k8s", "vif-type": "veth"},
    }
    write_private(directory / "10-contrail.conf", json.dumps(configuration, indent=2).encode())


async def ensure_planes(client: Client) -> None:
    """Create CN2's namespaces and plane objects where they are missing."""
    for name in planes.NAMESPACES:
        await _create(
            client,
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}},
        )
    for workload in WORKLOADS:
        if workload.plane:
            await _create(client, planes.plane_object(workload))


async def _create(client: Client, wanted: Object) -> None:
    """Create an object unless it is there; a server that is just opening its doors is retried."""
    for _ in range(_PATIENCE):
        try:
            await client.create(by_name(wanted["kind"]), wanted)
            return
        except AlreadyExists:
            return
        except Unavailable:
            await asyncio.sleep(_RETRY)
    await client.create(by_name(wanted["kind"]), wanted)
