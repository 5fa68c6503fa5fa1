"""Waits for changes in a directory without looking again and again: inotify(7)."""

from __future__ import annotations

import asyncio
import ctypes
import os
from pathlib import Path

_MODIFY, _MOVED_TO, _CREATE, _DELETE = 0x2, 0x80, 0x100, 0x200
_NONBLOCK, _CLOEXEC = 0o4000, 0o2000000
_libc = ctypes.CDLL(None, use_errno=True)


class DirectoryChanges:
    """Tells that files in a directory were written, made, renamed or removed.

    `changed` may be set without a change; it is cleared by who waits for it, before looking.
    """

    def __init__(self, directory: Path) -> None:
        self.changed = asyncio.Event()
        self._descriptor = _checked(_libc.inotify_init1(_NONBLOCK | _CLOEXEC), directory)
        mask = _MODIFY | _MOVED_TO | _CREATE | _DELETE
        try:
            _checked(
                _libc.inotify_add_watch(self._descriptor, os.fsencode(directory), mask), directory
            )
        except OSError:
            os.close(self._descriptor)
            raise
        asyncio.get_running_loop().add_reader(self._descriptor, self._read)

    def __enter__(self) -> DirectoryChanges:
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.get_running_loop().remove_reader(self._descriptor)
        os.close(self._descriptor)

    def _read(self) -> None:
        try:
            os.read(self._descriptor, 65536)
        except BlockingIOError:
            return
        self.changed.set()


def _checked(result: int, directory: Path) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), str(directory))
    return result
