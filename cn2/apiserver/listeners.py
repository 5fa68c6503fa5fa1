"""Listening sockets, also in another network namespace."""

from __future__ import annotations

import asyncio
import ctypes
import os
import socket
import threading
from pathlib import Path

_CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


def address(text: str) -> tuple[str, int]:
    """`host:port` or `[v6 host]:port`. Raises ValueError."""
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > 65535:
        raise ValueError(f"{text!r} is not host:port")
    return host.strip("[]"), int(port)


def bind(host: str, port: int) -> socket.socket:
    """A bound TCP socket; port 0 is any free one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
        sock.setblocking(False)
    except OSError:
        sock.close()
        raise
    return sock


async def bind_in(netns: Path, host: str, port: int) -> socket.socket:
    """A bound TCP socket that lives in the network namespace behind `netns`.

    A thread of its own enters the namespace and ends there: no other thread is ever in it.
    """
    loop = asyncio.get_running_loop()
    bound: asyncio.Future[socket.socket] = loop.create_future()

    def work() -> None:
        try:
            _enter(netns)
            sock = bind(host, port)
        except OSError as error:
            loop.call_soon_threadsafe(bound.set_exception, error)
        else:
            loop.call_soon_threadsafe(bound.set_result, sock)

    threading.Thread(target=work, name=f"bind in {netns.name}", daemon=True).start()
    return await bound


def _enter(netns: Path) -> None:
    fd = os.open(netns, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if _libc.setns(fd, _CLONE_NEWNET) != 0:
            number = ctypes.get_errno()
            raise OSError(number, f"cannot enter {netns}: {os.strerror(number)}")
    finally:
        os.close(fd)
