"""status of ResourceQuotas: what a namespace uses of what it may."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cn2.api.access import mapping, namespace_of, text
from cn2.api.kind import Kind, Object
from cn2.api.kinds import PERSISTENT_VOLUME_CLAIM, POD, RESOURCE_QUOTA, SERVICE
from cn2.api.kubernetes import quota as quotas
from cn2.client.cache import Key, key_of
from cn2.client.errors import Conflict, NotFound
from cn2.client.http import Client
from cn2.client.informer import Informer, Informers
from cn2.client.loop import Controller
from cn2.localkube.kept import metadata_only

_BY_NAMESPACE = "namespace"
_WHOLE = (POD, SERVICE, PERSISTENT_VOLUME_CLAIM)
"""Kinds of which more is counted than that they are there."""


class QuotaStatus:
    """`kinds` are those whose objects are counted."""

    def __init__(self, client: Client, informers: Informers, kinds: Sequence[Kind]) -> None:
        self._client = client
        self._quotas = informers.of(RESOURCE_QUOTA)
        self._quotas.add_index(_BY_NAMESPACE, lambda obj: (namespace_of(obj),))
        self.controller = Controller("quota", self.reconcile).watch(self._quotas)
        self._counted: list[Informer] = []
        for kind in kinds:
            if kind.namespaced:
                informer = informers.of(kind, keep=None if kind in _WHOLE else metadata_only)
                informer.add_index(_BY_NAMESPACE, lambda obj: (namespace_of(obj),))
                self._counted.append(informer)
                self.controller.watch(informer, self._quotas_beside)

    def _quotas_beside(self, obj: Object) -> Iterable[Key]:
        return map(key_of, self._quotas.by_index(_BY_NAMESPACE, namespace_of(obj)))

    async def reconcile(self, key: Key) -> float | None:
        quota = self._quotas.objects.get(key)
        if quota is None or text(quota, "metadata", "deletionTimestamp"):
            return None
        used = (
            quotas.charged(quota, informer.kind, obj)
            for informer in self._counted
            for obj in informer.by_index(_BY_NAMESPACE, key[0])
        )
        hard = mapping(quota, "spec", "hard")
        status = {"hard": hard, "used": quotas.totals(quota, used)}
        if status == quota.get("status"):
            return None
        try:
            reply = await self._client.replace(
                RESOURCE_QUOTA, {**quota, "status": status}, subresource="status"
            )
        except NotFound:
            return None
        except Conflict:
            return 0.05
        self._quotas.learn(reply)
        return None
