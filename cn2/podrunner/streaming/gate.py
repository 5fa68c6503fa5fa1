"""Back-pressure for asyncio.StreamReader when something else than a transport feeds it."""

from __future__ import annotations

import asyncio

_LIMIT = 1 << 16


class Gate(asyncio.ReadTransport):
    """Stands in for a reader's transport: closed while the reader holds more than it may."""

    def __init__(self) -> None:
        super().__init__()
        self._open = asyncio.Event()
        self._open.set()

    def pause_reading(self) -> None:
        self._open.clear()

    def resume_reading(self) -> None:
        self._open.set()

    def abandon(self) -> None:
        """Let the feeder go on although nobody reads any more."""
        self._open.set()

    async def passage(self) -> None:
        """Wait until the reader may be fed."""
        await self._open.wait()


def gated_reader() -> tuple[asyncio.StreamReader, Gate]:
    """A reader that holds about 128 KiB, and the gate that its feeder has to pass."""
    reader, gate = asyncio.StreamReader(limit=_LIMIT), Gate()
    reader.set_transport(gate)
    return reader, gate
