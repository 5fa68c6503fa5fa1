"""The pod runner's end of cn2-init's control socket (podinit/serve.c says what may be asked)."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from cn2.podrunner.records import Record, decode, encode
from cn2.podrunner.runs import Run

_SO_SNDBUFFORCE = 32
_LARGEST_REQUEST = 1 << 20
_LARGEST_ANSWER = 1 << 16


_ACCEPTED = 2.0
"""Seconds for process 1 to accept a connection; it does nothing that takes long."""


class InitGone(Exception):
    """Process 1 of the sandbox does not answer: the sandbox is lost."""


class Refused(Exception):
    """Process 1 says why it did not do it."""


class Channel:
    """One connection: packets with descriptors beside them."""

    def __init__(self, directory: Path) -> None:
        """Connects to the pod's init at once; the path may be longer than a socket's may be."""
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC)
        # A full backlog makes it wait for process 1 to accept; refused at once, it would look gone.
        self._socket.settimeout(_ACCEPTED)
        with contextlib.suppress(PermissionError):
            self._socket.setsockopt(socket.SOL_SOCKET, _SO_SNDBUFFORCE, _LARGEST_REQUEST)
        try:
            descriptor = os.open(directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                self._socket.connect(f"/proc/self/fd/{descriptor}/init.sock")
            finally:
                os.close(descriptor)
            self._socket.setblocking(False)
        except OSError as error:
            self._socket.close()
            raise InitGone(str(error)) from error

    def __enter__(self) -> Channel:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._socket.close()

    def send(self, records: Iterable[Record], descriptors: Sequence[int] = ()) -> None:
        """Raises ValueError for what cannot be said: too long, or with a NUL byte in it."""
        packet = encode(records)
        if len(packet) > _LARGEST_REQUEST:
            raise ValueError(f"{len(packet)} bytes of arguments and environment are too many")
        try:
            if descriptors:
                socket.send_fds(self._socket, [packet], list(descriptors))
            else:
                self._socket.send(packet)
        except (BrokenPipeError, ConnectionError) as error:
            raise InitGone(str(error)) from error

    async def receive(self) -> tuple[bytes, list[int]]:
        """The next packet; empty when the other side is gone."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                packet, descriptors, _, _ = socket.recv_fds(self._socket, _LARGEST_ANSWER, 4)
                return packet, descriptors
            except BlockingIOError:
                readable: asyncio.Future[None] = loop.create_future()
                loop.add_reader(self._socket, _resolve, readable)
                try:
                    await readable
                finally:
                    loop.remove_reader(self._socket)
            except ConnectionError:
                return b"", []

    async def answer(self) -> tuple[dict[str, str], list[int]]:
        """The next packet as records. Raises `InitGone` and `Refused`."""
        packet, descriptors = await self.receive()
        if not packet:
            raise InitGone("process 1 ended")
        said = dict(decode(packet))
        if said.get("error") and "id" not in said:
            raise Refused(said["error"])
        return said, descriptors


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def run_of(said: dict[str, str]) -> tuple[str, Run]:
    """Container name and run of a `state` answer or a `.state` file."""
    name, _, attempt = said["id"].rpartition("/")
    return name, Run(
        attempt=int(attempt),
        started=said.get("started", ""),
        finished=said.get("finished", ""),
        exit_code=int(said.get("exit", "0")),
        signal=int(said.get("signal", "0")),
        error=said.get("error", ""),
        out_of_memory=said.get("oom") == "1",
        message=json.loads(said.get("message", '""')),
        noted=said.get("noted") == "1",
        unhealthy=said.get("unhealthy") == "1",
    )


async def ask(
    directory: Path, records: Iterable[Record], descriptors: Sequence[int] = ()
) -> tuple[dict[str, str], list[int]]:
    """One request and its answer."""
    with Channel(directory) as channel:
        channel.send(records, descriptors)
        return await channel.answer()


async def watch(
    directory: Path, changed: Callable[[str, Run], None], synced: asyncio.Event
) -> None:
    """Tells every run, present and to come. Returns when process 1 is gone."""
    while True:
        try:
            with Channel(directory) as channel:
                channel.send([("op", "watch")])
                await _follow(channel, changed, synced)
        except InitGone:
            return
        # Dropped for being slow, or process 1 is gone: another connection tells.
        await asyncio.sleep(0)


async def _follow(
    channel: Channel, changed: Callable[[str, Run], None], synced: asyncio.Event
) -> None:
    while True:
        packet, _ = await channel.receive()
        if not packet:
            return
        said = dict(decode(packet))
        if said.get("op") == "state":
            changed(*run_of(said))
        elif said.get("op") == "synced":
            synced.set()


async def pod_socket(directory: Path, *, v6: bool = False) -> socket.socket:
    """A TCP socket in the pod's network namespace, not connected, not blocking."""
    _, descriptors = await ask(directory, [("op", "socket"), ("family", "6" if v6 else "4")])
    return socket.socket(fileno=descriptors[0])
