"""Deletion of a namespace: everything in it goes first, then the namespace itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from cn2.api.access import items, name_of, namespace_of, text
from cn2.api.kind import Kind, Object
from cn2.api.kinds import NAMESPACE
from cn2.client.cache import Key
from cn2.client.errors import Conflict, NotFound
from cn2.client.http import Client
from cn2.client.informer import Informers
from cn2.client.loop import Controller
from cn2.client.request import Patch
from cn2.localkube.kept import metadata_only

FINALIZER = "kubernetes"
"""The entry of spec.finalizers that stands for this controller."""

_BY_NAMESPACE = "namespace"
_LOOK_AGAIN = 5.0
"""Seconds; the watches tell of every step, this is for what they cannot see."""


class NamespaceDeletion:
    """Empties terminating namespaces of all `kinds` and finalizes them."""

    def __init__(self, client: Client, informers: Informers, kinds: Iterable[Kind]) -> None:
        self._client = client
        self._namespaces = informers.of(NAMESPACE)
        self._kinds = [kind for kind in kinds if kind.namespaced and "delete" in kind.verbs]
        self._content = [informers.of(kind, keep=metadata_only) for kind in self._kinds]
        self.controller = Controller("namespaces", self.reconcile).watch(self._namespaces)
        for informer in self._content:
            informer.add_index(_BY_NAMESPACE, lambda obj: (namespace_of(obj),))
            self.controller.watch(informer, self._terminating)

    def _terminating(self, obj: Object) -> list[Key]:
        namespace = self._namespaces.get(namespace_of(obj))
        return [("", name_of(namespace))] if namespace and is_terminating(namespace) else []

    async def reconcile(self, key: Key) -> float | None:
        namespace = self._namespaces.get(key[1])
        if namespace is None or not is_terminating(namespace):
            return None
        if FINALIZER not in items(namespace, "spec", "finalizers"):
            return None
        left = await self._delete_seen(key[1]) or await self._delete_unseen(key[1])
        if left:
            await self._report(namespace, left)
            return _LOOK_AGAIN
        await self._finalize(namespace)
        return None

    async def _delete_seen(self, name: str) -> list[tuple[Kind, int]]:
        """Deletes what the watches know; what is left, with its number."""
        left = []
        for informer in self._content:
            objects = informer.by_index(_BY_NAMESPACE, name)
            if objects:
                left.append((informer.kind, len(objects)))
            if any(not text(obj, "metadata", "deletionTimestamp") for obj in objects):
                await self._delete_all(informer.kind, name)
        return left

    async def _delete_unseen(self, name: str) -> list[tuple[Kind, int]]:
        """Before the namespace goes for good, the server itself must say that it is empty."""
        left = []
        for kind in self._kinds:
            objects = (await self._client.list(kind, name)).items
            if objects:
                left.append((kind, len(objects)))
                await self._delete_all(kind, name)
        return left

    async def _delete_all(self, kind: Kind, name: str) -> None:
        if "deletecollection" in kind.verbs:
            await self._client.delete_collection(kind, name, propagation="Background")
            return
        for obj in (await self._client.list(kind, name)).items:
            try:
                await self._client.delete(kind, name_of(obj), name, propagation="Background")
            except NotFound:
                continue

    async def _finalize(self, namespace: Object) -> None:
        left = [name for name in items(namespace, "spec", "finalizers") if name != FINALIZER]
        change = {**namespace, "spec": {**namespace["spec"], "finalizers": left}}
        try:
            await self._client.replace(NAMESPACE, change, subresource="finalize")
        except NotFound:
            return

    async def _report(self, namespace: Object, left: Sequence[tuple[Kind, int]]) -> None:
        conditions = remaining_conditions(left)
        have = {text(entry, "type"): entry for entry in items(namespace, "status", "conditions")}
        stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        changed = [
            {**condition, "lastTransitionTime": stamp}
            for condition in conditions
            if have.get(condition["type"], {}).get("message") != condition["message"]
        ]
        if not changed:
            return
        status = {"status": {"conditions": changed}}
        try:
            self._namespaces.learn(
                await self._client.patch(
                    NAMESPACE, name_of(namespace), status, how=Patch.STRATEGIC, subresource="status"
                )
            )
        except (NotFound, Conflict):
            return


def is_terminating(namespace: Object) -> bool:
    return bool(text(namespace, "metadata", "deletionTimestamp"))


def remaining_conditions(left: Sequence[tuple[Kind, int]]) -> list[Object]:
    """What kube-controller-manager says while a namespace is not empty, without times."""
    parts = [f"{kind.resource} has {number} resource instances" for kind, number in left]
    return [
        {
            "type": "NamespaceContentRemaining",
            "status": "True",
            "reason": "SomeResourcesRemain",
            "message": "Some resources are remaining: " + ", ".join(parts),
        }
    ]
