"""The way to a node's pod runner."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiohttp import web

from cn2.apiserver.errors import ApiError
from cn2.apiserver.nodes import NodeSockets


async def runner_at(socket: Path) -> web.AppRunner:
    async def logs(request: web.Request) -> web.StreamResponse:
        if request.query.get("container") == "x":
            return web.Response(status=400, text="no such container")
        response = web.StreamResponse()
        await response.prepare(request)
        for line in (b"one\n", b"two\n"):
            await response.write(line)
        return response

    app = web.Application()
    app.router.add_get("/logs/default/p/c", logs)
    runner = web.AppRunner(app)
    await runner.setup()
    socket.parent.mkdir(parents=True)
    await web.UnixSite(runner, str(socket)).start()
    return runner


async def test_what_the_node_says_is_passed_on(tmp_path: Path) -> None:
    nodes = NodeSockets(tmp_path)
    runner = await runner_at(nodes.socket("n1"))
    chunks = await nodes.read("n1", "/logs/default/p/c?follow=true")

    assert b"".join([chunk async for chunk in chunks]) == b"one\ntwo\n"
    await chunks.aclose()
    with pytest.raises(ApiError, match="no such container") as refused:
        await nodes.read("n1", "/logs/default/p/c?container=x")
    assert refused.value.code == 400
    await runner.cleanup()


async def test_a_node_that_is_away_is_a_server_error(tmp_path: Path) -> None:
    with pytest.raises(ApiError, match="error dialing backend") as refused:
        await NodeSockets(tmp_path).read("n1", "/logs/default/p/c")

    assert refused.value.code == 500


@pytest.mark.parametrize("node", ["../other", "a/b", ".."])
def test_a_nodes_name_leads_nowhere_else(tmp_path: Path, node: str) -> None:
    with pytest.raises(ApiError, match="not the name of a node"):
        NodeSockets(tmp_path).socket(node)
