"""port-forward: pairs of SPDY streams, one pair for each TCP connection.

The SPDY connection is either the upgraded HTTP connection or is itself carried in the binary
messages of a WebSocket (`SPDY/3.1+portforward.k8s.io`, kubectl 1.31 and later).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import WSMsgType, web

from cn2.podrunner.streaming.spdy_streams import Stream, Streams
from cn2.podrunner.streaming.upgrade import accept_upgrade

PROTOCOL = "portforward.k8s.io"
TUNNEL_PROTOCOL = "SPDY/3.1+portforward.k8s.io"
PROTOCOL_HEADER = "X-Stream-Protocol-Version"

Connect = Callable[[int], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]

_READ_SIZE = 1 << 16
_LARGEST_MESSAGE = 32 << 20


async def serve_spdy(request: web.BaseRequest, connect: Connect) -> web.StreamResponse:
    """Forward over an upgraded connection."""
    headers = {"Connection": "Upgrade", "Upgrade": "SPDY/3.1", PROTOCOL_HEADER: PROTOCOL}
    response, reader = await accept_upgrade(request, headers)
    await _serve(Streams(lambda: reader.read(_READ_SIZE), response.write), connect)
    return response


async def serve_tunnel(request: web.BaseRequest, connect: Connect) -> web.StreamResponse:
    """Forward over SPDY in WebSocket messages."""
    socket = web.WebSocketResponse(protocols=(TUNNEL_PROTOCOL,), max_msg_size=_LARGEST_MESSAGE)
    await socket.prepare(request)

    async def read() -> bytes:
        while True:
            message = await socket.receive()
            if message.type is not WSMsgType.BINARY:
                return b""
            if message.data:
                return bytes(message.data)

    await _serve(Streams(read, socket.send_bytes), connect)
    await socket.close()
    return socket


async def _serve(streams: Streams, connect: Connect) -> None:
    waiting: dict[tuple[str, str], Stream] = {}
    async with asyncio.TaskGroup() as tasks:
        receiving = tasks.create_task(streams.run())
        async for stream in streams.opened():
            key = stream.headers.get("requestid", ""), stream.headers.get("port", "")
            other = waiting.pop(key, None)
            if other is None:
                waiting[key] = stream
            else:
                tasks.create_task(_forward(streams, stream, other, connect))
        await receiving


async def _forward(streams: Streams, one: Stream, other: Stream, connect: Connect) -> None:
    data, error = (one, other) if one.headers.get("streamtype") == "data" else (other, one)
    try:
        await _carry(data, error, connect)
    finally:
        await data.close()
        await error.close()
        streams.forget(data)
        streams.forget(error)


async def _carry(data: Stream, error: Stream, connect: Connect) -> None:
    port = data.headers.get("port", "")
    try:
        reader, writer = await connect(int(port))
    except (OSError, ValueError) as failure:
        await error.write(f"error forwarding port {port}: {failure}".encode())
        return
    sending = asyncio.create_task(_copy(data.reader, writer))
    receiving = asyncio.create_task(_return(reader, data))
    leaving = asyncio.create_task(data.gone.wait())
    try:
        await asyncio.wait({receiving, leaving}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (sending, receiving, leaving):
            task.cancel()
        writer.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while chunk := await reader.read(_READ_SIZE):
            writer.write(chunk)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
    except OSError:
        # The other direction sees the end of the connection too, and ends the pair.
        return


async def _return(reader: asyncio.StreamReader, data: Stream) -> None:
    try:
        while chunk := await reader.read(_READ_SIZE):
            await data.write(chunk)
    except OSError:
        await data.reset()
