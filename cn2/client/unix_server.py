"""A small HTTP server on a unix socket, as every process has one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from aiohttp import web


@asynccontextmanager
async def serving(
    app: web.Application, socket: Path, *, handler_cancellation: bool = False
) -> AsyncIterator[None]:
    """Answers on `socket` (mode 0600) while the context lasts; a stale socket is replaced.

    With `handler_cancellation` a handler ends when the one who asked has gone.
    """
    runner = web.AppRunner(
        app, access_log=None, shutdown_timeout=1.0, handler_cancellation=handler_cancellation
    )
    await runner.setup()
    socket.parent.mkdir(parents=True, exist_ok=True)
    socket.unlink(missing_ok=True)
    try:
        await web.UnixSite(runner, str(socket)).start()
        socket.chmod(0o600)
        yield
    finally:
        await runner.cleanup()
        with suppress(FileNotFoundError):
            socket.unlink()
