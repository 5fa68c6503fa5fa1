"""A local copy of one kind, kept true by list and watch.

One loop: list; then watch from the list's revision, and again from the last revision seen whenever
a watch ends; list again only when that revision is compacted (410), and then tell the difference.
Errors are waited out with jittered backoff, for ever: a kind that is not served yet appears later.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping

import structlog

from cn2.api.kind import Kind, Object
from cn2.client.backoff import Backoff
from cn2.client.cache import Cache, Change, Index, Key, revision_of
from cn2.client.errors import ApiError, Gone
from cn2.client.http import Client
from cn2.client.metrics import INFORMER_OBJECTS, INFORMER_RESTARTS
from cn2.client.request import WatchEvent

log = structlog.get_logger(__name__)

Handler = Callable[[Object | None, Object | None], None]
"""Called as handler(old, new) after the copy has changed: old None = added, new None = deleted."""

_HEALTHY_SECONDS = 10.0
"""A watch that lived this long was well: the next delay starts small again."""


class Informer:
    """Watches one kind (in one namespace, or what a selector picks).

    Objects handed out are shared: copy before changing. `keep` reduces each object to what is
    wanted of it; metadata must stay.
    """

    def __init__(
        self,
        client: Client,
        kind: Kind,
        *,
        namespace: str = "",
        label_selector: str = "",
        field_selector: str = "",
        indexes: Mapping[str, Index] = {},
        keep: Callable[[Object], Object] | None = None,
    ) -> None:
        self.kind = kind
        self.namespace = namespace
        self.synced = asyncio.Event()
        """Set once a whole list has been taken in, for good."""
        self.problem = "not listed yet"
        """Why the copy may be stale, "" while the watch is well."""
        self._client = client
        self._label_selector = label_selector
        self._field_selector = field_selector
        self._keep = keep
        self._cache = Cache(indexes)
        self._handlers: list[Handler] = []
        # At most 3 s: what is not seen is not done, and one attempt costs the server little.
        self._backoff = Backoff(0.05, 3.0)

    @property
    def objects(self) -> Mapping[Key, Object]:
        return self._cache.objects

    def get(self, name: str, namespace: str = "") -> Object | None:
        return self._cache.objects.get((namespace, name))

    def by_index(self, index: str, value: str) -> list[Object]:
        return self._cache.by_index(index, value)

    def add_index(self, name: str, index: Index) -> None:
        """Adds an index; the same name may be asked for by several users of a shared informer,
        who must mean the same."""
        if name not in self._cache.indexes():
            self._cache.add_index(name, index)

    def on_change(self, handler: Handler) -> None:
        """Calls `handler` for every change from now on, and first for every object known."""
        self._handlers.append(handler)
        for obj in list(self._cache.objects.values()):
            self._call(handler, None, obj)

    def learn(self, obj: Object) -> None:
        """Takes in the reply to a write of one's own, so that the next look already sees it."""
        if self.namespace and obj["metadata"].get("namespace") != self.namespace:
            return
        selective = bool(self._label_selector or self._field_selector)
        self._tell(self._cache.learned(self._kept(obj), only_known=selective))

    async def run(self) -> None:
        """Keeps the copy true until cancelled."""
        listed = False
        while True:
            started = time.monotonic()
            try:
                if not listed:
                    await self._list()
                    listed = True
                await self._watch()
            except Gone:
                listed = False
            except ApiError as error:
                self._note(error)
            if time.monotonic() - started > _HEALTHY_SECONDS:
                self._backoff.reset()
            INFORMER_RESTARTS.labels(self.kind.resource).inc()
            await asyncio.sleep(self._backoff.delay())

    async def _list(self) -> None:
        answer = await self._client.list(
            self.kind,
            self.namespace,
            label_selector=self._label_selector,
            field_selector=self._field_selector,
        )
        revision = int(answer.revision) if answer.revision.isdigit() else 0
        self._tell(self._cache.replaced(map(self._kept, answer.items), revision))
        self.problem = ""
        self.synced.set()

    async def _watch(self) -> None:
        events = self._client.watch(
            self.kind,
            self.namespace,
            label_selector=self._label_selector,
            field_selector=self._field_selector,
            revision=str(self._cache.revision) if self._cache.revision else "",
            opened=self._opened,
        )
        async for event in events:
            self._tell(self._take(event))

    def _opened(self) -> None:
        self.problem = ""

    def _take(self, event: WatchEvent) -> list[Change]:
        if event.type == "BOOKMARK":
            self._cache.saw_bookmark(revision_of(event.object))
            return []
        obj = self._kept(event.object)
        if event.type == "DELETED":
            return self._cache.saw_deleted(obj)
        return self._cache.saw(obj)

    def _kept(self, obj: Object) -> Object:
        return self._keep(obj) if self._keep else obj

    def _tell(self, changes: list[Change]) -> None:
        for old, new in changes:
            for handler in self._handlers:
                self._call(handler, old, new)
        if changes:
            INFORMER_OBJECTS.labels(self.kind.resource).set(len(self._cache.objects))

    def _call(self, handler: Handler, old: Object | None, new: Object | None) -> None:
        """A handler's mistake about one object must not end the watch for all."""
        try:
            handler(old, new)
        except Exception:
            metadata = (new or old or {}).get("metadata", {})
            log.exception(
                "handler failed",
                kind=self.kind.kind,
                namespace=metadata.get("namespace", ""),
                name=metadata.get("name", ""),
            )

    def _note(self, error: ApiError) -> None:
        # That the server is away is the client's to say, once and not for every kind.
        if error.reason != "Unreachable" and error.message != self.problem:
            log.warning("watch lost", kind=self.kind.kind, reason=error.reason, error=error.message)
        self.problem = error.message or error.reason


class Informers:
    """The informers of one process: one per kind, shared by all who ask for it."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self._shared: dict[str, Informer] = {}

    def of(self, kind: Kind, *, keep: Callable[[Object], Object] | None = None) -> Informer:
        """The informer of all objects of a kind. The first to ask decides what is kept."""
        informer = self._shared.get(kind.resource)
        if informer is None:
            informer = self._shared[kind.resource] = Informer(self.client, kind, keep=keep)
        return informer

    def __iter__(self) -> Iterator[Informer]:
        return iter(list(self._shared.values()))

    async def run(self) -> None:
        """Runs every informer that has been asked for so far, until cancelled."""
        async with asyncio.TaskGroup() as group:
            for informer in self._shared.values():
                group.create_task(informer.run(), name=f"informer {informer.kind.resource}")

    async def synced(self) -> None:
        """Returns when every informer has taken in a whole list."""
        for informer in list(self._shared.values()):
            await informer.synced.wait()

    def problem(self) -> str:
        """Which watches are not well, "" when all are: a readiness check."""
        kinds: dict[str, list[str]] = {}
        for informer in self._shared.values():
            if informer.problem:
                kinds.setdefault(informer.problem, []).append(informer.kind.resource)
        return "; ".join(f"{_some(names)}: {problem}" for problem, names in kinds.items())


def _some(names: list[str]) -> str:
    """The first few names, and how many more there are."""
    more = len(names) - 3
    return ", ".join(names[:3]) + (f" and {more} more" if more > 0 else "")
