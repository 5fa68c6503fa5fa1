"""Commands beside a container, attaching to one, and connections into a pod."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import os
import struct
import termios
from collections.abc import Sequence
from typing import Any, Protocol

from cn2.drivers.cgroups import Cgroups
from cn2.podrunner.initlink import Channel, InitGone, Refused, pod_socket
from cn2.podrunner.place import PodPlace
from cn2.podrunner.records import decode
from cn2.podrunner.spec import exec_records
from cn2.podrunner.streaming import ExitStatus, Session
from cn2.podrunner.streaming.session import Write

_CHUNK = 1 << 16

_FIRST_SIZE = 0.05
"""Seconds that a terminal waits for its size, which clients send first."""
_LINGER = 0.5
"""Seconds of silence after which output that a command's own children hold open is let go."""


class Descriptor:
    """A pipe's end or a terminal, read and written without blocking the loop."""

    def __init__(self, number: int) -> None:
        os.set_blocking(number, False)
        self.number = number

    async def read(self) -> bytes:
        """The next bytes; empty at the end (a terminal says so with EIO)."""
        while True:
            try:
                return os.read(self.number, _CHUNK)
            except BlockingIOError:
                await self._until(asyncio.get_running_loop().add_reader, self._no_reader)
            except OSError as error:
                if error.errno == errno.EIO:
                    return b""
                raise

    async def write(self, data: bytes) -> None:
        while data:
            try:
                data = data[os.write(self.number, data) :]
            except BlockingIOError:
                await self._until(asyncio.get_running_loop().add_writer, self._no_writer)

    async def _until(self, add: _Add, remove: _Remove) -> None:
        ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        add(self.number, lambda: None if ready.done() else ready.set_result(None))
        try:
            await ready
        finally:
            remove()

    def _no_reader(self) -> None:
        asyncio.get_running_loop().remove_reader(self.number)

    def _no_writer(self) -> None:
        asyncio.get_running_loop().remove_writer(self.number)

    def resize(self, rows: int, columns: int) -> None:
        size = struct.pack("HHHH", rows, columns, 0, 0)
        with contextlib.suppress(OSError):
            fcntl.ioctl(self.number, termios.TIOCSWINSZ, size)

    def close(self) -> None:
        if self.number >= 0:
            os.close(self.number)
        self.number = -1


class _Add(Protocol):
    def __call__(self, fd: int, callback: _Remove, /) -> object: ...


class _Remove(Protocol):
    def __call__(self) -> None: ...


async def execute(
    place: PodPlace, cgroups: Cgroups, run: str, words: Sequence[str], session: Session
) -> ExitStatus:
    """Runs a command in the container whose present run is `run` (NAME/ATTEMPT).

    When the client goes, its descriptors are closed: a terminal hangs up on the command, a pipe
    breaks.
    """
    name, _, attempt = run.rpartition("/")
    request = exec_records(
        decode(place.spec(name, int(attempt)).read_bytes()), words, tty=session.options.tty
    )
    try:
        with Channel(place.directory) as channel, contextlib.ExitStack() as ends:
            if session.options.tty:
                return await _on_terminal(channel, cgroups, place.uid, run, request, session, ends)
            return await _on_pipes(channel, cgroups, place.uid, run, request, session, ends)
    except (Refused, ValueError) as error:
        return ExitStatus(message=str(error))
    except InitGone:
        return ExitStatus(message="the pod ended")


async def begin(
    channel: Channel,
    cgroups: Cgroups,
    uid: str,
    run: str,
    request: list[tuple[str, str]],
    streams: Sequence[tuple[str, int]],
) -> list[int]:
    """Sends the request with its descriptors; what came back when it runs."""
    with cgroups.joined(uid, run) as groups:
        named = [*streams, *(("cgroup", group) for group in groups)]
        request += [("fd", name) for name, _ in named]
        channel.send(request, [number for _, number in named])
        _, descriptors = await channel.answer()
    return descriptors


async def _exit_status(channel: Channel) -> ExitStatus:
    said, _ = await channel.answer()
    return ExitStatus(code=int(said["exit"]))


async def _on_terminal(
    channel: Channel,
    cgroups: Cgroups,
    uid: str,
    run: str,
    request: list[tuple[str, str]],
    session: Session,
    ends: contextlib.ExitStack,
) -> ExitStatus:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_FIRST_SIZE):
            size = await session.next_size()
            request += [("rows", str(size.height)), ("columns", str(size.width))]
    master = Descriptor((await begin(channel, cgroups, uid, run, request, ()))[0])
    ends.callback(master.close)
    output = Copy(master, session.write_stdout)
    helpers = [asyncio.create_task(_resize(master, session))]
    if session.options.stdin:
        helpers.append(asyncio.create_task(_type(session, master)))
    return await _finish(channel, session, [output], helpers)


async def _on_pipes(
    channel: Channel,
    cgroups: Cgroups,
    uid: str,
    run: str,
    request: list[tuple[str, str]],
    session: Session,
    ends: contextlib.ExitStack,
) -> ExitStatus:
    outputs, theirs = [], []
    stdin: Descriptor | None = None
    if session.options.stdin:
        read_end, write_end = os.pipe2(os.O_CLOEXEC)
        stdin = Descriptor(write_end)
        ends.callback(stdin.close)
        theirs.append(("stdin", read_end))
    for wanted, name, write in (
        (session.options.stdout, "stdout", session.write_stdout),
        (session.options.stderr, "stderr", session.write_stderr),
    ):
        if wanted:
            read_end, write_end = os.pipe2(os.O_CLOEXEC)
            ours = Descriptor(read_end)
            ends.callback(ours.close)
            theirs.append((name, write_end))
            outputs.append((ours, write))
    try:
        await begin(channel, cgroups, uid, run, request, theirs)
    finally:
        for _, number in theirs:
            os.close(number)
    copies = [Copy(ours, write) for ours, write in outputs]
    helpers = [asyncio.create_task(_feed(session, stdin))] if stdin else []
    return await _finish(channel, session, copies, helpers)


async def _finish(
    channel: Channel,
    session: Session,
    copies: list[Copy],
    helpers: list[asyncio.Task[None]],
) -> ExitStatus:
    """Waits for the command's end, or the client's; everything started is ended."""
    closed = asyncio.create_task(session.closed.wait())
    status = asyncio.create_task(_exit_status(channel))
    try:
        await asyncio.wait({status, closed}, return_when=asyncio.FIRST_COMPLETED)
        if not status.done():
            return ExitStatus(message="the client has gone")
        await _drain(copies, closed)
        return status.result()
    finally:
        tasks = [closed, status, *(copy.task for copy in copies), *helpers]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _drain(copies: list[Copy], closed: asyncio.Task[bool]) -> None:
    """What the command wrote goes to the client, however slow it is."""
    while busy := [copy for copy in copies if not copy.task.done()]:
        before = [copy.taken for copy in busy]
        tasks: set[asyncio.Task[Any]] = {*(copy.task for copy in busy), closed}
        await asyncio.wait(tasks, timeout=_LINGER, return_when=asyncio.FIRST_COMPLETED)
        silent = all(copy.idle for copy in busy) and before == [copy.taken for copy in busy]
        if closed.done() or (silent and not any(copy.task.done() for copy in busy)):
            return


class Copy:
    """Carries one output to the client."""

    def __init__(self, source: Descriptor, write: Write) -> None:
        self.taken = 0
        """Bytes read so far."""
        self.idle = True
        """Whether it waits for the command rather than for the client."""
        self.task = asyncio.create_task(self._run(source, write))

    async def _run(self, source: Descriptor, write: Write) -> None:
        while data := await source.read():
            self.taken += len(data)
            self.idle = False
            await write(data)
            self.idle = True


async def _feed(session: Session, stdin: Descriptor) -> None:
    with contextlib.suppress(BrokenPipeError):
        while data := await session.stdin.read(_CHUNK):
            await stdin.write(data)
    stdin.close()


async def _type(session: Session, master: Descriptor) -> None:
    with contextlib.suppress(OSError):
        while data := await session.stdin.read(_CHUNK):
            await master.write(data)


async def _resize(master: Descriptor, session: Session) -> None:
    while True:
        size = await session.next_size()
        master.resize(size.height, size.width)


async def attach(place: PodPlace, run: str, session: Session) -> ExitStatus:
    """Joins the streams of a container's command; ends with the command or with the client."""
    try:
        with Channel(place.directory) as channel:
            channel.send([("op", "attach"), ("id", run)])
            _, descriptors = await channel.answer()
            with contextlib.ExitStack() as ends:
                stdin = Descriptor(descriptors[0]) if descriptors else None
                if stdin:
                    ends.callback(stdin.close)
                return await _attached(channel, run, session, stdin)
    except Refused as error:
        return ExitStatus(message=str(error))
    except InitGone:
        return ExitStatus(message="the pod ended")


async def _attached(
    channel: Channel, run: str, session: Session, stdin: Descriptor | None
) -> ExitStatus:
    async def output() -> None:
        while True:
            packet, _ = await channel.receive()
            if not packet:
                return
            if packet[:1] == b"1" and session.options.stdout:
                await session.write_stdout(packet[1:])
            elif packet[:1] == b"2" and session.options.stderr:
                await session.write_stderr(packet[1:])

    async def type_in() -> None:
        assert stdin is not None
        await _type(session, stdin)
        if not session.options.tty:
            stdin.close()
            channel.send([("op", "end-of-input"), ("id", run)])

    tasks = [asyncio.create_task(output()), asyncio.create_task(session.closed.wait())]
    helpers = []
    if stdin is not None and session.options.stdin:
        helpers.append(asyncio.create_task(type_in()))
    if stdin is not None and session.options.tty:
        helpers.append(asyncio.create_task(_resize(stdin, session)))
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return ExitStatus()
    finally:
        for task in (*tasks, *helpers):
            task.cancel()
        await asyncio.gather(*tasks, *helpers, return_exceptions=True)


async def connect(place: PodPlace, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection to a port of the pod's loopback. Raises OSError when nothing listens there."""
    refused = ""
    for v6, address in ((False, "127.0.0.1"), (True, "::1")):
        try:
            sock = await pod_socket(place.directory, v6=v6)
        except (InitGone, Refused) as error:
            raise ConnectionRefusedError(f"the pod does not run: {error}") from error
        try:
            await asyncio.get_running_loop().sock_connect(sock, (address, port))
        except OSError as error:
            sock.close()
            refused = os.strerror(error.errno) if error.errno else str(error)
            continue
        except BaseException:
            sock.close()
            raise
        return await asyncio.open_connection(sock=sock)
    raise OSError(f"nothing answers at port {port} of the pod's loopback: {refused}")
