"""SPDY/3.1 frames without IO, as a server speaks them (SPDY Protocol Draft 3.1).

Only what Kubernetes' streams use: kubectl neither sends nor honours WINDOW_UPDATE and SETTINGS,
so there is no flow control but that of the connection below.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from cn2.podrunner.streaming.spdy_dictionary import DICTIONARY

_VERSION = 3
_CONTROL = 0x8000
_SYN_STREAM, _SYN_REPLY, _RST_STREAM, _SETTINGS, _PING, _GOAWAY, _HEADERS = 1, 2, 3, 4, 6, 7, 8
_FIN = 0x01
_STREAM_ID = 0x7FFFFFFF

_LONGEST_CONTROL_FRAME = 1 << 16
_LONGEST_HEADERS = 1 << 18
_LONGEST_DATA_FRAME = 1 << 15

CANCEL = 5
"""The reason of RST_STREAM for a stream that is not wanted any more."""


class SpdyError(Exception):
    """The peer does not speak SPDY/3.1; the connection can't be used any more."""


@dataclass(frozen=True, slots=True)
class Opened:
    """SYN_STREAM: the peer opens a stream."""

    stream: int
    headers: Mapping[str, str]
    fin: bool


@dataclass(frozen=True, slots=True)
class Data:
    """Bytes of a stream; `fin` when the peer sends no more."""

    stream: int
    data: bytes
    fin: bool


@dataclass(frozen=True, slots=True)
class Reset:
    """RST_STREAM: the stream ends at once."""

    stream: int
    status: int


@dataclass(frozen=True, slots=True)
class Ping:
    """PING: to be answered with the same id."""

    id: int


@dataclass(frozen=True, slots=True)
class GoAway:
    """GOAWAY: the peer opens no more streams."""

    status: int


Event = Opened | Data | Reset | Ping | GoAway


class Framer:
    """One connection's codec. Compression has a state: frames must be sent in the order made."""

    def __init__(self) -> None:
        self._pending = bytearray()
        self._inflate = zlib.decompressobj(zdict=DICTIONARY)
        self._deflate = zlib.compressobj(zdict=DICTIONARY)

    # Receiving ----------------------------------------------------------------------------------

    def receive(self, data: bytes) -> list[Event]:
        """Events of all frames that `data` completes. Raises SpdyError."""
        self._pending += data
        events: list[Event] = []
        while len(self._pending) >= 8:
            word, tail = struct.unpack_from(">II", self._pending)
            length = tail & 0xFFFFFF
            if word >> 31 and length > _LONGEST_CONTROL_FRAME:
                raise SpdyError(f"control frame of {length} bytes")
            if len(self._pending) < 8 + length:
                break
            body = bytes(self._pending[8 : 8 + length])
            del self._pending[: 8 + length]
            event = self._frame(word, tail >> 24, body)
            if event is not None:
                events.append(event)
        return events

    def _frame(self, word: int, flags: int, body: bytes) -> Event | None:
        fin = bool(flags & _FIN)
        if not word >> 31:
            return Data(word & _STREAM_ID, body, fin)
        if word >> 16 & 0x7FFF != _VERSION:
            raise SpdyError(f"version {word >> 16 & 0x7FFF}")
        parse = self._PARSERS.get(word & 0xFFFF)
        try:
            return parse(self, body, fin) if parse else None
        except struct.error as error:
            raise SpdyError("frame too short") from error

    def _syn_stream(self, body: bytes, fin: bool) -> Event:
        (stream,) = struct.unpack_from(">I", body)
        return Opened(stream & _STREAM_ID, self._headers(body[10:]), fin)

    def _rst_stream(self, body: bytes, _fin: bool) -> Event:
        stream, status = struct.unpack_from(">II", body)
        return Reset(stream & _STREAM_ID, status)

    def _ping(self, body: bytes, _fin: bool) -> Event:
        (ping,) = struct.unpack_from(">I", body)
        return Ping(ping)

    def _goaway(self, body: bytes, _fin: bool) -> Event:
        _last, status = struct.unpack_from(">II", body)
        return GoAway(status)

    def _later_headers(self, body: bytes, _fin: bool) -> None:
        # Nobody reads them, but they move the state of the compression.
        self._headers(body[4:])

    _PARSERS: ClassVar[Mapping[int, Callable[[Framer, bytes, bool], Event | None]]] = {
        _SYN_STREAM: _syn_stream,
        _SYN_REPLY: _later_headers,
        _RST_STREAM: _rst_stream,
        _PING: _ping,
        _GOAWAY: _goaway,
        _HEADERS: _later_headers,
    }

    def _headers(self, compressed: bytes) -> dict[str, str]:
        try:
            block = self._inflate.decompress(compressed, _LONGEST_HEADERS)
        except zlib.error as error:
            raise SpdyError("headers can't be decompressed") from error
        if self._inflate.unconsumed_tail:
            raise SpdyError("headers too long")
        (count,) = struct.unpack_from(">I", block)
        headers: dict[str, str] = {}
        position = 4
        for _ in range(count):
            name, position = _text(block, position)
            headers[name.lower()], position = _text(block, position)
        return headers

    # Sending ------------------------------------------------------------------------------------

    def reply(self, stream: int, headers: Mapping[str, str] | None = None) -> bytes:
        """SYN_REPLY: accept a stream."""
        return self._control(_SYN_REPLY, struct.pack(">I", stream) + self._block(headers or {}))

    def open(self, stream: int, headers: Mapping[str, str]) -> bytes:
        """SYN_STREAM: what a client sends to open a stream."""
        body = struct.pack(">IIH", stream, 0, 0) + self._block(headers)
        return self._control(_SYN_STREAM, body)

    def data(self, stream: int, data: bytes, *, fin: bool = False) -> bytes:
        """DATA frames for all of `data`; `fin` says that no more will come."""
        frames = bytearray()
        starts = range(0, len(data), _LONGEST_DATA_FRAME) or (0,)
        for start in starts:
            chunk = data[start : start + _LONGEST_DATA_FRAME]
            last = fin and start + _LONGEST_DATA_FRAME >= len(data)
            frames += struct.pack(">II", stream, (_FIN if last else 0) << 24 | len(chunk)) + chunk
        return bytes(frames)

    def reset(self, stream: int, status: int) -> bytes:
        """RST_STREAM: end a stream at once."""
        return self._control(_RST_STREAM, struct.pack(">II", stream, status))

    def ping(self, ping: int) -> bytes:
        """PING, or the answer to one."""
        return self._control(_PING, struct.pack(">I", ping))

    def goaway(self, last_stream: int, status: int = 0) -> bytes:
        """GOAWAY: no stream after `last_stream` is served."""
        return self._control(_GOAWAY, struct.pack(">II", last_stream, status))

    @staticmethod
    def _control(kind: int, body: bytes) -> bytes:
        return struct.pack(">HHI", _CONTROL | _VERSION, kind, len(body)) + body

    def _block(self, headers: Mapping[str, str]) -> bytes:
        block = bytearray(struct.pack(">I", len(headers)))
        for name, value in headers.items():
            for text in (name.lower(), value):
                block += struct.pack(">I", len(text.encode())) + text.encode()
        return self._deflate.compress(bytes(block)) + self._deflate.flush(zlib.Z_SYNC_FLUSH)


def _text(block: bytes, position: int) -> tuple[str, int]:
    (length,) = struct.unpack_from(">I", block, position)
    start = position + 4
    if start + length > len(block):
        raise SpdyError("header block too short")
    return block[start : start + length].decode("utf-8", "replace"), start + length
