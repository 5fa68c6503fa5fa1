"""The supervisor's end of the template process, which forks every other one (docs/adr/0006).

Orders and reports are JSON packets on a socket pair; an order carries the process's log file and
its network namespace as file descriptors. The template reports who started and who ended. When it
dies, what it forked lives on: its end is then seen by pidfd, without an exit code, and the next
order starts a new template.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import subprocess
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

UNKNOWN = 255
"""Exit code of a process whose template died before it."""

_LARGEST = 1 << 16
"""Bytes of a report."""


class Order(msgspec.Struct, frozen=True):
    """Fork a process; `arguments` is a whole command line, of which the 4th word on counts."""

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str]


class Report(msgspec.Struct, frozen=True):
    """`pid` was started, or ended with `code` (negative: by that signal)."""

    pid: int
    code: int | None = None


class SpawnError(Exception):
    """The template died before it could answer."""


class Child:
    """One forked process."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def wait(self) -> int:
        """The exit code; negative for a signal."""
        return await asyncio.shield(self.ended)


class Spawner:
    """Starts processes through a template. `launch` may be called before there is an event loop."""

    def __init__(self, template: Sequence[str], log: Path) -> None:
        self._command = list(template)
        self._log = log
        self._template: subprocess.Popen[bytes] | None = None
        self._channel: socket.socket | None = None
        self._listening = False
        self._asked: deque[asyncio.Future[Child]] = deque()
        self._children: dict[int, Child] = {}

    @property
    def template_pid(self) -> int | None:
        """The template that runs now, None when the next order will start one."""
        return self._template.pid if self._template and self._channel else None

    def launch(self) -> None:
        """Start the template, which then imports what its processes need."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs, self._log.open("ab") as log:
            self._template = subprocess.Popen(
                self._command, stdin=theirs.fileno(), stdout=log, stderr=log
            )
        self._channel = ours

    async def spawn(self, order: Order, log: int, netns: int | None = None) -> Child:
        """Fork a process that writes to `log`, inside the namespace `netns`. Raises SpawnError."""
        if self._channel is None:
            self.launch()
        channel = self._channel
        assert channel is not None
        loop = asyncio.get_running_loop()
        if not self._listening:
            loop.add_reader(channel, self._heard)
            self._listening = True
        answer: asyncio.Future[Child] = loop.create_future()
        self._asked.append(answer)
        descriptors = [log] if netns is None else [log, netns]
        try:
            socket.send_fds(channel, [msgspec.json.encode(order)], descriptors)
        except OSError:
            self._lost()
        return await answer

    def close(self) -> None:
        """Let the template go; what it forked lives on."""
        if self._listening:
            self._lost()

    def _heard(self) -> None:
        assert self._channel is not None
        try:
            data = self._channel.recv(_LARGEST)
        except OSError:
            data = b""
        if not data:
            self._lost()
            return
        report = msgspec.json.decode(data, type=Report)
        if report.code is None:
            child = self._children[report.pid] = Child(report.pid)
            answer = self._asked.popleft()
            if not answer.cancelled():
                answer.set_result(child)
        else:
            self._children.pop(report.pid).ended.set_result(report.code)

    def _lost(self) -> None:
        """The template is gone: refuse what was asked, and watch over its children from here."""
        assert self._channel is not None and self._template is not None
        asyncio.get_running_loop().remove_reader(self._channel)
        self._channel.close()
        self._channel, self._listening = None, False
        self._template.kill()
        self._template.wait()
        asked, self._asked = self._asked, deque()
        for answer in asked:
            if not answer.done():
                answer.set_exception(SpawnError("the template process ended"))
        children, self._children = self._children, {}
        for child in children.values():
            _watch(child)


def _watch(child: Child) -> None:
    """Notice the end of a process that is no longer anyone's to report."""
    loop = asyncio.get_running_loop()
    pidfd = -1
    with contextlib.suppress(ProcessLookupError):
        pidfd = os.pidfd_open(child.pid)
    if pidfd < 0:
        child.ended.set_result(UNKNOWN)
        return

    def gone() -> None:
        loop.remove_reader(pidfd)
        os.close(pidfd)
        child.ended.set_result(UNKNOWN)

    loop.add_reader(pidfd, gone)
