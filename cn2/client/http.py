"""The client: moves requests of `cn2.client.request` over a few warm connections.

Retries are here and nowhere above: 429 always (the server did not do it), 5xx and lost connections
only where sending twice does no harm. Callers see an `ApiError` when that did not help.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import structlog

from cn2.api.kind import Kind, Object
from cn2.client import kubeconfig, request
from cn2.client.backoff import Backoff
from cn2.client.connection import Address, Head, Pool, Unconnected
from cn2.client.errors import ApiError, Unavailable, error_of_reply
from cn2.client.request import LineSplitter, ObjectList, Patch, Request, WatchEvent

log = structlog.get_logger(__name__)

_ATTEMPTS = 5
_REPLY_SECONDS = 60.0
_CONNECT_SECONDS = 30.0
_TOKEN_SECONDS = 60.0
_CONNECTIONS = 8
"""For requests; a watch has one of its own."""
_WARM_SECONDS = 60.0
"""How long an idle connection is kept: less than servers do, so that none is used as it closes."""

WATCH_SILENCE = 90.0
"""Seconds of silence after which a watch is taken for dead; servers send a bookmark a minute."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer below 400."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Client:
    """Talks to one API server as one field manager. `kind` is a `Kind` everywhere.

    Make it anywhere; it connects in the event loop that first uses it.
    """

    def __init__(self, connection: kubeconfig.Connection, *, manager: str = "cn2") -> None:
        self.connection = connection
        self.manager = manager
        url = urlsplit(connection.server)
        self._address = Address(
            url.hostname or "",
            url.port or (443 if url.scheme == "https" else 80),
            connection.tls(),
            connection.server_name or None,
        )
        self._path = url.path.rstrip("/")
        self._known_headers = f" HTTP/1.1\r\nHost: {url.netloc}\r\nUser-Agent: {manager}/cn2\r\n"
        self._pool: Pool | None = None
        self._token = connection.token
        self._token_read = -_TOKEN_SECONDS
        self._reached = True

    @classmethod
    def from_kubeconfig(
        cls, path: Path, *, manager: str = "cn2", server: str | None = None
    ) -> Client:
        """A client of the current context; `server` replaces its address, not its credentials."""
        connection = kubeconfig.load(path)
        return cls(connection.at(server) if server else connection, manager=manager)

    # -- objects ---------------------------------------------------------------------------------

    async def get(
        self, kind: Kind, name: str, namespace: str = "", *, subresource: str = ""
    ) -> Object:
        return await self._object(request.get(kind, name, namespace, subresource))

    async def list(
        self,
        kind: Kind,
        namespace: str = "",
        *,
        label_selector: str = "",
        field_selector: str = "",
        limit: int = 0,
    ) -> ObjectList:
        """All objects; with `limit` they are fetched that many at a time."""
        items: list[Object] = []
        more = ""
        while True:
            ask = request.list_(
                kind,
                namespace,
                label_selector=label_selector,
                field_selector=field_selector,
                limit=limit,
                more=more,
            )
            page = request.decode_list(kind, (await self._send(ask)).body)
            if not items and not page.more:
                return page
            items += page.items
            more = page.more
            if not more:
                return ObjectList(items, page.revision)

    async def create(self, kind: Kind, obj: Object, *, subresource: str = "") -> Object:
        return await self._object(
            request.create(kind, obj, manager=self.manager, subresource=subresource)
        )

    async def replace(self, kind: Kind, obj: Object, *, subresource: str = "") -> Object:
        return await self._object(
            request.replace(kind, obj, manager=self.manager, subresource=subresource)
        )

    async def patch(
        self,
        kind: Kind,
        name: str,
        patch: Any,
        namespace: str = "",
        *,
        how: Patch = Patch.MERGE,
        subresource: str = "",
        force: bool = False,
    ) -> Object:
        return await self._object(
            request.patch(
                kind,
                name,
                patch,
                namespace,
                how=how,
                subresource=subresource,
                manager=self.manager,
                force=force,
            )
        )

    async def delete(
        self,
        kind: Kind,
        name: str,
        namespace: str = "",
        *,
        uid: str = "",
        revision: str = "",
        grace: int | None = None,
        propagation: str = "",
    ) -> Object:
        """The Status of the deletion, or the object itself while finalizers keep it."""
        return await self._object(
            request.delete(
                kind,
                name,
                namespace,
                uid=uid,
                revision=revision,
                grace=grace,
                propagation=propagation,
            )
        )

    async def delete_collection(
        self, kind: Kind, namespace: str = "", *, propagation: str = ""
    ) -> Object:
        return await self._object(
            request.delete_collection(kind, namespace, propagation=propagation)
        )

    # -- paths -----------------------------------------------------------------------------------

    async def fetch(self, path: str, query: Mapping[str, str] | None = None) -> Object:
        """GET of a path that is no object, e.g. a pool's `next`."""
        return request.decode_object((await self.raw("GET", path, query=query)).body)

    async def post(self, path: str, body: Any) -> Object:
        return request.decode_object((await self.raw("POST", path, body=body)).body)

    async def raw(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Any = b"",
        content_type: str = "application/json",
        accept: str = "application/json",
    ) -> Reply:
        target = f"{path}?{urlencode(query)}" if query else path
        headers = {"Accept": accept}
        if body != b"":
            headers["Content-Type"] = content_type
        return await self._send(
            Request(method, target, request.encode(body), headers, method != "POST")
        )

    # -- watch -----------------------------------------------------------------------------------

    async def watch(
        self,
        kind: Kind,
        namespace: str = "",
        *,
        label_selector: str = "",
        field_selector: str = "",
        revision: str = "",
        opened: Callable[[], None] = lambda: None,
    ) -> AsyncIterator[WatchEvent]:
        """Events after `revision`, until the server ends the watch (then this just returns).
        `opened` is called when the server has taken the watch, which may then be silent for long.

        Raises `Gone` when the revision is compacted, `Unavailable` when the connection is lost or
        silent for WATCH_SILENCE seconds.
        """
        ask = request.watch(
            kind,
            namespace,
            label_selector=label_selector,
            field_selector=field_selector,
            revision=revision,
            # Spread, so that the watches of many clients do not end together.
            timeout=random.randint(300, 600),
        )
        lines = LineSplitter()
        try:
            # A watch holds a connection for good: one of its own, or requests would starve.
            connection = await self._address.connect(_CONNECT_SECONDS)
            try:
                async with asyncio.timeout(_REPLY_SECONDS):
                    head = await connection.stream(self._encoded(ask))
                pieces = connection.pieces(WATCH_SILENCE)
                if head.status >= 400:
                    raise _refusal(head, b"".join([piece async for piece in pieces]))
                self._reach(True)
                opened()
                async for piece in pieces:
                    for line in lines.feed(piece):
                        yield request.decode_event(line)
            finally:
                connection.close()
        except (TimeoutError, OSError) as error:
            raise self._unreachable(error) from error

    async def close(self) -> None:
        if self._pool is not None:
            self._pool.close()
            self._pool = None

    # -- sending ---------------------------------------------------------------------------------

    async def _object(self, ask: Request) -> Object:
        return request.decode_object((await self._send(ask)).body)

    async def _send(self, ask: Request) -> Reply:
        backoff = Backoff(0.05, 2.0)
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return await self._once(ask)
            except Unavailable as error:
                again = error.status == 429 or ask.idempotent
                if not again or attempt == _ATTEMPTS:
                    raise
                await asyncio.sleep(max(backoff.delay(), error.retry_after))
        raise AssertionError("the last attempt returns or raises")

    async def _once(self, ask: Request) -> Reply:
        if self._pool is None:
            self._pool = Pool(
                self._address, limit=_CONNECTIONS, connect=_CONNECT_SECONDS, warm=_WARM_SECONDS
            )
        try:
            async with asyncio.timeout(_REPLY_SECONDS):
                head, body = await self._pool.ask(self._encoded(ask))
        except (TimeoutError, OSError) as error:
            raise self._unreachable(error) from error
        self._reach(True)
        if head.status >= 400:
            raise _refusal(head, body)
        return Reply(head.status, head.headers, body)

    def _unreachable(self, error: Exception) -> Unavailable:
        why = str(error) or type(error).__name__
        # A connection that is cut, or a watch that fell silent, is not yet a server that is away.
        if isinstance(error, Unconnected):
            self._reach(False, why)
        return Unavailable(0, "Unreachable", f"{self.connection.server}: {why}")

    def _reach(self, reached: bool, why: str = "") -> None:
        """Says once that the server went away and once that it is back, whoever noticed."""
        if reached != self._reached:
            self._reached = reached
            if reached:
                log.info("server reached again", server=self.connection.server)
            else:
                log.warning("server unreachable", server=self.connection.server, error=why)

    def _encoded(self, ask: Request) -> bytes:
        """The request as it is sent."""
        headers: dict[str, str] = {"Accept": "application/json", **ask.headers}
        token = self._bearer()
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if ask.body:
            headers["Content-Length"] = str(len(ask.body))
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head = f"{ask.method} {self._path}{ask.target}{self._known_headers}{lines}\r\n"
        return head.encode() + ask.body

    def _bearer(self) -> str:
        file = self.connection.token_file
        if file is not None and time.monotonic() - self._token_read > _TOKEN_SECONDS:
            self._token = file.read_text().strip()
            self._token_read = time.monotonic()
        return self._token


def _refusal(head: Head, body: bytes) -> ApiError:
    return error_of_reply(head.status, body, head.headers.get("retry-after", ""))
