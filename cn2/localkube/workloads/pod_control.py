"""Makes and deletes the pods of workloads, and tells of it in events.

The reply to every write is learned by the informer at once, so that the next look counts it. Two
things a reply cannot tell, and they are remembered here: pods deleted at once that the watch still
shows, and creations of which nobody knows whether they happened; after one of these the server is
asked before anything is counted again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from cn2.api.access import name_of, namespace_of, text
from cn2.api.kind import Object
from cn2.api.kinds import POD
from cn2.client.errors import ApiError, Conflict, NotFound, Unavailable
from cn2.client.events import NORMAL, WARNING, Events
from cn2.client.http import Client
from cn2.client.informer import Informer
from cn2.localkube.workloads.claims import Claims, Fits

_FIRST_BATCH = 1
"""Pods created at first; each batch that succeeds is followed by one of twice the size."""


Words = Callable[[str, Object, str, str], str]
"""The message of an event: create or delete, the owner, the pod's name, the error or ""."""


def _words(verb: str, owner: Object, pod: str, error: str) -> str:
    if error:
        return f"Error {verb[:-1]}ing: {error}"
    return f"{verb.capitalize()}d pod: {pod}"


class PodControl:
    """The pods of owners of one kind."""

    def __init__(
        self,
        client: Client,
        owners: Informer,
        pods: Informer,
        events: Events,
        *,
        words: Words = _words,
        fits: Fits | None = None,
    ) -> None:
        self.claims = Claims(client, owners, pods, fits)
        self._words = words
        self._client = client
        self._pods = pods
        self._events = events
        self._deleted: set[str] = set()
        """Uids of pods deleted by us that the informer still has."""
        self._uncertain: set[str] = set()
        """Uids of owners for which a creation may or may not have happened."""
        pods.on_change(self._forget)

    async def take(self, owner: Object) -> list[Object]:
        """Adopts and releases pods by the owner's selector, then tells which it has."""
        await self._ascertain(owner)
        return self._present(await self.claims.take(owner))

    def owned(self, owner: Object) -> list[Object]:
        """The owner's pods, without those that we have deleted."""
        return self._present(self.claims.owned(owner))

    async def create_all(self, owner: Object, pods: Sequence[Object]) -> ApiError | None:
        """Creates pods in batches that grow, so that what is refused is not asked a hundred
        times; the first error of the batch that failed."""
        made, batch = 0, _FIRST_BATCH
        while made < len(pods):
            part = pods[made : made + batch]
            tried = await asyncio.gather(*(self._try(owner, pod) for pod in part))
            errors = [error for error in tried if error is not None]
            if errors:
                return errors[0]
            made += len(part)
            batch *= 2
        return None

    async def _try(self, owner: Object, pod: Object) -> ApiError | None:
        try:
            await self.create(owner, pod)
        except ApiError as error:
            return error
        return None

    async def create(self, owner: Object, pod: Object) -> Object:
        uid = text(owner, "metadata", "uid")
        try:
            made = await self._client.create(POD, pod)
        except (Unavailable, asyncio.CancelledError) as error:
            self._uncertain.add(uid)
            self._refused(owner, pod, error)
            raise
        except ApiError as error:
            self._refused(owner, pod, error)
            raise
        self._pods.learn(made)
        message = self._words("create", owner, name_of(made), "")
        self._events.emit(owner, NORMAL, "SuccessfulCreate", message)
        return made

    def _refused(self, owner: Object, pod: Object, error: BaseException) -> None:
        if isinstance(error, ApiError) and not namespace_is_ending(error):
            message = self._words("create", owner, name_of(pod), error.message)
            self._events.emit(owner, WARNING, "FailedCreate", message)

    async def delete_all(self, owner: Object, pods: Sequence[Object]) -> ApiError | None:
        """Deletes pods; the first error."""
        tried = await asyncio.gather(*(self._try_delete(owner, pod) for pod in pods))
        return next((error for error in tried if error is not None), None)

    async def _try_delete(self, owner: Object, pod: Object) -> ApiError | None:
        try:
            await self.delete(owner, pod)
        except ApiError as error:
            return error
        return None

    async def delete(self, owner: Object, pod: Object) -> None:
        """Deletes a pod with its own grace; one that is gone already is no error."""
        name, uid = name_of(pod), text(pod, "metadata", "uid")
        self._deleted.add(uid)
        try:
            reply = await self._client.delete(POD, name, namespace_of(pod), uid=uid)
        except (NotFound, Conflict):
            if self._pods.get(name, namespace_of(pod)) is None:
                self._deleted.discard(uid)
            return
        except ApiError as error:
            self._deleted.discard(uid)
            message = self._words("delete", owner, name, error.message)
            self._events.emit(owner, WARNING, "FailedDelete", message)
            raise
        if reply.get("kind") == POD.kind:
            self._deleted.discard(uid)
            self._pods.learn(reply)
        message = self._words("delete", owner, name, "")
        self._events.emit(owner, NORMAL, "SuccessfulDelete", message)

    async def _ascertain(self, owner: Object) -> None:
        uid = text(owner, "metadata", "uid")
        if uid in self._uncertain:
            for pod in (await self._client.list(POD, namespace_of(owner))).items:
                self._pods.learn(pod)
            self._uncertain.discard(uid)

    def _present(self, pods: list[Object]) -> list[Object]:
        return [pod for pod in pods if text(pod, "metadata", "uid") not in self._deleted]

    def _forget(self, old: Object | None, new: Object | None) -> None:
        if new is None and old is not None:
            self._deleted.discard(text(old, "metadata", "uid"))


def namespace_is_ending(error: ApiError) -> bool:
    """The server refuses new objects because their namespace is being deleted."""
    causes = error.details.get("causes") or ()
    return any(text(cause, "reason") == "NamespaceTerminating" for cause in causes)
