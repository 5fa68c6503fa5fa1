"""HTTP/1.1 as an API client needs it: requests over a few warm connections, and streams.

No redirects, cookies, proxies or encodings, and the head of a request is one formatted text: a
general HTTP client takes twice the processor time for the same request (docs/adr/0010).
"""

from __future__ import annotations

import asyncio
import os
import ssl
from collections import deque
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import cast

import httptools

_HELD = 1 << 20
"""Bytes of a stream that may wait for their reader before the server is made to wait."""


class Unconnected(OSError):
    """There is no connection to be had; the message says why."""


class Cut(OSError):
    """The connection ended before the answer did."""


@dataclass(frozen=True, slots=True)
class Head:
    """How an answer begins. Names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]


class Connection(asyncio.Protocol):
    """One connection: one request at a time, its answer whole (`ask`) or in pieces (`stream`)."""

    def __init__(self) -> None:
        self.idle_since = 0.0
        self._transport: asyncio.Transport
        self._parser = httptools.HttpResponseParser(self)
        self._headers: dict[str, str] = {}
        self._pieces: deque[bytes] = deque()
        self._held = 0
        self._streaming = False
        self._paused = False
        self._complete = True
        self._kept = True
        self._lost: Exception | None = None
        self._waiting: asyncio.Future[None] | None = None

    @property
    def usable(self) -> bool:
        """Whether another request may be sent."""
        return self._lost is None and self._complete and self._kept

    async def ask(self, request: bytes) -> tuple[Head, bytes]:
        """The whole answer."""
        self._begin(request, streaming=False)
        await self._wait()
        return self._head(), b"".join(self._pieces)

    async def stream(self, request: bytes) -> Head:
        """The head of an answer; `pieces` has the rest."""
        self._begin(request, streaming=True)
        await self._wait()
        return self._head()

    async def pieces(self, silence: float) -> AsyncIterator[bytes]:
        """The body as it comes. Raises TimeoutError after so many seconds without any."""
        while True:
            while self._pieces:
                piece = b"".join(self._pieces)
                self._pieces.clear()
                self._held = 0
                if self._paused:
                    self._paused = False
                    self._transport.resume_reading()
                yield piece
            if self._complete:
                return
            async with asyncio.timeout(silence):
                await self._wait()

    def close(self) -> None:
        if self._lost is None:
            self._lost = Cut("the connection was closed")
            self._transport.abort()

    # -- what asyncio calls ----------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._lost = Cut(f"the answer is not HTTP: {error}")
            self._transport.abort()
            self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._lost is None:
            self._lost = Cut(str(exc) if exc else "the server closed the connection")
        self._wake()

    # -- what the parser calls -------------------------------------------------------------------

    def on_message_begin(self) -> None:
        if self._complete:
            # Whatever it is, it answers nothing that was asked, and must not answer what comes.
            raise Cut("the server spoke without being asked")

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        if self._streaming:
            self._wake()

    def on_body(self, body: bytes) -> None:
        self._pieces.append(body)
        if self._streaming:
            self._held += len(body)
            if self._held > _HELD and not self._paused:
                self._paused = True
                self._transport.pause_reading()
            self._wake()

    def on_message_complete(self) -> None:
        self._complete = True
        self._kept = self._parser.should_keep_alive()
        self._wake()

    # -- waiting ---------------------------------------------------------------------------------

    def _begin(self, request: bytes, *, streaming: bool) -> None:
        if self._lost is not None:
            raise self._lost
        self._headers = {}
        self._pieces.clear()
        self._streaming, self._complete = streaming, False
        self._transport.write(request)

    async def _wait(self) -> None:
        """Until the answer has gone on. Of a stream, what has come before the end is told."""
        if self._lost is None:
            self._waiting = asyncio.get_running_loop().create_future()
            try:
                await self._waiting
            finally:
                self._waiting = None
        told = self._complete or (self._streaming and self._pieces)
        if self._lost is not None and not told:
            raise self._lost

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    def _head(self) -> Head:
        return Head(self._parser.get_status_code(), self._headers)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server is."""

    host: str
    port: int
    tls: ssl.SSLContext | None
    server_name: str | None
    """Expected in the certificate, where it is not the host."""

    async def connect(self, seconds: float) -> Connection:
        """Raises Unconnected."""
        loop = asyncio.get_running_loop()
        name = self.server_name if self.tls else None  # None: the host
        try:
            async with asyncio.timeout(seconds):
                _, connection = await loop.create_connection(
                    Connection, self.host, self.port, ssl=self.tls, server_hostname=name
                )
        except TimeoutError as error:
            raise Unconnected(f"no connection within {seconds:g} s") from error
        except OSError as error:
            raise Unconnected(_reason(error)) from error
        return connection


def _reason(error: OSError) -> str:
    """In the system's words: asyncio puts its own, with the address, in their place."""
    if isinstance(error, ConnectionError) and error.errno:
        return os.strerror(error.errno)
    return error.strerror or str(error)


class Pool:
    """A few connections to one server. A request waits while all are busy, which takes less time
    than as many TLS handshakes would."""

    def __init__(self, address: Address, *, limit: int, connect: float, warm: float) -> None:
        """`connect`: seconds for making a connection; `warm`: for which an idle one is kept."""
        self._address = address
        self._connect = connect
        self._warm = warm
        self._free = asyncio.Semaphore(limit)
        self._idle: list[Connection] = []

    async def ask(self, request: bytes) -> tuple[Head, bytes]:
        """The whole answer. Raises Unconnected, Cut."""
        async with self._free:
            connection = self._take() or await self._address.connect(self._connect)
            try:
                answer = await connection.ask(request)
            except BaseException:
                connection.close()
                raise
            if connection.usable:
                connection.idle_since = asyncio.get_running_loop().time()
                self._idle.append(connection)
            else:
                connection.close()
            return answer

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()

    def _take(self) -> Connection | None:
        """The connection that was used last, if it is still warm."""
        now = asyncio.get_running_loop().time()
        while self._idle:
            connection = self._idle.pop()
            if connection.usable and now - connection.idle_since < self._warm:
                return connection
            connection.close()
        return None
