"""Shows the supervised processes in the API: keeps their pods and workloads up to date."""

from __future__ import annotations

import asyncio
import datetime
import secrets
from collections.abc import Callable

import structlog

from cn2.api.access import annotation
from cn2.api.kind import Kind, Object
from cn2.api.kinds import by_name
from cn2.api.kubernetes.mirror import CONFIG_MIRROR, is_mirror
from cn2.client.errors import AlreadyExists, ApiError, NotFound
from cn2.client.http import Client
from cn2.supervisor import mirror
from cn2.supervisor.mirror import Shown

_log = structlog.get_logger("publisher")

_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
_RETRY = 1.0


class Publisher:
    """Writes what `shown()` says whenever `wake()` was called. Several wakes make one write."""

    def __init__(self, client: Client, shown: Callable[[], list[Shown]]) -> None:
        self._client = client
        self._shown = shown
        self._wake = asyncio.Event()
        self._written: dict[str, Object] = {}
        self._since: dict[str, tuple[bool, str]] = {}
        self._restarts_before: dict[str, int] = {}

    def wake(self) -> None:
        self._wake.set()

    async def run(self) -> None:
        """Publish until cancelled; an API server that is away is retried."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            for shown in self._shown():
                try:
                    await self._publish(shown)
                except (ApiError, OSError) as error:
                    _log.debug("publish failed", process=shown.workload.process, error=str(error))
                    await asyncio.sleep(_RETRY)
                    self._wake.set()

    async def _publish(self, shown: Shown) -> None:
        owner = await self._workload(shown)
        if owner is not None and owner["kind"] == "Deployment":
            owner = await self._replica_set(shown, owner)
        await self._pod(shown, owner)

    async def _workload(self, shown: Shown) -> Object | None:
        wanted = mirror.workload_object(shown)
        if wanted is None:
            return None
        kind = by_name(wanted["kind"])
        found = await self._ensure(kind, wanted)
        if found["spec"]["template"]["spec"]["containers"][0].get("env") != (
            mirror.container(shown).get("env")
        ):
            found = await self._client.patch(
                kind,
                wanted["metadata"]["name"],
                {"spec": {"template": wanted["spec"]["template"]}},
                wanted["metadata"]["namespace"],
            )
        generation = int(found["metadata"].get("generation", 1))
        await self._status(kind, found, mirror.workload_status(shown, generation))
        return found

    async def _replica_set(self, shown: Shown, deployment: Object) -> Object:
        kind = by_name("ReplicaSet")
        found = await self._ensure(kind, mirror.replica_set(shown, deployment))
        ready = int(shown.ready)
        await self._status(
            kind,
            found,
            {"replicas": 1, "fullyLabeledReplicas": 1, "readyReplicas": ready}
            | {"availableReplicas": ready, "observedGeneration": 1},
        )
        return found

    async def _pod(self, shown: Shown, owner: Object | None) -> None:
        kind = by_name("Pod")
        workload = shown.workload
        found = None
        for pod in (
            await self._client.list(kind, workload.namespace, label_selector=f"app={workload.name}")
        ).items:
            if not is_mirror(pod):
                continue  # somebody's own pod with this label
            if annotation(pod, CONFIG_MIRROR) == mirror.hash_of(shown):
                found = pod
            else:
                await self._client.delete(
                    kind, pod["metadata"]["name"], workload.namespace, grace=0
                )
        if found is None:
            suffix = "".join(secrets.choice(_ALPHABET) for _ in range(5))
            found = await self._ensure(kind, mirror.pod(shown, owner, suffix))
        name = found["metadata"]["name"]
        if workload.process not in self._restarts_before:
            self._restarts_before[workload.process] = _restarts_before(found)
        known = self._since.get(name)
        if known is None or known[0] != shown.ready:
            now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            known = self._since[name] = (shown.ready, now)
        status = mirror.pod_status(shown, known[1])
        status["containerStatuses"][0]["restartCount"] += self._restarts_before[workload.process]
        await self._status(kind, found, status)

    async def _ensure(self, kind: Kind, wanted: Object) -> Object:
        metadata = wanted["metadata"]
        try:
            return await self._client.get(kind, metadata["name"], metadata["namespace"])
        except NotFound:
            pass
        try:
            return await self._client.create(kind, wanted)
        except AlreadyExists:
            return await self._client.get(kind, metadata["name"], metadata["namespace"])

    async def _status(self, kind: Kind, found: Object, status: Object) -> None:
        metadata = found["metadata"]
        if self._written.get(metadata["uid"]) == status:
            return
        await self._client.patch(
            kind, metadata["name"], {"status": status}, metadata["namespace"], subresource="status"
        )
        self._written[metadata["uid"]] = status


def _restarts_before(pod: Object) -> int:
    """Restarts of this pod's container before this supervisor began to count."""
    statuses = pod.get("status", {}).get("containerStatuses") or []
    return int(statuses[0]["restartCount"]) + 1 if statuses else 0
