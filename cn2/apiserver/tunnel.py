"""Upgrade requests (exec, attach, port-forward) handed to a node's socket, byte for byte.

The API server authorizes the request; what then travels on the connection is between kubectl and
the node.
"""

from __future__ import annotations

import asyncio
import time
from http import HTTPStatus
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from aiohttp import web
from multidict import CIMultiDict

from cn2.apiserver.errors import ApiError, internal, refused_by_node

IDLE_SECONDS = 4 * 3600.0
"""A connection on which nothing went for so long is ended, as kubelets do."""
_READ_SIZE = 1 << 16
_LONGEST_HEAD = 1 << 16
_LONGEST_REFUSAL = 1 << 20

_KEPT_FROM_NODE = frozenset({"authorization", "cookie", "proxy-authorization"})
"""Headers of the client that are the API server's business and nobody else's."""


class _Head(NamedTuple):
    status: int
    headers: CIMultiDict[str]


class _Traffic:
    """When bytes last went either way."""

    def __init__(self) -> None:
        self.seen()

    def seen(self) -> None:
        self._last = time.monotonic()

    def seconds_left(self) -> float:
        return self._last + IDLE_SECONDS - time.monotonic()


class _Bytes:
    """What aiohttp hands incoming bytes to after an upgrade, in place of its WebSocket parser."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        self._reader.feed_data(bytes(data))
        return False, b""

    def feed_eof(self) -> None:
        self._reader.feed_eof()


async def tunnel(request: web.BaseRequest, socket_path: Path, path_qs: str) -> web.StreamResponse:
    """Repeat the request at the unix socket under `path_qs` and relay both directions.

    Returns when either side has ended the connection. A node that refuses the upgrade has its
    words passed on as a Status; one that can't be reached is answered as kube-apiserver does,
    with 500.
    """
    try:
        node_reader, node_writer = await asyncio.open_unix_connection(
            str(socket_path), limit=_LONGEST_HEAD
        )
    except OSError as error:
        return _unreachable(f"error dialing backend: {error}")
    try:
        node_writer.write(_request_head(request, path_qs))
        await node_writer.drain()
        head = await _read_head(node_reader)
        if head.status != HTTPStatus.SWITCHING_PROTOCOLS:
            return await _refusal(head, node_reader)
        return await _relay(request, head, node_reader, node_writer)
    except (OSError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
        return _unreachable(f"error talking to backend: {error}")
    finally:
        node_writer.close()


def _request_head(request: web.BaseRequest, path_qs: str) -> bytes:
    lines = [f"{request.method} {path_qs} HTTP/1.1".encode()]
    lines.extend(
        name + b": " + value
        for name, value in request.raw_headers
        if name.decode("latin-1").lower() not in _KEPT_FROM_NODE
    )
    return b"\r\n".join((*lines, b"", b""))


async def _read_head(reader: asyncio.StreamReader) -> _Head:
    status_line, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers: CIMultiDict[str] = CIMultiDict()
    for line in lines:
        name, colon, value = line.partition(":")
        if colon:
            headers.add(name.strip(), value.strip())
    return _Head(int(status_line.partition(" ")[2][:3]), headers)


async def _refusal(head: _Head, reader: asyncio.StreamReader) -> web.Response:
    length = min(int(head.headers.get("Content-Length", "0")), _LONGEST_REFUSAL)
    body = await reader.readexactly(length)
    return _failure(refused_by_node(head.status, body.decode(errors="replace")))


def _unreachable(message: str) -> web.Response:
    return _failure(internal(message))


def _failure(error: ApiError) -> web.Response:
    return web.Response(
        status=error.code,
        body=msgspec.json.encode(error.status()),
        content_type="application/json",
    )


async def _relay(
    request: web.BaseRequest,
    head: _Head,
    node_reader: asyncio.StreamReader,
    node_writer: asyncio.StreamWriter,
) -> web.StreamResponse:
    response = web.StreamResponse(status=head.status, headers=head.headers)
    response.force_close()
    client_reader = asyncio.StreamReader(limit=_READ_SIZE)
    if request.transport is not None:
        client_reader.set_transport(request.transport)
    parser: Any = _Bytes(client_reader)
    request.protocol.set_parser(parser)
    await response.prepare(request)
    traffic = _Traffic()
    upward = asyncio.create_task(_to_node(client_reader, node_writer, traffic))
    downward = asyncio.create_task(_to_client(node_reader, response, traffic))
    try:
        while (left := traffic.seconds_left()) > 0:
            done, _ = await asyncio.wait(
                {upward, downward}, timeout=left, return_when=asyncio.FIRST_COMPLETED
            )
            if done:
                break
    finally:
        upward.cancel()
        downward.cancel()
    return response


async def _to_node(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, traffic: _Traffic
) -> None:
    try:
        while chunk := await reader.read(_READ_SIZE):
            traffic.seen()
            writer.write(chunk)
            await writer.drain()
    except OSError:
        # The node hung up; the other direction sees it too.
        return


async def _to_client(
    reader: asyncio.StreamReader, response: web.StreamResponse, traffic: _Traffic
) -> None:
    try:
        while chunk := await reader.read(_READ_SIZE):
            traffic.seen()
            await response.write(chunk)
    except OSError:
        # The client hung up; the other direction sees it too.
        return
