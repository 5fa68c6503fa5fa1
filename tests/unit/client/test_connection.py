"""Connections against a server that says exactly what a test tells it to."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from cn2.client.connection import Address, Cut, Pool, Unconnected

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
END = b"<the server hangs up>"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Seen: yes\r\n\r\nok"


@asynccontextmanager
async def answering(*answers):
    """A server that gives each request the next answer, the last for ever. Yields its address and
    the list of its connections."""
    left, writers = list(answers), []

    async def serve(reader, writer):
        writers.append(writer)
        while await reader.readuntil(b"\r\n\r\n"):
            answer = left.pop(0) if len(left) > 1 else left[0]
            writer.write(answer.removesuffix(END))
            await writer.drain()
            if answer.endswith(END):
                break
        writer.close()

    async def quietly(reader, writer):
        try:
            await serve(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(quietly, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    try:
        yield Address(host, port, None, None), writers
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()
        await asyncio.gather(*(one.wait_closed() for one in writers), return_exceptions=True)


def pool(address, limit=4):
    return Pool(address, limit=limit, connect=10, warm=60)


async def test_requests_follow_each_other_on_one_connection():
    async with answering(OK) as (address, connections):
        requests = pool(address)

        for _ in range(5):
            head, body = await requests.ask(GET)

        assert (head.status, head.headers["x-seen"], body) == (200, "yes", b"ok")
        assert len(connections) == 1
        requests.close()


async def test_more_requests_than_connections_wait_their_turn():
    async with answering(OK) as (address, connections):
        requests = pool(address, limit=2)

        answers = await asyncio.gather(*(requests.ask(GET) for _ in range(20)))

        assert {body for _, body in answers} == {b"ok"}
        assert len(connections) == 2
        requests.close()


async def test_a_server_that_wants_to_close_gets_no_second_request_there():
    closing = OK.replace(b"X-Seen: yes", b"Connection: close")
    async with answering(closing, OK) as (address, connections):
        requests = pool(address)

        await requests.ask(GET)
        await requests.ask(GET)

        assert len(connections) == 2
        requests.close()


async def test_an_answer_that_nobody_asked_for_answers_nothing():
    async with answering(OK + OK.replace(b"ok", b"no"), OK) as (address, connections):
        requests = pool(address)

        assert (await requests.ask(GET))[1] == b"ok"
        assert (await requests.ask(GET))[1] == b"ok"
        assert len(connections) == 2
        requests.close()


async def test_an_answer_in_chunks_is_one_body():
    chunked = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    )
    async with answering(chunked) as (address, _):
        requests = pool(address)

        assert (await requests.ask(GET))[1] == b"abcde"
        requests.close()


@pytest.mark.parametrize(
    "answer", [END, b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf" + END, b"what?\r\n\r\n"]
)
async def test_half_an_answer_is_none(answer):
    async with answering(answer) as (address, _):
        with pytest.raises(Cut):
            await pool(address).ask(GET)


async def test_a_request_that_is_given_up_takes_its_connection_along():
    """Or its answer would be taken for that of the next."""
    async with answering(b"", OK) as (address, connections):
        requests = pool(address, limit=1)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await requests.ask(GET)

        assert (await requests.ask(GET))[1] == b"ok"
        assert len(connections) == 2
        requests.close()


async def test_nobody_listens():
    async with answering(OK) as (address, _):
        pass

    with pytest.raises(Unconnected, match="refused"):
        await pool(address).ask(GET)


async def test_a_stream_comes_in_pieces_however_slow_its_reader():
    size = 6 << 20
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size
    async with answering(head + b"x" * size) as (address, _):
        connection = await address.connect(10)

        assert (await connection.stream(GET)).status == 200
        lengths = []
        async for piece in connection.pieces(60):
            lengths.append(len(piece))
            await asyncio.sleep(0)

        assert sum(lengths) == size
        assert max(lengths) < size  # the server was made to wait
        connection.close()


async def test_a_silent_stream_is_given_up():
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    async with answering(head + b"3\r\nabc\r\n") as (address, _):
        connection = await address.connect(10)
        await connection.stream(GET)
        pieces = connection.pieces(0.01)

        assert await anext(pieces) == b"abc"
        with pytest.raises(TimeoutError):
            await anext(pieces)
        connection.close()
