"""The kernel behind HTTP: requests read, users told by their certificates, answers written."""

from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
from collections.abc import Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

import structlog
from aiohttp import web

from cn2.apiserver import metrics
from cn2.apiserver.errors import LARGEST, ApiError, entity_too_large
from cn2.apiserver.kernel import Kernel
from cn2.apiserver.request import Reply, Request, Stream, Tunnel
from cn2.apiserver.tunnel import tunnel

log = structlog.get_logger(__name__)

_WORTH_PACKING = 128 << 10
"""Bytes from which on an answer is compressed, as kube-apiserver does."""
_BACKLOG = 1024
_WARM_SECONDS = 75.0
"""How long an idle connection is kept."""


class Front:
    """Serves a kernel on any number of listening sockets."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._server = web.Server(
            self._handle,
            handler_cancellation=True,  # a watcher that hangs up ends its watch at once
            access_log=None,
            keepalive_timeout=_WARM_SECONDS,
            max_line_size=1 << 16,
            max_field_size=1 << 16,
        )
        self._listeners: list[asyncio.Server] = []
        self._streams: set[asyncio.Task[object]] = set()

    async def listen(self, sock: socket.socket, tls: ssl.SSLContext) -> None:
        """Accepts connections on a bound socket."""
        loop = asyncio.get_running_loop()
        self._listeners.append(
            await loop.create_server(self._server, sock=sock, ssl=tls, backlog=_BACKLOG)
        )

    @property
    def listening(self) -> bool:
        return bool(self._listeners)

    async def close(self, seconds: float = 1.0) -> None:
        """Accepts nothing more, ends the watches, gives everything else `seconds` to end."""
        for listener in self._listeners:
            listener.close()
        self._kernel.end_watches()
        # Idle connections close now; the others with the answer that they are waiting for.
        self._server.pre_shutdown()
        if self._streams:
            _, open_ = await asyncio.wait(self._streams, timeout=seconds)
            for task in open_:
                task.cancel()
        await self._server.shutdown(seconds)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        try:
            understood = await self._read(request)
        except ApiError as error:
            return _response(request, error.reply())
        answer = await self._kernel.handle(understood)
        match answer:
            case Reply():
                return _response(request, await _packed(request, answer))
            case Stream():
                return await self._tracked(_stream(request, answer))
            case Tunnel(path, path_qs):
                return await self._tracked(tunnel(request, path, path_qs))

    async def _read(self, request: web.BaseRequest) -> Request:
        transport = request.transport
        certificate = transport.get_extra_info("peercert") if transport is not None else None
        headers = _headers(request)
        user = self._kernel.authenticate(certificate, headers)
        upgrade = "upgrade" in headers.get("connection", "").lower()
        return Request(
            method=request.method,
            path=request.rel_url.raw_path,
            user=user,
            query=request.query,
            raw_query=request.rel_url.raw_query_string,
            headers=headers,
            body=b"" if upgrade else await _body(request),
        )

    async def _tracked(self, work: Coroutine[Any, Any, web.StreamResponse]) -> web.StreamResponse:
        task = asyncio.current_task()
        assert task is not None
        self._streams.add(task)
        metrics.STREAMS.inc()
        try:
            return await work
        finally:
            metrics.STREAMS.dec()
            self._streams.discard(task)


def server_tls(certificate: Path, key: Path, authority: Path) -> ssl.SSLContext:
    """TLS that asks for a client certificate of our authority and does without one."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    context.load_verify_locations(authority)
    context.verify_mode = ssl.CERT_OPTIONAL
    context.set_alpn_protocols(["http/1.1"])
    return context


def _headers(request: web.BaseRequest) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in request.headers.items():
        lower = name.lower()
        headers[lower] = f"{headers[lower]},{value}" if lower in headers else value
    return headers


async def _body(request: web.BaseRequest) -> bytes:
    if not request.can_read_body:
        return b""
    if (request.content_length or 0) > LARGEST:
        raise entity_too_large()
    parts, size = [], 0
    async for part in request.content.iter_any():
        size += len(part)
        if size > LARGEST:
            raise entity_too_large()
        parts.append(part)
    return b"".join(parts)


async def _packed(request: web.BaseRequest, reply: Reply) -> Reply:
    """A large answer compressed for who accepts that; in a thread, which needs no lock for it."""
    if len(reply.body) < _WORTH_PACKING or "gzip" not in request.headers.get("Accept-Encoding", ""):
        return reply
    body = await asyncio.to_thread(gzip.compress, reply.body, compresslevel=1, mtime=0)
    headers = (*reply.headers, ("Content-Encoding", "gzip"), ("Vary", "Accept-Encoding"))
    return replace(reply, body=body, headers=headers)


def _response(request: web.BaseRequest, reply: Reply) -> web.Response:
    response = web.Response(body=reply.body, status=reply.status)
    response.headers["Content-Type"] = reply.content_type
    for name, value in reply.headers:
        response.headers.add(name, value)
    return response


async def _stream(request: web.BaseRequest, answer: Stream) -> web.StreamResponse:
    response = web.StreamResponse(status=answer.status)
    response.headers["Content-Type"] = answer.content_type
    response.enable_chunked_encoding()
    try:
        await response.prepare(request)
        async for chunk in answer.chunks:
            # Waits while the client's socket is full: a slow watcher holds up nobody else.
            await response.write(chunk)
        await response.write_eof()
    except ConnectionError:
        log.debug("client of a stream went away", path=request.path)
    finally:
        await answer.chunks.aclose()
    return response
