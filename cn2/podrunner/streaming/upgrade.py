"""Accepting an HTTP Upgrade and then speaking bytes over the same connection."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from aiohttp import web

_LIMIT = 1 << 16


class _Bytes:
    """What aiohttp hands incoming bytes to after an upgrade, in place of its WebSocket parser."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        self._reader.feed_data(bytes(data))
        return False, b""

    def feed_eof(self) -> None:
        self._reader.feed_eof()


async def accept_upgrade(
    request: web.BaseRequest, headers: Mapping[str, str]
) -> tuple[web.StreamResponse, asyncio.StreamReader]:
    """Answer 101 with `headers`; bytes come in at the reader and go out by `response.write`.

    The connection closes when the request's handler returns the response.
    """
    response = web.StreamResponse(status=101, headers=headers)
    response.force_close()
    reader = asyncio.StreamReader(limit=_LIMIT)
    if request.transport is not None:
        reader.set_transport(request.transport)
    parser: Any = _Bytes(reader)
    request.protocol.set_parser(parser)
    await response.prepare(request)
    return response, reader
