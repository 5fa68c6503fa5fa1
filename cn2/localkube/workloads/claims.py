"""Adopts and releases what a workload's selector says, and finds what it owns."""

from __future__ import annotations

from collections.abc import Callable

from cn2.api.access import at, mapping, name_of, namespace_of, text
from cn2.api.kind import Kind, Object
from cn2.api.kubernetes.selectors import selector_matches
from cn2.client.cache import Key, key_of
from cn2.client.errors import Conflict, NotFound
from cn2.client.http import Client
from cn2.client.informer import Informer
from cn2.client.request import Patch
from cn2.localkube.workloads.ownership import (
    claim,
    controller_of,
    controller_reference,
    controller_uid,
    is_deleting,
)

_BY_CONTROLLER = "controller"
_ORPHANS = "orphans"
BY_NAMESPACE = "namespace"


Fits = Callable[[Object, Object], bool]
"""Of an owner and a candidate."""


class Claims:
    """Of owners of one kind on objects of another. The owners' selector is spec.selector."""

    def __init__(
        self, client: Client, owners: Informer, owned: Informer, fits: Fits | None = None
    ) -> None:
        """`fits` says whether an orphan can be adopted, besides what the selector says."""
        self._client = client
        self._fits: Fits = fits or (lambda owner, obj: True)
        self._owners = owners
        self._owned = owned
        owners.add_index(BY_NAMESPACE, lambda obj: (namespace_of(obj),))
        owned.add_index(_BY_CONTROLLER, controller_uid)
        owned.add_index(_ORPHANS, _namespace_of_orphan)

    @property
    def kind(self) -> Kind:
        return self._owners.kind

    def owners_of(self, obj: Object) -> list[Key]:
        """Whom a change of `obj` concerns: its controller, or every owner that could adopt it."""
        reference = controller_of(obj)
        if not reference:
            return self._takers(obj)
        owner = self._owners.get(text(reference, "name"), namespace_of(obj))
        same = owner is not None and text(owner, "metadata", "uid") == text(reference, "uid")
        return [key_of(owner)] if owner is not None and same else []

    def _takers(self, obj: Object) -> list[Key]:
        labels = mapping(obj, "metadata", "labels")
        if not labels or is_deleting(obj):
            return []
        owners = self._owners.by_index(BY_NAMESPACE, namespace_of(obj))
        return [
            key_of(owner)
            for owner in owners
            if selector_matches(at(owner, "spec", "selector"), labels)
        ]

    def owned(self, owner: Object) -> list[Object]:
        """What the owner controls, by name."""
        found = self._owned.by_index(_BY_CONTROLLER, text(owner, "metadata", "uid"))
        return sorted(found, key=name_of)

    async def take(self, owner: Object) -> list[Object]:
        """Adopts and releases, then tells what is owned."""
        nearby = self._owned.by_index(_ORPHANS, namespace_of(owner))
        orphans = [obj for obj in nearby if self._fits(owner, obj)]
        found = claim(owner, at(owner, "spec", "selector"), [*self.owned(owner), *orphans])
        for obj in found.release:
            await self._release(owner, obj)
        if found.adopt and await self._still_there(owner):
            for obj in found.adopt:
                await self._adopt(owner, obj)
        return self.owned(owner)

    async def _still_there(self, owner: Object) -> bool:
        """The server's word: what is adopted for an owner that is gone would go with it."""
        try:
            found = await self._client.get(self.kind, name_of(owner), namespace_of(owner))
        except NotFound:
            return False
        same = text(found, "metadata", "uid") == text(owner, "metadata", "uid")
        return same and not is_deleting(found)

    async def _adopt(self, owner: Object, obj: Object) -> None:
        await self._own(obj, controller_reference(self.kind, owner))

    async def _release(self, owner: Object, obj: Object) -> None:
        await self._own(obj, {"$patch": "delete", "uid": text(owner, "metadata", "uid")})

    async def _own(self, obj: Object, reference: Object) -> None:
        metadata = {"uid": text(obj, "metadata", "uid"), "ownerReferences": [reference]}
        try:
            patched = await self._client.patch(
                self._owned.kind,
                name_of(obj),
                {"metadata": metadata},
                namespace_of(obj),
                how=Patch.STRATEGIC,
            )
        except (NotFound, Conflict):
            return  # gone, or another of that name by now: the watch will tell
        self._owned.learn(patched)


def _namespace_of_orphan(obj: Object) -> tuple[str, ...]:
    return () if controller_of(obj) else (namespace_of(obj),)
