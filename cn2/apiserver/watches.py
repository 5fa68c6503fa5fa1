"""Watches: what one watcher is told, in which form, encoded once for all who want the same."""

from __future__ import annotations

import asyncio
import random
import time
from collections import OrderedDict
from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass

from cn2.api.kind import Kind, Object
from cn2.apiserver import codec, keys, listing, views
from cn2.apiserver.backend import Backend
from cn2.apiserver.digest import Selection
from cn2.apiserver.errors import ApiError, bad_request, too_large, too_old
from cn2.apiserver.request import Chunks, Holding, Request
from cn2.apiserver.views import View
from cn2.store.interface import Compacted, Entry, Event, FutureRevision, Watch

ADDED, MODIFIED, DELETED, BOOKMARK = b"ADDED", b"MODIFIED", b"DELETED", b"BOOKMARK"
INITIAL_EVENTS_END = "k8s.io/initial-events-end"
BOOKMARK_SECONDS = 55.0
_SHORTEST, _LONGEST = 1800.0, 3600.0
"""A watch that names no timeout ends in between, as kube-apiserver's do."""
_INITIAL_CHUNK = 100
_AT_ONCE, _GATHER_SECONDS = 8, 0.01
"""A watch that tells much gathers: after so many pieces in a row, one in so many seconds. A piece
costs both ends more than what is in it."""
_REMEMBERED = 512


class Frames:
    """The open watches' events, encoded and remembered for others who want the same form."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._known: OrderedDict[tuple[str, int, bytes, View], bytes] = OrderedDict()
        self._open: set[Watch] = set()

    def open(self, prefix: str, after: int) -> Watch:
        watch = self._backend.store.watch(prefix, after)
        self._open.add(watch)
        return watch

    def close(self, watch: Watch) -> None:
        self._open.discard(watch)
        watch.close()

    def end(self) -> None:
        for watch in tuple(self._open):
            self.close(watch)

    def left(self, kind: Kind, event: Event, view: View) -> bytes:
        """The end of an object for a watcher whose selection it leaves: as it last was in it, at
        the revision of the change."""
        assert event.previous is not None
        obj = codec.decode(event.previous)
        obj["metadata"]["resourceVersion"] = str(event.revision)
        return codec.watch_event(DELETED, views.one(self._backend, kind, codec.dump(obj), view))

    def frame(self, kind: Kind, event_type: bytes, entry: Entry | Event, view: View) -> bytes:
        which = (entry.key, entry.revision, event_type, view)
        known = self._known.get(which)
        if known is None:
            body = views.one(self._backend, kind, entry.value, view)
            known = self._known[which] = codec.watch_event(event_type, body)
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return known


@dataclass(frozen=True, slots=True, kw_only=True)
class Watching:
    """One watch request, understood."""

    backend: Backend
    frames: Frames
    kind: Kind
    select: Selection
    view: View
    watch: Watch
    initial: tuple[Entry, ...]
    initial_bookmark: bool
    bookmarks: bool
    seconds: float

    def chunks(self) -> Chunks:
        """The stream's pieces: one per commit, however many events it has."""
        return Holding(self._pieces(), self._close)

    async def _close(self) -> None:
        self.frames.close(self.watch)

    async def _pieces(self) -> AsyncGenerator[bytes, None]:
        for start in range(0, len(self.initial), _INITIAL_CHUNK):
            yield self._initial(self.initial[start : start + _INITIAL_CHUNK])
            await asyncio.sleep(0)  # others have their turn between two pieces
        if self.initial_bookmark:
            yield self._bookmark({INITIAL_EVENTS_END: "true"})
        async for chunk in self._changes():
            yield chunk

    async def _changes(self) -> AsyncGenerator[bytes, None]:
        ends = time.monotonic() + self.seconds
        marks = time.monotonic() + BOOKMARK_SECONDS
        pace = _Pace()
        while (left := ends - time.monotonic()) > 0:
            wait = min(left, max(0.0, marks - time.monotonic())) if self.bookmarks else left
            try:
                events = await self.watch.next(wait)
            except Compacted as gone:
                yield _error(too_old(gone.asked, gone.oldest))
                return
            if not events and self.watch.closed:
                break
            chunk = b"".join(self._told(events))
            if chunk:
                yield chunk
                await pace.keep()
            if self.bookmarks and time.monotonic() >= marks:
                marks = time.monotonic() + BOOKMARK_SECONDS
                yield self._bookmark({})
        if self.bookmarks:
            yield self._bookmark({})

    def _initial(self, entries: Iterable[Entry]) -> bytes:
        return b"".join(
            codec.watch_event(ADDED, views.one(self.backend, self.kind, entry.value, self.view))
            for entry in entries
        )

    def _told(self, events: Iterable[Event]) -> Iterable[bytes]:
        for event in events:
            event_type = self._event_type(event)
            if event_type == DELETED and not event.deleted:
                yield self.frames.left(self.kind, event, self.view)
            elif event_type:
                yield self.frames.frame(self.kind, event_type, event, self.view)

    def _event_type(self, event: Event) -> bytes:
        """What the change means to this watcher: an object may enter or leave its selection."""
        if self.select.everything:
            if event.deleted:
                return DELETED
            return MODIFIED if event.previous else ADDED
        was = event.previous is not None and self.select(event.previous)
        now = not event.deleted and self.select(event.entry)
        if now:
            return MODIFIED if was else ADDED
        return DELETED if was else b""

    def _bookmark(self, annotations: dict[str, str]) -> bytes:
        metadata: Object = {
            "resourceVersion": str(self.watch.revision),
            "creationTimestamp": None,
            **({"annotations": annotations} if annotations else {}),
        }
        obj = {"kind": self.kind.kind, "apiVersion": self.kind.api_version, "metadata": metadata}
        if self.view.form == "Table":
            obj = views.rows(
                self.backend,
                self.kind,
                [],
                self.view,
                {"resourceVersion": str(self.watch.revision)},
            )
        elif self.view.form:
            obj = {**obj, "kind": self.view.form, "apiVersion": f"meta.k8s.io/{self.view.version}"}
        return codec.watch_event(BOOKMARK, codec.dump(obj))


class _Pace:
    """A leaky bucket of pieces."""

    def __init__(self) -> None:
        self._level = 0.0
        self._at = time.monotonic()

    async def keep(self) -> None:
        """Count a piece, and wait if there have been many."""
        now = time.monotonic()
        self._level = max(0.0, self._level - (now - self._at) / _GATHER_SECONDS) + 1
        self._at = now
        if self._level > _AT_ONCE:
            await asyncio.sleep(_GATHER_SECONDS)


def begin(
    backend: Backend, frames: Frames, kind: Kind, namespace: str, request: Request
) -> Watching:
    """Opens the watch that a request asks for. Raises Expired (410), Timeout, BadRequest."""
    query = request.query
    select = Selection(
        backend.digests, kind, query.get("labelSelector", ""), query.get("fieldSelector", "")
    )
    prefix = keys.under(kind, namespace)
    given = listing.revision(query.get("resourceVersion", ""))
    send_initial = _sends_initial(request, given)
    view, seconds = views.asked(request), _seconds(query.get("timeoutSeconds", ""))
    after = backend.store.revision if send_initial or not given else given
    if send_initial and given > backend.store.revision:
        raise too_large(given, backend.store.revision)
    try:
        watch = frames.open(prefix, after)
    except Compacted as gone:
        raise too_old(gone.asked, gone.oldest) from gone
    except FutureRevision as future:
        raise too_large(future.asked, future.current) from future
    initial: tuple[Entry, ...] = ()
    if send_initial:
        initial = tuple(filter(select, backend.store.list(prefix).entries))
    return Watching(
        backend=backend,
        frames=frames,
        kind=kind,
        select=select,
        view=view,
        watch=watch,
        initial=initial,
        initial_bookmark=request.flag("sendInitialEvents") and request.flag("allowWatchBookmarks"),
        bookmarks=request.flag("allowWatchBookmarks"),
        seconds=seconds,
    )


def _sends_initial(request: Request, given: int) -> bool:
    """Asked for outright, or by watching from no revision in particular."""
    match = request.query.get("resourceVersionMatch", "")
    if "sendInitialEvents" not in request.query:
        if match:
            raise bad_request(
                "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
            )
        return given == 0
    if match != "NotOlderThan":
        raise bad_request("sendInitialEvents requires setting resourceVersionMatch to NotOlderThan")
    return request.flag("sendInitialEvents")


def _seconds(text: str) -> float:
    if text and not text.isdecimal():
        raise bad_request(f"invalid timeoutSeconds {text!r}")
    return float(text) if text and int(text) else random.uniform(_SHORTEST, _LONGEST)


def _error(error: ApiError) -> bytes:
    return codec.watch_event(b"ERROR", codec.dump(error.status()))
