"""Short-lived child processes: started by vfork, awaited by pidfd, their output in memory files.

The event loop's own subprocesses fork this whole process (ten times slower) and wait for pipes
to close, which whatever the child leaves behind can delay.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finished:
    code: int
    output: bytes
    errors: bytes


async def run(
    command: Sequence[str | os.PathLike[str]],
    environment: Mapping[str, str],
    given: bytes = b"",
) -> Finished:
    """Runs a command with `given` on its standard input until it ends; kills it when cancelled.

    Raises OSError when it cannot be started.
    """
    with contextlib.ExitStack() as files:
        stdin, output, errors = (_memory_file(files, name) for name in ("in", "out", "err"))
        os.write(stdin, given)
        os.lseek(stdin, 0, os.SEEK_SET)
        child = _start(command, environment, stdin, output, errors)
        try:
            await _ended(child.pid)
        finally:
            if child.poll() is None:
                child.kill()
                child.wait()
        return Finished(child.returncode, _contents(output), _contents(errors))


def _start(
    command: Sequence[str | os.PathLike[str]],
    environment: Mapping[str, str],
    stdin: int,
    output: int,
    errors: int,
) -> subprocess.Popen[bytes]:
    """Returns when the child has called execve, which is at once."""
    return subprocess.Popen(command, env=environment, stdin=stdin, stdout=output, stderr=errors)


def _memory_file(files: contextlib.ExitStack, name: str) -> int:
    descriptor = os.memfd_create(name, os.MFD_CLOEXEC)
    files.callback(os.close, descriptor)
    return descriptor


def _contents(descriptor: int) -> bytes:
    return os.pread(descriptor, os.fstat(descriptor).st_size, 0)


async def _ended(pid: int) -> None:
    descriptor = os.pidfd_open(pid)
    try:
        await readable(descriptor)
    finally:
        os.close(descriptor)


async def readable(descriptor: int) -> None:
    """Waits until a descriptor has something to read; of a pidfd: until its process has ended."""
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    loop.add_reader(descriptor, lambda: None if ready.done() else ready.set_result(None))
    try:
        await ready
    finally:
        loop.remove_reader(descriptor)
