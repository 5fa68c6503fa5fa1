"""exec and port-forward over real connections, with clients that speak both protocols."""

import asyncio
import contextlib
import json

import aiohttp
import pytest
from aiohttp import web

from cn2.podrunner.streaming import ExitStatus, Size, serve_exec, serve_portforward
from cn2.podrunner.streaming.spdy import Data, Framer, Reset

V5, V4 = "v5.channel.k8s.io", "v4.channel.k8s.io"
TUNNEL = "SPDY/3.1+portforward.k8s.io"


@contextlib.asynccontextmanager
async def serving(handler):
    runner = web.ServerRunner(web.Server(handler))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


@contextlib.asynccontextmanager
async def executing(run):
    async with serving(lambda request: serve_exec(request, run)) as port:
        yield port


@contextlib.asynccontextmanager
async def websocket(port, query, *protocols):
    async with aiohttp.ClientSession() as session:
        url = f"http://127.0.0.1:{port}/exec?{query}"
        async with session.ws_connect(url, protocols=protocols) as socket:
            yield socket


async def collected(socket):
    """Everything that comes on each channel until the server closes."""
    found = {}
    async for message in socket:
        found[message.data[0]] = found.get(message.data[0], b"") + message.data[1:]
    return found


class SpdyClient:
    """The client's side of SPDY over a TCP connection or a WebSocket's messages."""

    def __init__(self, read, write):
        self.read, self.write, self.framer = read, write, Framer()
        self.data, self.ended, self.last = {}, set(), -1

    @classmethod
    async def upgrade(cls, port, path, protocol):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(
            f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: Upgrade\r\n"
            f"Upgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: {protocol}\r\n\r\n".encode()
        )
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101"), head

        async def write(data):
            writer.write(data)
            await writer.drain()

        client = cls(lambda: reader.read(65536), write)
        client.close = writer.close
        client.head = head.decode()
        return client

    async def open(self, **headers):
        self.last += 2
        await self.write(self.framer.open(self.last, headers))
        return self.last

    async def send(self, stream, data, *, fin=False):
        await self.write(self.framer.data(stream, data, fin=fin))

    async def until(self, *streams):
        """Receive until all of `streams` have ended."""
        while not self.ended.issuperset(streams) and (received := await self.read()):
            for event in self.framer.receive(received):
                if isinstance(event, Data):
                    self.data[event.stream] = self.data.get(event.stream, b"") + event.data
                if isinstance(event, Reset) or (isinstance(event, Data) and event.fin):
                    self.ended.add(event.stream)


async def cat(session):
    while chunk := await session.stdin.read(1000):
        await session.write_stdout(chunk)
    await session.write_stderr(b"end")
    return ExitStatus(3)


# exec -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", [V5, V4])
async def test_websocket_carries_output_and_the_exit_code(protocol):
    async def run(session):
        await session.write_stdout(b"out")
        await session.write_stderr(b"err")
        return ExitStatus(3)

    async with executing(run) as port, websocket(port, "stdout=1&stderr=1", protocol) as socket:
        assert socket.protocol == protocol
        found = await collected(socket)
    assert (found[1], found[2]) == (b"out", b"err")
    status = json.loads(found[3])
    assert status["reason"] == "NonZeroExitCode"
    assert status["details"]["causes"] == [{"reason": "ExitCode", "message": "3"}]


async def test_success_and_failure_to_run_are_told_apart():
    async with executing(lambda session: done()) as port:
        async with websocket(port, "stdout=1", V5) as socket:
            assert json.loads((await collected(socket))[3])["status"] == "Success"
    async with executing(failing) as port:
        async with websocket(port, "stdout=1", V5) as socket:
            status = json.loads((await collected(socket))[3])
    assert status["status"] == "Failure"
    assert "no such file" in status["message"]


async def done():
    return ExitStatus()


async def failing(_session):
    raise FileNotFoundError("no such file")


async def test_version_5_can_close_stdin():
    async with executing(cat) as port:
        async with websocket(port, "stdin=1&stdout=1&stderr=1", V5) as socket:
            await socket.send_bytes(b"\x00hello")
            await socket.send_bytes(b"\xff\x00")
            found = await collected(socket)
    assert (found[1], found[2]) == (b"hello", b"end")


async def test_a_slow_command_holds_up_its_client_and_loses_nothing():
    data = bytes(range(256)) * 8000

    async def run(session):
        received = b""
        while len(received) < len(data):
            await asyncio.sleep(0)
            received += await session.stdin.read(5000)
        await session.write_stdout(b"same" if received == data else b"different")
        return ExitStatus()

    async with executing(run) as port, websocket(port, "stdin=1&stdout=1", V5) as socket:
        for start in range(0, len(data), 30_000):
            await socket.send_bytes(b"\x00" + data[start : start + 30_000])
        assert (await collected(socket))[1] == b"same"


async def test_the_size_of_the_terminal_reaches_the_command():
    async def run(session):
        assert session.options.tty
        assert await session.next_size() == Size(80, 24)
        return ExitStatus()

    async with executing(run) as port, websocket(port, "stdout=1&tty=1", V5) as socket:
        await socket.send_bytes(b"\x04nonsense")
        await socket.send_bytes(b'\x04{"Width": 80, "Height": 24}')
        assert json.loads((await collected(socket))[3])["status"] == "Success"


async def test_a_command_learns_that_its_client_has_gone():
    gone = asyncio.Event()

    async def run(session):
        await session.closed.wait()
        assert await session.stdin.read() == b""
        await session.write_stdout(b"nobody reads this")
        gone.set()
        return ExitStatus()

    async with executing(run) as port:
        async with websocket(port, "stdin=1&stdout=1", V5):
            pass
        await gone.wait()


async def test_spdy_carries_all_streams():
    async with executing(cat) as port:
        client = await SpdyClient.upgrade(port, "/exec?stdin=1&stdout=1&stderr=1", V4)
        assert "X-Stream-Protocol-Version: v4.channel.k8s.io" in client.head
        error, typed, out, err = [
            await client.open(streamType=name) for name in ("error", "stdin", "stdout", "stderr")
        ]
        await client.send(typed, b"hello", fin=True)
        await client.until(error, out, err)
        client.close()
    assert (client.data[out], client.data[err]) == (b"hello", b"end")
    assert json.loads(client.data[error])["details"]["causes"][0]["message"] == "3"


async def test_spdy_carries_the_size_of_the_terminal():
    async def run(session):
        await session.write_stdout(repr(tuple(await session.next_size())).encode())
        return ExitStatus()

    async with executing(run) as port:
        client = await SpdyClient.upgrade(port, "/exec?stdout=1&stderr=1&tty=1", V4)
        error, out, resize = [
            await client.open(streamType=name) for name in ("error", "stdout", "resize")
        ]
        await client.send(resize, b'{"Width":80,"Height":24}\n')
        await client.until(error, out)
        client.close()
    assert client.data[out] == b"(80, 24)"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 400),
        ({"Connection": "Upgrade", "Upgrade": "h2c"}, 400),
        ({"Connection": "Upgrade", "Upgrade": "SPDY/3.1"}, 403),
        (
            {
                "Connection": "Upgrade",
                "Upgrade": "websocket",
                "Sec-WebSocket-Protocol": "v1.channel.k8s.io",
            },
            403,
        ),
    ],
)
@pytest.mark.parametrize("serve", [serve_exec, serve_portforward])
async def test_protocols_that_are_not_spoken_are_refused(serve, headers, status):
    async with serving(lambda request: serve(request, failing)) as port:
        async with aiohttp.ClientSession() as session:
            async with session.post(f"http://127.0.0.1:{port}/", headers=headers) as response:
                assert response.status == status


# port-forward -----------------------------------------------------------------------------------


async def shout(reader, writer):
    while chunk := await reader.read(1000):
        writer.write(chunk.upper())
        await writer.drain()
    writer.close()


@contextlib.asynccontextmanager
async def forwarding():
    """The port of a forwarder, and the port of a server that it can reach."""
    target = await asyncio.start_server(shout, "127.0.0.1", 0)
    reachable = target.sockets[0].getsockname()[1]

    async def connect(port):
        return await asyncio.open_connection("127.0.0.1", port)

    async with target, serving(lambda request: serve_portforward(request, connect)) as port:
        yield port, reachable


@contextlib.asynccontextmanager
async def spdy_client(port):
    client = await SpdyClient.upgrade(port, "/portforward", "portforward.k8s.io")
    try:
        yield client
    finally:
        client.close()


@contextlib.asynccontextmanager
async def tunnel_client(port):
    async with aiohttp.ClientSession() as session:
        url = f"http://127.0.0.1:{port}/portforward"
        async with session.ws_connect(url, protocols=(TUNNEL,)) as socket:
            assert socket.protocol == TUNNEL

            async def read():
                message = await socket.receive()
                return message.data if message.type is aiohttp.WSMsgType.BINARY else b""

            yield SpdyClient(read, socket.send_bytes)


async def opened_pair(client, port, request):
    headers = {"port": str(port), "requestID": str(request)}
    error = await client.open(streamType="error", **headers)
    await client.send(error, b"", fin=True)
    return error, await client.open(streamType="data", **headers)


@pytest.mark.parametrize("connected", [spdy_client, tunnel_client])
async def test_connections_are_forwarded_side_by_side(connected):
    async with forwarding() as (port, reachable), connected(port) as client:
        first_error, first = await opened_pair(client, reachable, 1)
        second_error, second = await opened_pair(client, reachable, 2)
        await client.send(second, b"two", fin=True)
        await client.send(first, b"one" * 50_000, fin=True)
        await client.until(first, second, first_error, second_error)
    assert client.data[first] == b"ONE" * 50_000
    assert client.data[second] == b"TWO"
    assert not client.data[first_error]


@pytest.mark.parametrize("connected", [spdy_client, tunnel_client])
async def test_a_port_where_nothing_listens_is_an_error_of_that_pair(connected):
    closed = await asyncio.start_server(shout, "127.0.0.1", 0)
    nobody = closed.sockets[0].getsockname()[1]
    closed.close()
    await closed.wait_closed()
    async with forwarding() as (port, reachable), connected(port) as client:
        error, data = await opened_pair(client, nobody, 1)
        await client.until(error, data)
        assert f"error forwarding port {nobody}".encode() in client.data[error]
        _error, data = await opened_pair(client, reachable, 2)
        await client.send(data, b"still", fin=True)
        await client.until(data)
    assert client.data[data] == b"STILL"


async def test_pings_are_answered():
    async with forwarding() as (port, _reachable), spdy_client(port) as client:
        await client.write(client.framer.ping(5))
        events = []
        while not events:
            events = client.framer.receive(await client.read())
    assert events[0].id == 5
