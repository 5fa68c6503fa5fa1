"""Keeps the ControllerRevisions of DaemonSets and StatefulSets."""

from __future__ import annotations

from collections.abc import Iterable

from cn2.api.access import at, name_of, namespace_of, text
from cn2.api.kind import Object
from cn2.api.kinds import CONTROLLER_REVISION
from cn2.client.errors import AlreadyExists, NotFound
from cn2.client.http import Client
from cn2.client.informer import Informer, Informers
from cn2.localkube.workloads import revisions as plan
from cn2.localkube.workloads.claims import Claims
from cn2.localkube.workloads.ownership import controller_of
from cn2.localkube.workloads.templates import significant


class History:
    """Of owners of one kind."""

    def __init__(self, client: Client, informers: Informers, owners: Informer) -> None:
        self._client = client
        self._revisions = informers.of(CONTROLLER_REVISION)
        self.claims = Claims(client, owners, self._revisions)

    @property
    def informer(self) -> Informer:
        return self._revisions

    async def current(self, owner: Object, known: list[Object]) -> Object:
        """The revision of the owner's template, made if need be and the newest in any case;
        `known` are the owner's revisions and come to have it."""
        same = plan.same_revision(owner, known)
        if same is None:
            made = await self._create(owner, known)
            known.append(made)
            return made
        highest = max(plan.number_of(one) for one in known)
        if plan.number_of(same) == highest:
            return same
        change = {"revision": plan.next_number(known)}
        renewed = await self._client.patch(
            CONTROLLER_REVISION, name_of(same), change, namespace_of(same)
        )
        self._revisions.learn(renewed)
        known[:] = [renewed if one is same else one for one in known]
        return renewed

    async def _create(self, owner: Object, known: list[Object]) -> Object:
        """Another name for each collision with a revision that is not ours or not the same."""
        collisions = at(owner, "status", "collisionCount", default=0)
        while True:
            wanted = plan.new_revision(self.claims.kind, owner, known, collisions)
            try:
                made = await self._client.create(CONTROLLER_REVISION, wanted)
            except AlreadyExists:
                made = await self._client.get(
                    CONTROLLER_REVISION, name_of(wanted), namespace_of(owner)
                )
                if not _is_same(made, wanted, owner):
                    collisions += 1
                    continue
            self._revisions.learn(made)
            return made

    async def clean(self, owner: Object, known: Iterable[Object], in_use: Iterable[str]) -> None:
        """Deletes old revisions beyond the limit."""
        for one in plan.superfluous(owner, known, in_use):
            try:
                await self._client.delete(
                    CONTROLLER_REVISION,
                    name_of(one),
                    namespace_of(one),
                    uid=text(one, "metadata", "uid"),
                )
            except NotFound:
                continue


def _is_same(found: Object, wanted: Object, owner: Object) -> bool:
    ours = text(controller_of(found), "uid") == text(owner, "metadata", "uid")
    same = significant(plan.template_of(found)) == significant(plan.template_of(wanted))
    return ours and same
