"""Netlink messages as bytes (rtnetlink(7)). Pure: no socket here."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

NLM_F_REQUEST = 0x1
NLM_F_ACK = 0x4
NLM_F_DUMP = 0x300
NLM_F_EXCL = 0x200
NLM_F_CREATE = 0x400

_NESTED = 0x8000
_TYPE_MASK = 0x3FFF
_ATTR = struct.Struct("=HH")
HEADER = struct.Struct("=IHHII")


@dataclass(frozen=True, slots=True)
class Message:
    """One request; the body is a multiple of four bytes, as families and attributes are.

    `what` names it in errors; errnos in `allow` count as success.
    """

    what: str
    type: int
    body: bytes
    flags: int = 0
    allow: tuple[int, ...] = ()

    def pack(self, sequence: int) -> bytes:
        """The message with its header; the kernel is always asked to acknowledge."""
        flags = self.flags | NLM_F_REQUEST | NLM_F_ACK
        return HEADER.pack(16 + len(self.body), self.type, flags, sequence, 0) + self.body


def attr(kind: int, data: bytes) -> bytes:
    """One attribute, padded to four bytes."""
    size = 4 + len(data)
    return _ATTR.pack(size, kind) + data + bytes(-size % 4)


def text(kind: int, value: str) -> bytes:
    """A NUL-terminated string attribute."""
    return attr(kind, value.encode() + b"\0")


def u8(kind: int, value: int) -> bytes:
    """An 8-bit attribute."""
    return attr(kind, struct.pack("=B", value))


def u32(kind: int, value: int) -> bytes:
    """A 32-bit attribute in host order."""
    return attr(kind, struct.pack("=I", value))


def nested(kind: int, *attributes: bytes) -> bytes:
    """An attribute made of attributes."""
    return attr(kind | _NESTED, b"".join(attributes))


def attributes(data: bytes) -> dict[int, bytes]:
    """The attributes in `data` by type, without the nesting bits; the last of equal ones wins."""
    found: dict[int, bytes] = {}
    at = 0
    while at + 4 <= len(data):
        size, kind = _ATTR.unpack_from(data, at)
        if size < 4:
            break
        found[kind & _TYPE_MASK] = data[at + 4 : at + size]
        at += (size + 3) & ~3
    return found


def messages(data: bytes) -> Iterator[tuple[int, int, int, bytes]]:
    """Type, flags, sequence and body of each message in a datagram."""
    at = 0
    while at + 16 <= len(data):
        size, kind, flags, sequence, _ = HEADER.unpack_from(data, at)
        if size < 16:
            break
        yield kind, flags, sequence, data[at + 16 : at + size]
        at += (size + 3) & ~3
