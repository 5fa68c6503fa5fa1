"""Messages of cn2-init's control socket: `key=value\\0` records, keys may repeat. Pure."""

from __future__ import annotations

from collections.abc import Iterable

Record = tuple[str, str]


def encode(records: Iterable[Record]) -> bytes:
    """One packet. A NUL inside a value cannot be said and is refused."""
    parts = []
    for key, value in records:
        if "\0" in value:
            raise ValueError(f"{key} contains a NUL byte")
        parts.append(f"{key}={value}\0")
    return "".join(parts).encode("utf-8", "surrogateescape")


def decode(packet: bytes) -> list[Record]:
    """The records of a packet, in order."""
    text = packet.decode("utf-8", "surrogateescape")
    return [(key, value) for key, _, value in (r.partition("=") for r in text.split("\0") if r)]


def decode_lines(text: str) -> dict[str, str]:
    """A `.state` file: the same records, a line each."""
    return dict(decode(text.replace("\n", "\0").encode()))
