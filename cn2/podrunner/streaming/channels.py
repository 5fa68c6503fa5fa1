"""exec and attach over WebSocket: v4.channel.k8s.io and v5.channel.k8s.io.

Each message starts with the number of its channel. v5 adds a channel on which the client closes
another one, so that a command can see the end of its stdin.
"""

from __future__ import annotations

import asyncio
import json

from aiohttp import WSMsgType, web

from cn2.podrunner.streaming.exit_status import encode_status
from cn2.podrunner.streaming.gate import gated_reader
from cn2.podrunner.streaming.run import Run, run_session
from cn2.podrunner.streaming.session import Options, Session, Size

PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")

STDIN, STDOUT, STDERR, ERROR, RESIZE, CLOSE = 0, 1, 2, 3, 4, 255
_LARGEST_MESSAGE = 32 << 20


def parse_size(data: bytes | str) -> Size | None:
    """A terminal's size from `{"Width": 80, "Height": 24}`; None when it is none."""
    try:
        message = json.loads(data)
        return Size(int(message["Width"]), int(message["Height"]))
    except (ValueError, KeyError, TypeError):
        return None


async def serve_websocket(
    request: web.BaseRequest, options: Options, run: Run
) -> web.StreamResponse:
    """Serve one session; the request must ask for one of PROTOCOLS."""
    socket = web.WebSocketResponse(protocols=PROTOCOLS, max_msg_size=_LARGEST_MESSAGE)
    await socket.prepare(request)
    connection = _Connection(socket, options)
    # kubectl waits for a first message before it sends.
    await connection.send(STDOUT if options.stdout else ERROR, b"")
    receiving = asyncio.create_task(connection.receive())
    try:
        status = await run_session(connection.session, run)
        await connection.send(ERROR, encode_status(status))
        await socket.close()
    finally:
        receiving.cancel()
    return socket


class _Connection:
    def __init__(self, socket: web.WebSocketResponse, options: Options) -> None:
        self._socket = socket
        reader, self._gate = gated_reader()
        self.session = Session(
            options=options,
            stdin=reader,
            write_stdout=lambda data: self.send(STDOUT, data),
            write_stderr=lambda data: self.send(STDERR, data),
        )
        if not options.stdin:
            reader.feed_eof()

    async def send(self, channel: int, data: bytes) -> None:
        if self.session.closed.is_set() or self._socket.closed:
            return
        try:
            await self._socket.send_bytes(bytes((channel,)) + data)
        except ConnectionError:
            self.session.closed.set()

    async def receive(self) -> None:
        try:
            async for message in self._socket:
                if message.type is WSMsgType.BINARY and message.data:
                    await self._handle(message.data[0], message.data[1:])
        finally:
            self._end_stdin()
            self.session.closed.set()

    async def _handle(self, channel: int, data: bytes) -> None:
        if channel == STDIN and not self.session.stdin.at_eof():
            await self._gate.passage()
            self.session.stdin.feed_data(data)
        elif channel == RESIZE and (size := parse_size(data)) is not None:
            self.session.resized(size)
        elif channel == CLOSE and data == bytes((STDIN,)):
            self._end_stdin()

    def _end_stdin(self) -> None:
        self._gate.abandon()
        self.session.stdin.feed_eof()
