"""The way from a pod to the API: a port of the pod's loopback, carried to the API server.

Bytes are passed on as they are: TLS and the token are between the pod and the API server.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from pathlib import Path

import structlog

from cn2.podrunner.initlink import InitGone, Refused, pod_socket

log = structlog.get_logger(__name__)

HOST, PORT = "127.0.0.1", 6443
"""Where it is in each pod. An address of the API server's certificate, and no port that
ordinary servers take."""

_AT_ONCE = 64
"""Connections of one pod; more wait."""
_CHUNK = 1 << 16


class ApiDoor:
    """One pod's. `target` is the API server's host and port, seen from here."""

    def __init__(self, directory: Path, target: tuple[str, int]) -> None:
        self._directory = directory
        self._target = target
        self._listening: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Listens in the pod until `close`. A pod that has taken the port itself is left alone."""
        self.close()
        listener: socket.socket | None = None
        try:
            listener = await pod_socket(self._directory)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((HOST, PORT))
            listener.listen(_AT_ONCE)
        except (OSError, InitGone, Refused) as error:
            log.warning("no way to the API from a pod", pod=self._directory.name, error=str(error))
            if listener is not None:
                listener.close()
            return
        self._listening = asyncio.create_task(self._serve(listener), name="api door")

    def close(self) -> None:
        """Ends the connections, too: an open one would hold the network namespace."""
        if self._listening is not None:
            self._listening.cancel()
        self._listening = None

    async def _serve(self, listener: socket.socket) -> None:
        free = asyncio.Semaphore(_AT_ONCE)
        loop = asyncio.get_running_loop()
        with listener:
            async with asyncio.TaskGroup() as group:
                while True:
                    await free.acquire()
                    try:
                        client, _ = await loop.sock_accept(listener)
                    except OSError as error:
                        # Out of descriptors, say: those who are connected must not suffer.
                        log.warning("no connection taken", error=str(error))
                        free.release()
                        await asyncio.sleep(1)
                        continue
                    carrying = group.create_task(self._carry(client))
                    carrying.add_done_callback(lambda _: free.release())

    async def _carry(self, client: socket.socket) -> None:
        with contextlib.ExitStack() as ends:
            ends.callback(client.close)
            try:
                inner = await asyncio.open_connection(sock=client)
                ends.callback(inner[1].transport.abort)
                outer = await asyncio.open_connection(*self._target)
                ends.callback(outer[1].transport.abort)
            except OSError:
                return  # the client sees its connection end, as of any server that is down
            await asyncio.gather(_pass(inner[0], outer[1]), _pass(outer[0], inner[1]))


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Everything, and then its end."""
    with contextlib.suppress(OSError):
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
    with contextlib.suppress(OSError):
        writer.write_eof()
