"""What a command sees of the person at the other end: the same over WebSocket and over SPDY.

`serve_exec(request, run)` and `serve_portforward(request, connect)` in `server` do the protocol;
`run` gets a Session and returns an ExitStatus.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import NamedTuple

Write = Callable[[bytes], Awaitable[None]]


class Size(NamedTuple):
    """A terminal's size in characters."""

    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Options:
    """Which streams the client asked for (query parameters of exec and attach)."""

    stdin: bool
    stdout: bool
    stderr: bool
    tty: bool


@dataclass(frozen=True, slots=True)
class ExitStatus:
    """How a command ended.

    `code` is its exit code; a non-empty `message` says that it could not be run at all, and is
    shown to the person in place of a code.
    """

    code: int = 0
    message: str = ""


@dataclass(slots=True)
class Session:
    """One exec or attach.

    `stdin` reads what the person types and ends (EOF) when they close it; without `options.stdin`
    it is at EOF from the start. Writes wait for a slow client. `closed` is set when the client
    has gone: then `run` should end the command (it is cancelled soon after).
    """

    options: Options
    write_stdout: Write
    write_stderr: Write
    stdin: asyncio.StreamReader = field(default_factory=asyncio.StreamReader)
    closed: asyncio.Event = field(default_factory=asyncio.Event)
    _sizes: asyncio.Queue[Size] = field(default_factory=asyncio.Queue)

    async def next_size(self) -> Size:
        """Wait for the terminal's next size; the first comes when the session opens (tty only)."""
        return await self._sizes.get()

    def resized(self, size: Size) -> None:
        """Note that the client's terminal has changed."""
        self._sizes.put_nowait(size)
