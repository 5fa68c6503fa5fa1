"""What goes into the kernel and what comes out of it; nothing here knows a socket."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, Self

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


class Chunks(Protocol):
    """The pieces of an answer. `aclose` is called in any case, also when none was asked for."""

    def __aiter__(self) -> Self: ...

    async def __anext__(self) -> bytes: ...

    async def aclose(self) -> None: ...


class Holding:
    """Chunks that hold something until they are closed.

    A generator cannot do that by itself: one that was never begun runs none of its code when it
    is closed, and the client may hang up before the first piece.
    """

    def __init__(
        self, pieces: AsyncGenerator[bytes, None], release: Callable[[], Awaitable[None]]
    ) -> None:
        self._pieces = pieces
        self._release = release

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        return await anext(self._pieces)

    async def aclose(self) -> None:
        try:
            await self._pieces.aclose()
        finally:
            await self._release()


@dataclass(frozen=True, slots=True)
class Stream:
    """An answer that comes in pieces; each piece is sent at once. Whoever sends closes `chunks`."""

    chunks: Chunks
    content_type: str = JSON
    status: int = 200


@dataclass(frozen=True, slots=True)
class Tunnel:
    """The connection itself is to be joined with an HTTP server on a unix socket."""

    socket: Path
    path_qs: str


Answer = Reply | Stream | Tunnel
