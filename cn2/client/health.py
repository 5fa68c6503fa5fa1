"""Every process's own small HTTP server on a unix socket: /healthz, /readyz, /metrics.

/healthz says whether the process should be restarted, /readyz whether it does its work. Both list
their checks by name and answer 200 or 503; `ask` is the other end, for the supervisor and
`cn2 status`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from cn2.client.unix_server import serving

Page = Callable[[], Awaitable[object]]
"""Something about the process, as a value that JSON can carry."""

Check = Callable[[], str]
"""Why something is not well, "" when it is. Called for every question: it must be quick."""


class Health:
    """Named checks of one process."""

    def __init__(self) -> None:
        self._live: dict[str, Check] = {}
        self._ready: dict[str, Check] = {}
        self._pages: dict[str, Page] = {}

    def live(self, name: str, check: Check) -> None:
        """A failing check asks for a restart."""
        self._live[name] = check

    def ready(self, name: str, check: Check) -> None:
        """A failing check says that work is not being done (yet)."""
        self._ready[name] = check

    def page(self, name: str, page: Page) -> None:
        """Answer `/introspect/NAME` with what `page` tells, as JSON."""
        self._pages[name] = page

    def alive(self) -> dict[str, str]:
        """The complaints of the live checks, by name."""
        return _complaints(self._live)

    def unready(self) -> dict[str, str]:
        """The complaints of all checks, by name."""
        return _complaints(self._live | self._ready)

    @asynccontextmanager
    async def serve(self, socket: Path) -> AsyncIterator[None]:
        """Answers on `socket` (mode 0600) while the context lasts; a stale socket is replaced."""
        app = web.Application()
        app.router.add_get("/healthz", self._healthz)
        app.router.add_get("/livez", self._healthz)
        app.router.add_get("/readyz", self._readyz)
        app.router.add_get("/metrics", _metrics)
        app.router.add_get("/introspect/{name}", self._introspect)
        async with serving(app, socket):
            yield

    async def _healthz(self, _: web.Request) -> web.Response:
        return _answer(self._live)

    async def _readyz(self, _: web.Request) -> web.Response:
        return _answer(self._live | self._ready)

    async def _introspect(self, request: web.Request) -> web.Response:
        page = self._pages.get(request.match_info["name"])
        if page is None:
            return web.json_response({"pages": sorted(self._pages)}, status=404)
        return web.json_response(await page())


async def ask(socket: Path, path: str = "/readyz", *, seconds: float = 5.0) -> tuple[int, str]:
    """Status and text of a process's answer; (0, why) when it does not answer."""
    timeout = aiohttp.ClientTimeout(total=seconds)
    connector = aiohttp.UnixConnector(str(socket))
    try:
        async with (
            aiohttp.ClientSession(connector=connector, timeout=timeout) as session,
            session.get(f"http://process{path}") as response,
        ):
            return response.status, await response.text()
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        return 0, str(error) or type(error).__name__


def _complaints(checks: dict[str, Check]) -> dict[str, str]:
    return {name: complaint for name, check in checks.items() if (complaint := check())}


def _answer(checks: dict[str, Check]) -> web.Response:
    """The lines of kube-apiserver's verbose answer: `[+]name ok`, `[-]name failed: why`."""
    bad = _complaints(checks)
    lines = [
        f"[-]{name} failed: {bad[name]}" if name in bad else f"[+]{name} ok" for name in checks
    ]
    return web.Response(
        status=503 if bad else 200, text="\n".join([*lines, "failed" if bad else "ok"]) + "\n"
    )


async def _metrics(_: web.Request) -> web.Response:
    return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})
