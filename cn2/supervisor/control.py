"""The supervisor's own socket: what runs and how far it has come, as JSON over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
from aiohttp import web


async def serve(path: Path, describe: Callable[[], dict[str, Any]]) -> web.ServerRunner:
    """Serve `GET /status` on a unix socket; the caller cleans the runner up."""

    async def answer(request: web.BaseRequest) -> web.Response:
        if request.path != "/status":
            return web.Response(status=404)
        return web.Response(body=msgspec.json.encode(describe()), content_type="application/json")

    path.unlink(missing_ok=True)
    runner = web.ServerRunner(web.Server(answer))
    await runner.setup()
    await web.UnixSite(runner, str(path)).start()
    path.chmod(0o600)
    return runner


async def _ask(path: Path) -> dict[str, Any]:
    connector = aiohttp.UnixConnector(str(path))
    timeout = aiohttp.ClientTimeout(total=5)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        async with session.get("http://localhost/status") as reply:
            return dict(await reply.json())


def status(path: Path) -> dict[str, Any] | None:
    """What the supervisor at this socket says, None when nobody answers."""
    try:
        return asyncio.run(_ask(path))
    except (OSError, aiohttp.ClientError, TimeoutError):
        return None
