"""The two doors: which protocol a request asks for, and who serves it."""

from __future__ import annotations

from collections.abc import Iterable

from aiohttp import web

from cn2.podrunner.streaming import channels, port_forward, remote_command
from cn2.podrunner.streaming.port_forward import Connect
from cn2.podrunner.streaming.run import Run
from cn2.podrunner.streaming.session import Options

_TRUE = ("1", "t", "T", "true", "TRUE", "True")


async def serve_exec(request: web.BaseRequest, run: Run) -> web.StreamResponse:
    """Serve exec or attach: `run` gets the Session, its ExitStatus goes to the client.

    Which streams there are is read from the query (stdin, stdout, stderr, tty). A request that
    asks for no upgrade, or for a protocol that is not spoken here, gets 400 or 403.
    """
    options = options_of(request)
    match _upgrade(request):
        case "websocket":
            if _common(_websocket_protocols(request), channels.PROTOCOLS):
                return await channels.serve_websocket(request, options, run)
            return _unspoken(channels.PROTOCOLS)
        case "spdy/3.1":
            if _common(_spdy_protocols(request), (remote_command.PROTOCOL,)):
                return await remote_command.serve_spdy(request, options, run)
            return _unspoken((remote_command.PROTOCOL,))
        case _:
            return _no_upgrade()


async def serve_portforward(request: web.BaseRequest, connect: Connect) -> web.StreamResponse:
    """Serve port-forward: `connect(port)` opens one TCP connection inside the pod."""
    match _upgrade(request):
        case "websocket":
            if _common(_websocket_protocols(request), (port_forward.TUNNEL_PROTOCOL,)):
                return await port_forward.serve_tunnel(request, connect)
            return _unspoken((port_forward.TUNNEL_PROTOCOL,))
        case "spdy/3.1":
            if _common(_spdy_protocols(request), (port_forward.PROTOCOL,)):
                return await port_forward.serve_spdy(request, connect)
            return _unspoken((port_forward.PROTOCOL,))
        case _:
            return _no_upgrade()


def options_of(request: web.BaseRequest) -> Options:
    """Which streams the query asks for; a terminal has no stderr of its own."""
    asked = {name: request.query.get(name, "") in _TRUE for name in ("stdin", "stdout", "tty")}
    stderr = request.query.get("stderr", "") in _TRUE and not asked["tty"]
    return Options(stdin=asked["stdin"], stdout=asked["stdout"], stderr=stderr, tty=asked["tty"])


def _upgrade(request: web.BaseRequest) -> str:
    if "upgrade" not in request.headers.get("Connection", "").lower():
        return ""
    return request.headers.get("Upgrade", "").lower()


def _websocket_protocols(request: web.BaseRequest) -> list[str]:
    return _listed(request.headers.getall("Sec-WebSocket-Protocol", []))


def _spdy_protocols(request: web.BaseRequest) -> list[str]:
    return _listed(request.headers.getall("X-Stream-Protocol-Version", []))


def _listed(values: Iterable[str]) -> list[str]:
    return [part.strip() for value in values for part in value.split(",")]


def _common(asked: Iterable[str], spoken: Iterable[str]) -> bool:
    return not set(asked).isdisjoint(spoken)


def _unspoken(spoken: Iterable[str]) -> web.Response:
    headers = {"X-Accepted-Stream-Protocol-Versions": ", ".join(spoken)}
    return web.Response(status=403, text="unable to upgrade: no common protocol", headers=headers)


def _no_upgrade() -> web.Response:
    return web.Response(status=400, text="you must specify at least one upgrade protocol")
