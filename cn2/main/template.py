"""`cn2 template`: forks every process of a system from one that has imported what they share.

Serves the supervisor (cn2.supervisor.spawner) on standard input. It has one thread and no event
loop, so that a fork is whole. A process's module is imported when it is first ordered: the first
process runs while the next one's is being read.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import os
import select
import socket
import sys

import msgspec

from cn2.main import title
from cn2.supervisor.spawner import Order, Report

_CLONE_NEWNET = 0x40000000
_LARGEST, _DESCRIPTORS = 1 << 17, 2
"""Bytes and file descriptors of an order."""
_FIRST = "cn2.main.apiserver"
"""What everything else waits for."""

_libc = ctypes.CDLL(None, use_errno=True)


def main(argv: list[str]) -> int:
    """Fork what is ordered until the supervisor goes; in a forked process, be that process."""
    channel = socket.socket(fileno=os.dup(0))
    _redirect(os.open(os.devnull, os.O_RDONLY), 0)
    # Garbage would be collected in pages that are shared: each process does it for itself.
    gc.disable()
    importlib.import_module(_FIRST)
    order = _serve(channel)
    if order is None:
        return 0
    module = importlib.import_module(f"cn2.main.{order.name}")
    return int(module.main(list(order.arguments[4:])) or 0)


def _serve(channel: socket.socket) -> Order | None:
    """Fork and report. None when the supervisor is gone; in a forked process, its order."""
    poller = select.poll()
    poller.register(channel, select.POLLIN)
    children: dict[int, int] = {}
    """Process ids by pidfd."""
    try:
        while True:
            for ready, _ in poller.poll():
                if ready in children:
                    poller.unregister(ready)
                    os.close(ready)
                    _, status = os.waitpid(pid := children.pop(ready), 0)
                    _report(channel, Report(pid, os.waitstatus_to_exitcode(status)))
                    continue
                data, given, _, _ = socket.recv_fds(channel, _LARGEST, _DESCRIPTORS)
                if not data:
                    return None
                order = msgspec.json.decode(data, type=Order)
                pid = _fork(order)
                if pid == 0:
                    for inherited in (channel.detach(), *children):
                        os.close(inherited)
                    _settle(order, given)
                    return order
                for descriptor in given:
                    os.close(descriptor)
                _report(channel, Report(pid))
                children[pidfd := os.pidfd_open(pid)] = pid
                poller.register(pidfd, select.POLLIN)
    except ConnectionError:
        return None


def _report(channel: socket.socket, report: Report) -> None:
    channel.send(msgspec.json.encode(report))


def _fork(order: Order) -> int:
    try:
        importlib.import_module(f"cn2.main.{order.name}")
    except Exception as error:  # the process itself meets it again, and says it in its own log
        print(f"import of {order.name}: {error}", file=sys.stderr)
    gc.freeze()
    return os.fork()


def _settle(order: Order, descriptors: list[int]) -> None:
    """Become a process of its own: session, output, environment, name and namespace."""
    os.setsid()
    os.dup2(descriptors[0], 1)
    _redirect(descriptors[0], 2)
    os.environ.clear()
    os.environ.update(order.environment)
    title.show(f"cn2-{order.name}", order.arguments)
    if len(descriptors) > 1:
        if _libc.setns(descriptors[1], _CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")
        os.close(descriptors[1])
    gc.enable()


def _redirect(source: int, target: int) -> None:
    os.dup2(source, target)
    os.close(source)
