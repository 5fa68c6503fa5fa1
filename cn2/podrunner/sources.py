"""The ConfigMaps and Secrets that the node's pods name: each watched once, however many name it.

So a change reaches every pod that mounts it, and nobody asks again and again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from cn2.api.kind import Object
from cn2.api.kinds import CONFIG_MAP, SECRET
from cn2.client import Client
from cn2.client.informer import Informer

Key = tuple[str, str, str]
"""(`ConfigMap` or `Secret`, namespace, name)"""

_KINDS = {kind.kind: kind for kind in (CONFIG_MAP, SECRET)}

_SYNC_SECONDS = 10.0


class NotSynced(Exception):
    """The API does not say whether they are there."""


@dataclass(slots=True)
class _Watch:
    informer: Informer
    task: asyncio.Task[None]
    users: dict[str, Callable[[], None]]
    """What to call on a change, by the uid of the pod."""


class Sources:
    """Of one node. Used within one event loop."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._watches: dict[Key, _Watch] = {}

    async def use(self, uid: str, keys: Iterable[Key], changed: Callable[[], None]) -> None:
        """Watches these for a pod, and no others any more; returns when they are known.

        `changed` is called when one of them has changed, appeared or gone. Raises `NotSynced`.
        """
        wanted = set(keys)
        for key in wanted:
            watch = self._watches.get(key) or self._begin(key)
            watch.users[uid] = changed
        self.release(uid, keep=wanted)
        try:
            async with asyncio.timeout(_SYNC_SECONDS):
                for key in wanted:
                    await self._watches[key].informer.synced.wait()
        except TimeoutError as error:
            kinds = ", ".join(sorted({kind.lower() for kind, _, _ in wanted}))
            text = f"failed to sync {kinds} cache: timed out waiting for the condition"
            raise NotSynced(text) from error

    def get(self, kind: str, namespace: str, name: str) -> Object | None:
        """A watched object; None when there is none."""
        watch = self._watches.get((kind, namespace, name))
        return watch.informer.get(name, namespace) if watch else None

    def release(self, uid: str, keep: Iterable[Key] = ()) -> None:
        """The pod needs nothing any more but `keep`."""
        kept = set(keep)
        for key, watch in list(self._watches.items()):
            if key in kept or watch.users.pop(uid, None) is None or watch.users:
                continue
            watch.task.cancel()
            del self._watches[key]

    def close(self) -> None:
        for watch in self._watches.values():
            watch.task.cancel()
        self._watches.clear()

    def _begin(self, key: Key) -> _Watch:
        kind, namespace, name = key
        informer = Informer(
            self._client,
            _KINDS[kind],
            namespace=namespace,
            field_selector=f"metadata.name={name}",
        )
        task = asyncio.create_task(informer.run(), name=f"{kind} {namespace}/{name}")
        watch = self._watches[key] = _Watch(informer, task, {})
        informer.on_change(lambda old, new: _tell(watch))
        return watch


def _tell(watch: _Watch) -> None:
    for changed in list(watch.users.values()):
        changed()
