"""SPDY streams over any pair of read and write: what the Framer says, put into asyncio readers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

from cn2.podrunner.streaming.gate import gated_reader
from cn2.podrunner.streaming.spdy import (
    CANCEL,
    Data,
    Event,
    Framer,
    GoAway,
    Opened,
    Ping,
    Reset,
    SpdyError,
)

Read = Callable[[], Awaitable[bytes]]
"""The next bytes; b"" when the connection has ended."""
Write = Callable[[bytes], Awaitable[None]]


class Stream:
    """One stream that the client opened. `reader` ends when the client sends no more."""

    def __init__(self, streams: Streams, number: int, headers: Mapping[str, str]) -> None:
        self.number = number
        self.headers = headers
        self.reader, self.gate = gated_reader()
        self.gone = asyncio.Event()
        """Set when the client resets the stream or the connection ends."""
        self._streams = streams
        self._finished = False

    async def write(self, data: bytes) -> None:
        """Send bytes; nothing happens when the stream is closed."""
        if data and not self._finished and not self.gone.is_set():
            await self._streams.send(lambda framer: framer.data(self.number, data))

    async def close(self) -> None:
        """Say that no more bytes will be sent."""
        if not self._finished and not self.gone.is_set():
            self._finished = True
            await self._streams.send(lambda framer: framer.data(self.number, b"", fin=True))

    async def reset(self) -> None:
        """End the stream in both directions at once."""
        if not self.gone.is_set():
            self._finished = True
            self.end()
            await self._streams.send(lambda framer: framer.reset(self.number, CANCEL))

    def end(self) -> None:
        """Note that nothing more comes from the client, nor is read by it."""
        self.gone.set()
        self.gate.abandon()
        if not self.reader.at_eof():
            self.reader.feed_eof()


class Streams:
    """The server's side of one SPDY connection."""

    def __init__(self, read: Read, write: Write) -> None:
        self._read, self._write = read, write
        self._framer = Framer()
        self._sending = asyncio.Lock()
        self._open: dict[int, Stream] = {}
        self._opened: asyncio.Queue[Stream | None] = asyncio.Queue()
        self.ended = asyncio.Event()
        """Set when the connection has ended or broken."""

    async def run(self) -> None:
        """Receive until the connection ends; run it as a task."""
        try:
            while data := await self._read():
                for event in self._framer.receive(data):
                    await self._handle(event)
        except (SpdyError, ConnectionError):
            pass
        finally:
            self.ended.set()
            for stream in self._open.values():
                stream.end()
            self._opened.put_nowait(None)

    async def opened(self) -> AsyncIterator[Stream]:
        """Streams in the order in which the client opens them; ends with the connection."""
        while (stream := await self._opened.get()) is not None:
            yield stream

    async def send(self, frame: Callable[[Framer], bytes]) -> None:
        """Make and send a frame; frames are sent in the order made. A dead connection is silent."""
        async with self._sending:
            if not self.ended.is_set():
                try:
                    await self._write(frame(self._framer))
                except ConnectionError:
                    self.ended.set()

    def forget(self, stream: Stream) -> None:
        """Drop a stream that is done with; what still comes for it is ignored."""
        self._open.pop(stream.number, None)
        stream.gate.abandon()

    async def _handle(self, event: Event) -> None:
        match event:
            case Opened(number, headers, fin):
                await self._accept(number, headers, fin)
            case Data(number, data, fin):
                await self._receive(number, data, fin)
            case Reset(number):
                stream = self._open.pop(number, None)
                if stream is not None:
                    stream.end()
            case Ping(ping):
                await self.send(lambda framer: framer.ping(ping))
            case GoAway():
                pass

    async def _accept(self, number: int, headers: Mapping[str, str], fin: bool) -> None:
        stream = Stream(self, number, headers)
        self._open[number] = stream
        await self.send(lambda framer: framer.reply(number))
        if fin:
            stream.reader.feed_eof()
        self._opened.put_nowait(stream)

    async def _receive(self, number: int, data: bytes, fin: bool) -> None:
        stream = self._open.get(number)
        if stream is None or stream.gone.is_set():
            return
        if data:
            await stream.gate.passage()
            stream.reader.feed_data(data)
        if fin:
            stream.reader.feed_eof()
