"""Network namespaces that outlive processes: bind mounts under a path.

Nothing here forks. A namespace belongs to a thread, so making one takes a thread that ends right
after, and a window into one must be opened and closed on the same thread.
"""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cn2.drivers import mounts

_CLONE_NEWNET = 0x40000000
_OWN = "/proc/thread-self/ns/net"

_libc = ctypes.CDLL(None, use_errno=True)


def create(path: Path) -> None:
    """Make a network namespace and bind it to `path`, which must not exist.

    Raises OSError; then nothing is left behind.
    """
    os.close(os.open(path, os.O_RDONLY | os.O_CREAT | os.O_EXCL, 0o600))
    failure: list[OSError] = []

    def unshare_and_bind() -> None:
        try:
            _check(_libc.unshare(_CLONE_NEWNET), "unshare", path)
            mounts.bind(_OWN, path)
        except OSError as error:
            failure.append(error)

    thread = threading.Thread(target=unshare_and_bind, name="netns-create")
    thread.start()
    thread.join()
    if failure:
        path.unlink()
        raise failure[0]


def open_path(path: Path | str) -> int:
    """A file descriptor of the namespace at `path`; the caller closes it."""
    return os.open(path, os.O_RDONLY | os.O_CLOEXEC)


def delete(path: Path) -> None:
    """Unbind the namespace; it ends when nothing else holds it. One that is gone is fine."""
    if not path.exists():
        return
    mounts.detach(path)
    path.unlink(missing_ok=True)


def is_namespace(path: Path) -> bool:
    """Whether a namespace is bound to `path` (and not just an empty file left by a crash)."""
    try:
        return path.stat().st_dev == Path(_OWN).stat().st_dev
    except FileNotFoundError:
        return False


@contextmanager
def entered(fd: int) -> Iterator[None]:
    """Run the block in the namespace of `fd`, on this thread only. Never await inside."""
    home = open_path(_OWN)
    try:
        _check(_libc.setns(fd, _CLONE_NEWNET), "setns", fd)
        try:
            yield
        finally:
            _check(_libc.setns(home, _CLONE_NEWNET), "setns", "home")
    finally:
        os.close(home)


def _check(result: int, call: str, subject: object) -> None:
    if result != 0:
        errno = ctypes.get_errno()
        raise OSError(errno, f"{call}: {os.strerror(errno)}", str(subject))
