"""The supervisor's own socket: what runs and how far it has come, as JSON over HTTP."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from aiohttp.web import ServerRunner

_PATIENCE = 5.0
"""Seconds for an answer."""


async def serve(path: Path, describe: Callable[[], dict[str, Any]]) -> ServerRunner:
    """Serve `GET /status` on a unix socket; the caller cleans the runner up."""

    # Only the one that serves pays for an HTTP server; those who ask are commands in a hurry.
    from aiohttp import web

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
    with socket.socket(socket.AF_UNIX) as asking:
        asking.settimeout(_PATIENCE)
        try:
            asking.connect(str(path))
            asking.sendall(b"GET /status HTTP/1.0\r\n\r\n")
            with asking.makefile("rb") as answer:
                head, _, body = answer.read().partition(b"\r\n\r\n")
        except OSError:
            return None
    if head.split(b" ", 2)[1:2] != [b"200"]:
        return None
    return msgspec.json.decode(body, type=dict[str, Any])
