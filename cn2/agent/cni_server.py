"""The unix socket on which the CNI plugin finds the agent: frames in, frames out."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from pathlib import Path

import structlog

from cn2.agent import cni
from cn2.agent.cni import CniError, Code, Request
from cn2.agent.cni_result import Result, output
from cn2.agent.metrics import CNI_CALLS

FRAME_MAX = (1 << 20) + (1 << 16) + 1
"""Bytes: stdin and environment at the shim's limits."""

Handler = Callable[[Request], Awaitable[Result | None]]
_log = structlog.get_logger("cni")


class CniServer:
    """Answers the shim; what to do is the handler's business."""

    def __init__(self, path: Path, handler: Handler) -> None:
        self._path = path
        self._handler = handler
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen; a socket that an earlier agent left behind is replaced."""
        self._path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._serve, self._path)
        self._path.chmod(0o600)

    async def stop(self) -> None:
        """Stop listening; calls that are under way are cut off, and their shims ask to retry."""
        if self._server is not None:
            self._server.close()
            self._path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            length = int.from_bytes(await reader.readexactly(4), "big")
            if length > FRAME_MAX:
                return
            frame = await reader.readexactly(length)
            reply = await _unless_gone(reader, asyncio.ensure_future(self._answer(frame)))
            if reply is not None:
                writer.write(reply)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            _log.info("the CNI plugin went away before it had its answer")
        finally:
            writer.close()

    async def _answer(self, frame: bytes) -> bytes:
        version, command = cni.LATEST, "invalid"
        try:
            environment, stdin = cni.decode(frame)
            request = cni.parse(environment, stdin)
            version, command = request.version, request.command
            printed = output(await self._handler(request))
            CNI_CALLS.labels(command, "0").inc()
            return cni.encode(0, printed)
        except CniError as error:
            failure = error
            _log.warning("CNI call failed", code=int(error.code), message=error.message)
        except Exception as bug:
            failure = CniError(Code.INTERNAL, "the agent failed; its log says more", repr(bug))
            _log.exception("CNI call crashed")
        CNI_CALLS.labels(command, str(int(failure.code))).inc()
        return cni.encode(1, cni.error(version, failure))


async def _unless_gone(reader: asyncio.StreamReader, answer: asyncio.Future[bytes]) -> bytes | None:
    """The answer, or None if the plugin hung up first: then nobody waits for it any more."""
    gone = asyncio.ensure_future(reader.read(1))
    try:
        await asyncio.wait((answer, gone), return_when=asyncio.FIRST_COMPLETED)
        if not answer.done():
            answer.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await answer
            return None
        return await answer
    finally:
        gone.cancel()
