"""The garbage collector: deletes what nobody owns any more, as soon as the owner is gone."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

import structlog

from cn2.api.access import text
from cn2.api.kind import Kind, Object
from cn2.client.cache import Key
from cn2.client.errors import NotFound
from cn2.client.http import Client
from cn2.client.informer import Handler, Informers
from cn2.client.loop import Controller
from cn2.localkube.graph import (
    ORPHAN,
    Delete,
    DropOwners,
    Free,
    Graph,
    Node,
    Release,
    Standing,
    decide,
    node_of,
)
from cn2.localkube.kept import metadata_only

log = structlog.get_logger(__name__)

_REMEMBERED = 50_000
"""Uids of owners known to be gone; an owner forgotten is asked for once more, no harm."""


class GarbageCollector:
    """Keeps the graph of all `kinds` and acts on it. Keys of its queue are ("", uid)."""

    def __init__(self, client: Client, informers: Informers, kinds: Iterable[Kind]) -> None:
        self._client = client
        self._graph = Graph()
        self._gone: OrderedDict[str, None] = OrderedDict()
        self._kinds: dict[tuple[str, str], Kind] = {}
        self.controller = Controller("garbage", self.reconcile, workers=16)
        for kind in kinds:
            self._kinds[kind.api_version, kind.kind] = kind
            informers.of(kind, keep=metadata_only).on_change(self._changes(kind))

    def _changes(self, kind: Kind) -> Handler:
        def changed(old: Object | None, new: Object | None) -> None:
            if new is not None:
                look = self._graph.put(node_of(kind, new))
            elif old is not None:
                uid = text(old, "metadata", "uid")
                self._remember_gone(uid)
                look = self._graph.remove(uid)
            else:
                return
            for uid in look:
                self.controller.queue.add(("", uid))

        return changed

    async def reconcile(self, key: Key) -> float | None:
        node = self._graph.nodes.get(key[1])
        if node is None:
            return None
        if not node.deleting:
            await self._look_for_owners(node)
        # The look may have taken a while: decide on what is known now.
        node = self._graph.nodes.get(key[1])
        if node is not None:
            await self._act(node)
        return None

    async def _act(self, node: Node) -> None:
        step = decide(self._graph, node, self._standing)
        try:
            match step:
                case Delete(propagation):
                    await self._delete(node, propagation)
                case DropOwners(uids):
                    await self._drop_owners(node, uids)
                case Release(finalizer):
                    await self._release(node, finalizer)
                case Free(dependents):
                    for dependent in dependents:
                        await self._drop_owners(dependent, frozenset({node.uid}))
                    await self._release(node, ORPHAN)
        except NotFound:
            # Gone meanwhile, which is what all of these steps lead to; the watch will say so.
            return

    def _standing(self, owner: Object) -> Standing:
        uid = text(owner, "uid")
        node = self._graph.nodes.get(uid)
        if node is not None:
            return Standing.WAITING if node.waits else Standing.SOLID
        return Standing.ABSENT if uid in self._gone else Standing.SOLID

    async def _look_for_owners(self, node: Node) -> None:
        """Asks the server for owners that no watch has shown: informers of two kinds are torn, so
        a dependent may be seen before its owner."""
        for owner in node.owners:
            uid = text(owner, "uid")
            if uid in self._graph.nodes or uid in self._gone:
                continue
            if await self._is_gone(node, owner):
                self._remember_gone(uid)

    async def _is_gone(self, node: Node, owner: Object) -> bool:
        kind = self._kinds.get((text(owner, "apiVersion"), text(owner, "kind")))
        if kind is None or (kind.namespaced and not node.namespace):
            log.warning(
                "owner cannot be looked up",
                kind=node.kind.kind,
                namespace=node.namespace,
                name=node.name,
                owner=f"{text(owner, 'apiVersion')} {text(owner, 'kind')} {text(owner, 'name')}",
            )
            return False
        namespace = node.namespace if kind.namespaced else ""
        try:
            found = await self._client.get(kind, text(owner, "name"), namespace)
        except NotFound:
            return True
        return text(found, "metadata", "uid") != text(owner, "uid")

    async def _delete(self, node: Node, propagation: str) -> None:
        # With the revision: owners may have been added since this one was read.
        await self._client.delete(
            node.kind,
            node.name,
            node.namespace,
            uid=node.uid,
            revision=node.revision,
            propagation=propagation,
        )
        log.info(
            "collected", kind=node.kind.kind, namespace=node.namespace, name=node.name, uid=node.uid
        )

    async def _drop_owners(self, node: Node, uids: frozenset[str]) -> None:
        owners = [owner for owner in node.owners if text(owner, "uid") not in uids]
        await self._patch_metadata(node, {"ownerReferences": owners or None})

    async def _release(self, node: Node, finalizer: str) -> None:
        left = [name for name in node.finalizers if name != finalizer]
        await self._patch_metadata(node, {"finalizers": left or None})

    async def _patch_metadata(self, node: Node, change: Object) -> None:
        guard = {"uid": node.uid, "resourceVersion": node.revision}
        await self._client.patch(node.kind, node.name, {"metadata": guard | change}, node.namespace)

    def _remember_gone(self, uid: str) -> None:
        self._gone[uid] = None
        if len(self._gone) > _REMEMBERED:
            self._gone.popitem(last=False)
