"""Keeps the Node object and its Lease: what tells the cluster that this node is there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import structlog

from cn2.api.kind import Object
from cn2.api.kinds import LEASE, NODE
from cn2.api.kubernetes.lease import NODE_LEASES
from cn2.client import AlreadyExists, ApiError, Client, NotFound
from cn2.client.informer import Informer
from cn2.podrunner.inotify import DirectoryChanges
from cn2.podrunner.nodes import Machine, lease, node_object, node_status

log = structlog.get_logger(__name__)

LEASE_SECONDS = 40
RENEW_SECONDS = 10.0
_HEARTBEAT_SECONDS = 300.0


class Registration:
    """One node. `problem` says why it cannot run pods, "" when it can."""

    def __init__(
        self,
        client: Client,
        name: str,
        machine: Machine,
        *,
        addresses: tuple[str, ...],
        pod_cidrs: tuple[str, ...],
        conf_dir: Path,
        problem: Callable[[], str],
    ) -> None:
        self.registered = False
        self._client = client
        self._name = name
        self._machine = machine
        self._addresses = addresses
        self._pod_cidrs = pod_cidrs
        self._conf_dir = conf_dir
        self._problem = problem
        self._informer = Informer(client, NODE, field_selector=f"metadata.name={name}")
        self._informer.on_change(self._on_change)
        self._wake = asyncio.Event()
        self._told: tuple[str, float] | None = None
        """The problem last written, and when."""

    async def run(self) -> None:
        """Keeps both until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._informer.run())
            group.create_task(self._watch_configuration())
            group.create_task(self._keep())

    def _on_change(self, old: Object | None, new: Object | None) -> None:
        if new is None:
            self._told = None
            self._wake.set()

    async def _watch_configuration(self) -> None:
        """A CNI configuration that appears makes the node ready at once."""
        self._conf_dir.mkdir(mode=0o755, parents=True, exist_ok=True)
        with DirectoryChanges(self._conf_dir) as changes:
            while True:
                self._wake.set()
                await changes.changed.wait()
                changes.changed.clear()

    async def _keep(self) -> None:
        await self._informer.synced.wait()
        while True:
            self._wake.clear()
            try:
                await self._once()
                self.registered = True
                delay = RENEW_SECONDS
            except ApiError as error:
                log.warning("node not registered", error=error.message)
                delay = 1.0
            try:
                async with asyncio.timeout(delay):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def _once(self) -> None:
        node = self._informer.get(self._name) or await self._create()
        problem, now = self._problem(), asyncio.get_running_loop().time()
        fresh = self._told is not None and now - self._told[1] < _HEARTBEAT_SECONDS
        if not (fresh and self._told and self._told[0] == problem):
            await self._tell(node, problem)
            self._told = (problem, now)
        await self._renew(node)

    async def _create(self) -> Object:
        wanted = node_object(self._name, self._machine, self._pod_cidrs)
        try:
            node = await self._client.create(NODE, wanted)
        except AlreadyExists:
            node = await self._client.get(NODE, self._name)
        self._informer.learn(node)
        return node

    async def _tell(self, node: Object, problem: str) -> None:
        wanted = node_object(self._name, self._machine, self._pod_cidrs)
        labels = node["metadata"].get("labels") or {}
        lacking = {
            key: value
            for key, value in wanted["metadata"]["labels"].items()
            if labels.get(key) != value
        }
        if lacking or any((node.get("spec") or {}).get(k) != v for k, v in wanted["spec"].items()):
            change = {"metadata": {"labels": lacking}, "spec": wanted["spec"]}
            await self._client.patch(NODE, self._name, change)
        status = node_status(
            self._name,
            self._machine,
            self._addresses,
            problem=problem,
            present=node.get("status") or {},
            moment=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        )
        await self._client.patch(NODE, self._name, {"status": status}, subresource="status")

    async def _renew(self, node: Object) -> None:
        renewed = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        change = {"spec": {"renewTime": renewed, "holderIdentity": self._name}}
        try:
            await self._client.patch(LEASE, self._name, change, NODE_LEASES)
        except NotFound:
            wanted = lease(self._name, node["metadata"]["uid"], LEASE_SECONDS)
            wanted["spec"]["renewTime"] = renewed
            await self._client.create(LEASE, wanted)
