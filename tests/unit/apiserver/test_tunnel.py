import asyncio
import contextlib

import aiohttp
import pytest
from aiohttp import web

from cn2.apiserver.tunnel import tunnel


async def until_head_ends(reader):
    return (await reader.readuntil(b"\r\n\r\n")).decode()


@contextlib.asynccontextmanager
async def front(socket_path):
    """The port of a server that hands every request to a node's socket."""
    server = web.Server(lambda request: tunnel(request, socket_path, f"/node{request.path_qs}"))
    runner = web.ServerRunner(server)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


@contextlib.asynccontextmanager
async def node(socket_path, serve):
    server = await asyncio.start_unix_server(serve, str(socket_path))
    async with server:
        yield


REQUEST = (
    b"POST /exec?command=ls HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nAuthorization: Bearer t\r\n"
    b"Connection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: v4\r\n\r\n"
)


async def test_a_connection_on_which_nothing_goes_is_ended(tmp_path, monkeypatch):
    monkeypatch.setattr("cn2.apiserver.tunnel.IDLE_SECONDS", 0.05)
    ended = asyncio.Event()

    async def serve(reader, writer):
        await until_head_ends(reader)
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\r\n")
        await reader.read()
        ended.set()
        writer.close()

    path = tmp_path / "node.sock"
    async with node(path, serve), front(path) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(REQUEST)
        head = await until_head_ends(reader)
        rest = await reader.read()
        await ended.wait()
        writer.close()
    assert (head.startswith("HTTP/1.1 101"), rest) == (True, b"")


async def test_bytes_travel_both_ways_until_the_node_ends(tmp_path):
    heads = []

    async def serve(reader, writer):
        heads.append(await until_head_ends(reader))
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n")
        writer.write(b"Upgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: v4\r\n\r\nfirst")
        writer.write(b"<" + await reader.readexactly(300_000) + b">")
        await writer.drain()
        writer.close()

    path = tmp_path / "node.sock"
    async with node(path, serve), front(path) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(REQUEST)
        head = await until_head_ends(reader)
        writer.write(b"x" * 300_000)
        received = await reader.read()
        writer.close()
    assert head.startswith("HTTP/1.1 101")
    assert "X-Stream-Protocol-Version: v4" in head
    assert received == b"first<" + b"x" * 300_000 + b">"
    assert heads[0].startswith("POST /node/exec?command=ls HTTP/1.1\r\n")
    assert "X-Stream-Protocol-Version: v4" in heads[0]
    assert "Bearer" not in heads[0]


async def test_the_node_sees_that_the_client_has_gone(tmp_path):
    gone = asyncio.Event()

    async def serve(reader, writer):
        await until_head_ends(reader)
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: SPDY/3.1\r\n\r\n")
        assert await reader.read() == b""
        gone.set()
        writer.close()

    path = tmp_path / "node.sock"
    async with node(path, serve), front(path) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(REQUEST)
        await until_head_ends(reader)
        writer.close()
        await gone.wait()


async def test_a_refusal_of_the_node_becomes_a_status(tmp_path):
    async def serve(reader, writer):
        await until_head_ends(reader)
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno")
        writer.close()

    path = tmp_path / "node.sock"
    async with node(path, serve), front(path) as port, aiohttp.ClientSession() as session:
        async with session.post(f"http://127.0.0.1:{port}/exec") as response:
            status = await response.json()
            assert (response.status, status["reason"]) == (400, "BadRequest")
            assert (status["kind"], status["message"]) == ("Status", "no")


@pytest.mark.parametrize("answer", [b"", b"nonsense\r\n\r\n"])
async def test_a_node_that_speaks_no_http_is_an_internal_error(tmp_path, answer):
    async def serve(reader, writer):
        await until_head_ends(reader)
        writer.write(answer)
        writer.close()

    path = tmp_path / "node.sock"
    async with node(path, serve), front(path) as port, aiohttp.ClientSession() as session:
        async with session.post(f"http://127.0.0.1:{port}/exec") as response:
            assert response.status == 500
            assert (await response.json())["kind"] == "Status"


async def test_a_node_that_is_away_is_an_internal_error(tmp_path):
    async with front(tmp_path / "none.sock") as port, aiohttp.ClientSession() as session:
        async with session.post(f"http://127.0.0.1:{port}/exec") as response:
            assert response.status == 500
            assert "error dialing backend" in (await response.json())["message"]
