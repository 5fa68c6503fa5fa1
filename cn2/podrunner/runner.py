"""Gives every pod of the node a worker, and every sandbox without a pod its end."""

from __future__ import annotations

import asyncio

import structlog

from cn2.api.kind import Object
from cn2.api.kinds import POD
from cn2.api.kubernetes.mirror import is_mirror
from cn2.client.backoff import Backoff
from cn2.client.informer import Informer
from cn2.podrunner import record as records
from cn2.podrunner.decide import is_terminal
from cn2.podrunner.place import PodPlace
from cn2.podrunner.services import Node
from cn2.podrunner.worker import PodWorker

log = structlog.get_logger(__name__)

_FIRST_AGAIN, _LAST_AGAIN = 1.0, 60.0
"""Seconds until the worker of a pod that has failed (a full disk, say) begins anew."""


class PodRunner:
    """The pods of one node. Cancelling `run` leaves the pods running."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.pods = Informer(node.client, POD, field_selector=f"spec.nodeName={node.name}")
        self._workers: dict[str, PodWorker] = {}
        self._group: asyncio.TaskGroup | None = None

    async def run(self) -> None:
        """Runs pods until cancelled."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            group.create_task(self.pods.run(), name="pods")
            await self.pods.synced.wait()
            self._end_orphans()
            self.pods.on_change(self._on_change)

    def find(self, namespace: str, name: str) -> Object | None:
        return self.pods.get(name, namespace)

    def _on_change(self, old: Object | None, new: Object | None) -> None:
        pod = new or old
        assert pod is not None
        if is_mirror(pod):
            return
        uid = pod["metadata"]["uid"]
        worker = self._workers.get(uid)
        if worker is not None:
            worker.update(new)
        elif new is not None:
            self._begin(uid, new)

    def _begin(self, uid: str, pod: Object | None) -> None:
        record = records.read(PodPlace(self.node.data_dir, uid))
        if record is None and pod and is_terminal(pod) and not _is_ending(pod):
            return  # ended for good, before a restart of the machine
        worker = PodWorker(self.node, uid, pod, record)
        self._workers[uid] = worker
        assert self._group is not None
        self._group.create_task(self._work(uid, worker), name=f"pod {uid}")

    async def _work(self, uid: str, worker: PodWorker) -> None:
        again = Backoff(_FIRST_AGAIN, _LAST_AGAIN)
        try:
            while True:
                try:
                    return await worker.run()
                except Exception:
                    log.exception("pod worker failed", uid=uid)  # the other pods go on
                await asyncio.sleep(again.delay())
        finally:
            del self._workers[uid]

    def _end_orphans(self) -> None:
        """Sandboxes of pods that went while nobody was looking."""
        pods = self.node.data_dir / "pods"
        here = {pod["metadata"]["uid"] for pod in self.pods.objects.values()}
        for directory in pods.iterdir() if pods.is_dir() else []:
            if directory.name in here:
                continue
            record = records.read(PodPlace(self.node.data_dir, directory.name))
            if record is not None and record.node == self.node.name:
                self._begin(directory.name, None)


def _is_ending(pod: Object) -> bool:
    return bool(pod["metadata"].get("deletionTimestamp"))
