"""exec and attach over SPDY/3.1: the remotecommand protocol v4 (kubectl before 1.30)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from aiohttp import web

from cn2.podrunner.streaming.channels import parse_size
from cn2.podrunner.streaming.exit_status import encode_status
from cn2.podrunner.streaming.run import Run, run_session
from cn2.podrunner.streaming.session import ExitStatus, Options, Session
from cn2.podrunner.streaming.spdy_streams import Stream, Streams
from cn2.podrunner.streaming.upgrade import accept_upgrade

PROTOCOL = "v4.channel.k8s.io"
PROTOCOL_HEADER = "X-Stream-Protocol-Version"

_OPENING_TIMEOUT = 30.0
"""Seconds in which a client has to open the streams that it asked for."""
_CLOSING_TIMEOUT = 5.0
"""Seconds in which a client has to hang up after the status."""
_READ_SIZE = 1 << 16


async def serve_spdy(request: web.BaseRequest, options: Options, run: Run) -> web.StreamResponse:
    """Serve one session over SPDY."""
    headers = {"Connection": "Upgrade", "Upgrade": "SPDY/3.1", PROTOCOL_HEADER: PROTOCOL}
    response, reader = await accept_upgrade(request, headers)
    streams = Streams(lambda: reader.read(_READ_SIZE), response.write)
    receiving = asyncio.create_task(streams.run())
    try:
        async with asyncio.timeout(_OPENING_TIMEOUT):
            by_type = await _collect(streams, _expected(options))
        if by_type is not None:
            await _serve(streams, by_type, options, run)
            async with asyncio.timeout(_CLOSING_TIMEOUT):
                await streams.ended.wait()
    except TimeoutError:
        pass
    finally:
        receiving.cancel()
    return response


def _expected(options: Options) -> set[str]:
    wanted = {
        "error": True,
        "stdin": options.stdin,
        "stdout": options.stdout,
        "stderr": options.stderr and not options.tty,
        "resize": options.tty,
    }
    return {name for name, is_wanted in wanted.items() if is_wanted}


async def _collect(streams: Streams, expected: set[str]) -> Mapping[str, Stream] | None:
    """The expected streams by type; None when the client leaves before it has opened them."""
    found: dict[str, Stream] = {}
    async for stream in streams.opened():
        found[stream.headers.get("streamtype", "")] = stream
        if expected <= found.keys():
            return found
    return None


async def _nothing(_data: bytes) -> None:
    """Where output goes that the client did not ask for."""


async def _serve(
    streams: Streams, by_type: Mapping[str, Stream], options: Options, run: Run
) -> None:
    out, err, typed = (by_type.get(name) for name in ("stdout", "stderr", "stdin"))
    session = Session(
        options=options,
        write_stdout=out.write if out else _nothing,
        write_stderr=err.write if err else _nothing,
        closed=streams.ended,
    )
    if typed is not None:
        session.stdin = typed.reader
    else:
        session.stdin.feed_eof()
    resizing = asyncio.create_task(_resize(session, by_type.get("resize")))
    try:
        status = await run_session(session, run)
    finally:
        resizing.cancel()
    await _finish(by_type, status)


async def _finish(by_type: Mapping[str, Stream], status: ExitStatus) -> None:
    await by_type["error"].write(encode_status(status))
    for stream in by_type.values():
        await stream.close()


async def _resize(session: Session, stream: Stream | None) -> None:
    while stream is not None and (line := await stream.reader.readline()):
        size = parse_size(line)
        if size is not None:
            session.resized(size)
