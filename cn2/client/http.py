"""The client: moves requests of `cn2.client.request` over one aiohttp session.

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
from typing import Any, Literal
from urllib.parse import urlencode

import aiohttp
import structlog
from yarl import URL

from cn2.api.kind import Kind, Object
from cn2.client import kubeconfig, request
from cn2.client.backoff import Backoff
from cn2.client.errors import ApiError, Unavailable, error_of_reply
from cn2.client.request import LineSplitter, ObjectList, Patch, Request, WatchEvent

log = structlog.get_logger(__name__)

_ATTEMPTS = 5
_READ_BUFFER = 1 << 20
_REPLY_SECONDS = 60.0
_CONNECT_SECONDS = 10.0
_TOKEN_SECONDS = 60.0
_CONNECTIONS = 8
"""For requests: a burst waits its turn, which takes less than as many TLS handshakes would."""
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

    Make it anywhere; it opens its session in the event loop that first uses it.
    """

    def __init__(self, connection: kubeconfig.Connection, *, manager: str = "cn2") -> None:
        self.connection = connection
        self.manager = manager
        self._sessions: dict[int, aiohttp.ClientSession] = {}
        """By how many connections they may have."""
        self._tls = connection.tls()
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
        timeout = aiohttp.ClientTimeout(
            total=None, sock_connect=_CONNECT_SECONDS, sock_read=WATCH_SILENCE
        )
        try:
            # A watch holds a connection for good: no limit, or a hundred watches would starve.
            async with self._open(ask, timeout, connections=0) as response:
                if response.status >= 400:
                    raise _refusal(response, await response.read())
                self._reach(True)
                opened()
                # iter_any and not readline: a line may be longer than any buffer limit.
                async for chunk in response.content.iter_any():
                    for line in lines.feed(chunk):
                        yield request.decode_event(line)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise self._unreachable(error) from error

    async def close(self) -> None:
        for session in self._sessions.values():
            await session.close()
        self._sessions.clear()

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
        timeout = aiohttp.ClientTimeout(total=_REPLY_SECONDS, sock_connect=_CONNECT_SECONDS)
        try:
            async with self._open(ask, timeout, connections=_CONNECTIONS) as response:
                body = await response.read()
                self._reach(True)
                if response.status >= 400:
                    raise _refusal(response, body)
                return Reply(response.status, response.headers, body)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise self._unreachable(error) from error

    def _unreachable(self, error: Exception) -> Unavailable:
        why = _short(error)
        # A connection that is cut, or a watch that fell silent, is not yet a server that is away.
        if isinstance(error, aiohttp.ClientConnectorError):
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

    def _open(
        self, ask: Request, timeout: aiohttp.ClientTimeout, *, connections: int
    ) -> aiohttp.client._RequestContextManager:
        session = self._sessions.get(connections)
        if session is None:
            session = self._sessions[connections] = self._new_session(connections)
        headers = {"Accept": "application/json", **ask.headers}
        token = self._bearer()
        if token:
            headers["Authorization"] = f"Bearer {token}"
        ssl: Any = self._tls if self._tls is not None else _NO_TLS
        return session.request(
            ask.method,
            URL(self.connection.server + ask.target, encoded=True),
            data=ask.body or None,
            headers=headers,
            timeout=timeout,
            ssl=ssl,
            server_hostname=self.connection.server_name or None,
            allow_redirects=False,
        )

    def _new_session(self, connections: int) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=connections, keepalive_timeout=_WARM_SECONDS),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": f"{self.manager}/cn2"},
            read_bufsize=_READ_BUFFER,
        )

    def _bearer(self) -> str:
        file = self.connection.token_file
        if file is not None and time.monotonic() - self._token_read > _TOKEN_SECONDS:
            self._token = file.read_text().strip()
            self._token_read = time.monotonic()
        return self._token


_NO_TLS: Literal[True] = True
"""What aiohttp wants to hear where there is no context of our own."""


def _refusal(response: aiohttp.ClientResponse, body: bytes) -> ApiError:
    return error_of_reply(response.status, body, response.headers.get("Retry-After", ""))


def _short(error: Exception) -> str:
    """What went wrong, without aiohttp's repetition of the address and the TLS settings."""
    if isinstance(error, aiohttp.ClientConnectorError):
        return error.os_error.strerror or str(error.os_error)
    return str(error) or type(error).__name__
