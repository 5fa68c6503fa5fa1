"""Pods that no kubelet will ever finish: those of nodes that are gone, and deleted unbound ones."""

from __future__ import annotations

import time
from collections.abc import Callable

from cn2.api.access import name_of, text
from cn2.api.kind import Object
from cn2.api.kinds import NODE, POD
from cn2.client.cache import Key, key_of
from cn2.client.errors import NotFound
from cn2.client.http import Client
from cn2.client.informer import Informers
from cn2.client.loop import Controller
from cn2.localkube.pods import BY_NODE, node_of_pod

QUARANTINE = 40.0
"""Seconds that a node must be missing, as in kube-controller-manager: it may be registering."""


class PodGarbage:
    def __init__(
        self,
        client: Client,
        informers: Informers,
        *,
        quarantine: float = QUARANTINE,
        tick: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._quarantine = quarantine
        self._tick = tick
        self._nodes = informers.of(NODE)
        self._pods = informers.of(POD)
        self._pods.add_index(BY_NODE, node_of_pod)
        self._missing: dict[str, float] = {}
        """When each node was first looked for in vain."""
        self.controller = (
            Controller("pod-garbage", self.reconcile)
            .watch(self._pods)
            .watch(self._nodes, self._pods_of)
        )

    def _pods_of(self, node: Object) -> list[Key]:
        return [key_of(pod) for pod in self._pods.by_index(BY_NODE, name_of(node))]

    async def reconcile(self, key: Key) -> float | None:
        pod = self._pods.objects.get(key)
        if pod is None:
            return None
        node = text(pod, "spec", "nodeName")
        if not node:
            if text(pod, "metadata", "deletionTimestamp"):
                await self._delete(key, pod)
            return None
        if self._nodes.get(node) is not None:
            self._missing.pop(node, None)
            return None
        since = self._missing.setdefault(node, self._tick())
        left = since + self._quarantine - self._tick()
        if left > 0:
            return left
        if await self._is_gone(node):
            await self._delete(key, pod)
        return None

    async def _is_gone(self, node: str) -> bool:
        """The server's word, as what is deleted here does not come back."""
        try:
            await self._client.get(NODE, node)
        except NotFound:
            return True
        return False

    async def _delete(self, key: Key, pod: Object) -> None:
        try:
            await self._client.delete(
                POD, key[1], key[0], uid=text(pod, "metadata", "uid"), grace=0
            )
        except NotFound:
            return
