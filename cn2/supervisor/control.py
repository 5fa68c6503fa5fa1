"""The supervisor's own socket: what runs and how far it has come, as JSON over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import web

from cn2.client.health import ask


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


def status(path: Path) -> dict[str, Any] | None:
    """What the supervisor at this socket says, None when nobody answers."""
    code, text = asyncio.run(ask(path, "/status"))
    if code != 200:
        return None
    return msgspec.json.decode(text, type=dict[str, Any])
