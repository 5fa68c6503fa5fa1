"""The way to what runs on a node: its pod runner's unix socket."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Protocol

import aiohttp

from cn2.apiserver.errors import ApiError, bad_request, refused_by_node
from cn2.apiserver.request import Chunks, Holding

_CONNECT_SECONDS = 5.0


class Nodes(Protocol):
    """Where a node's pod runner listens, and a way to read from it."""

    def socket(self, node: str) -> Path: ...

    async def read(self, node: str, path_qs: str) -> Chunks:
        """The body of a GET, as it comes. Raises ApiError when the node refuses or is away."""


class NodeSockets:
    """Nodes whose pod runners listen at `DIR/<node>/podrunner.sock`."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def socket(self, node: str) -> Path:
        # Whoever makes a pod chooses the node's name: it must not lead out of the directory.
        if "/" in node or node in (".", ".."):
            raise bad_request(f"{node!r} is not the name of a node")
        return self._directory / node / "podrunner.sock"

    async def read(self, node: str, path_qs: str) -> Chunks:
        timeout = aiohttp.ClientTimeout(total=None, connect=_CONNECT_SECONDS)
        connector = aiohttp.UnixConnector(str(self.socket(node)))
        session = aiohttp.ClientSession(connector=connector, timeout=timeout)
        try:
            response = await session.get(f"http://{node}{path_qs}")
            if response.status >= 400:
                raise refused_by_node(response.status, await response.text())
        except aiohttp.ClientError as error:
            await session.close()
            raise ApiError(500, "InternalError", f"error dialing backend: {error}") from error
        except BaseException:
            await session.close()
            raise
        return Holding(_body(response), session.close)


async def _body(response: aiohttp.ClientResponse) -> AsyncGenerator[bytes, None]:
    try:
        async for chunk in response.content.iter_any():
            yield chunk
    except aiohttp.ClientError:
        return  # the node went away in the middle: what came is all there is
