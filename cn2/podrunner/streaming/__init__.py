"""The streams of exec, attach and port-forward, over WebSocket and over SPDY/3.1.

Both functions answer an Upgrade request and return when the stream has ended:

    async def serve_exec(
        request: aiohttp.web.BaseRequest, run: Callable[[Session], Awaitable[ExitStatus]]
    ) -> aiohttp.web.StreamResponse
    async def serve_portforward(
        request: aiohttp.web.BaseRequest,
        connect: Callable[[int], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]],
    ) -> aiohttp.web.StreamResponse

`connect` raises OSError when nothing listens at the port. Whatever can be refused before the
stream opens (no such container) is answered by the caller with an ordinary response instead.
"""

from cn2.podrunner.streaming.server import serve_exec, serve_portforward
from cn2.podrunner.streaming.session import ExitStatus, Options, Session, Size

__all__ = ["ExitStatus", "Options", "Session", "Size", "serve_exec", "serve_portforward"]
