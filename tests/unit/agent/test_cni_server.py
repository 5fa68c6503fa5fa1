"""Frames in, frames out, whatever the other end does."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from cn2.agent.cni import CniError, Code, Request
from cn2.agent.cni_result import Result
from cn2.agent.cni_server import FRAME_MAX, CniServer

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
FRAME = b'CNI_COMMAND=DEL\0CNI_CONTAINERID=c\0CNI_IFNAME=eth0\0\0{"cniVersion":"0.4.0","name":"n"}'


@asynccontextmanager
async def calling(
    directory: Path, handler: Callable[[Request], Awaitable[Result | None]]
) -> AsyncIterator[Streams]:
    server = CniServer(directory / "agent.sock", handler)
    (directory / "agent.sock").touch()  # an earlier agent was killed
    await server.start()
    reader, writer = await asyncio.open_unix_connection(directory / "agent.sock")
    try:
        yield reader, writer
    finally:
        writer.close()
        await server.stop()
    assert not (directory / "agent.sock").exists()


async def answer(streams: Streams, frame: bytes = FRAME) -> tuple[int, bytes]:
    """Exit code and output."""
    reader, writer = streams
    writer.write(len(frame).to_bytes(4, "big") + frame)
    reply = await reader.readexactly(int.from_bytes(await reader.readexactly(4), "big"))
    return reply[0], reply[1:]


async def test_a_result_is_printed(tmp_path: Path) -> None:
    async def handler(request: Request) -> Result | None:
        return {"container": request.container}

    async with calling(tmp_path, handler) as streams:
        assert await answer(streams) == (0, b'{"container":"c"}\n')


async def test_an_error_has_exit_code_1_and_the_callers_version(tmp_path: Path) -> None:
    async def handler(request: Request) -> Result | None:
        raise CniError(Code.TRY_AGAIN_LATER, "soon")

    async with calling(tmp_path, handler) as streams:
        code, printed = await answer(streams)

    assert (code, json.loads(printed)) == (1, {"cniVersion": "0.4.0", "code": 11, "msg": "soon"})


async def test_a_mistake_of_our_own_is_an_answer_too(tmp_path: Path) -> None:
    async def handler(request: Request) -> Result | None:
        raise ZeroDivisionError

    async with calling(tmp_path, handler) as streams:
        code, printed = await answer(streams)

    assert (code, json.loads(printed)["code"]) == (1, 999)


async def test_an_unreadable_frame_is_an_answer_too(tmp_path: Path) -> None:
    async def handler(request: Request) -> Result | None:
        raise AssertionError("must not be reached")

    async with calling(tmp_path, handler) as streams:
        code, printed = await answer(streams, b"nonsense")

    assert (code, json.loads(printed)["code"]) == (1, Code.DECODING_FAILURE)


async def test_too_long_a_frame_is_cut_off(tmp_path: Path) -> None:
    async def handler(request: Request) -> Result | None:
        raise AssertionError("must not be reached")

    async with calling(tmp_path, handler) as (reader, writer):
        writer.write((FRAME_MAX + 1).to_bytes(4, "big"))

        assert await reader.read() == b""


async def test_a_plugin_that_hangs_up_ends_the_wait(tmp_path: Path) -> None:
    waiting, ended = asyncio.Event(), asyncio.Event()

    async def handler(request: Request) -> Result | None:
        waiting.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return None

    async with calling(tmp_path, handler) as (_, writer):
        writer.write(len(FRAME).to_bytes(4, "big") + FRAME)
        await waiting.wait()
        writer.close()

        await ended.wait()
