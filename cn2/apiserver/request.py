"""What goes into the kernel and what comes out of it; nothing here knows a socket."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class User:
    """Who asks. `extra` carries what a token says besides, as in a TokenReview."""

    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request. `path` is still percent-encoded; header names are lower-case."""

    method: str
    path: str
    user: User
    query: Mapping[str, str] = field(default_factory=dict)
    raw_query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def flag(self, name: str) -> bool:
        """Kubernetes' reading of a boolean parameter: there and not false."""
        value = self.query.get(name)
        return value is not None and value.lower() not in ("false", "0")


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer."""

    status: int
    body: bytes
    content_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Stream:
    """An answer that comes in pieces; each piece is sent at once. Whoever sends closes `chunks`."""

    chunks: AsyncGenerator[bytes, None]
    content_type: str = JSON
    status: int = 200


@dataclass(frozen=True, slots=True)
class Tunnel:
    """The connection itself is to be joined with an HTTP server on a unix socket."""

    socket: Path
    path_qs: str


Answer = Reply | Stream | Tunnel
