"""The directory of a store: private to its owner, and used by one process at a time."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from cn2.store.interface import StoreError


class DirectoryInUse(StoreError):
    """Another process has this store open."""


class DirectoryLock:
    """Held from construction to `release`; the kernel releases it when the process dies."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        directory.chmod(0o700)
        path = directory / "lock"
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            owner = os.read(self._fd, 32).decode(errors="replace").strip() or "unknown"
            os.close(self._fd)
            raise DirectoryInUse(f"{directory} is in use by process {owner}") from error
        os.ftruncate(self._fd, 0)
        os.write(self._fd, f"{os.getpid()}\n".encode())

    def release(self) -> None:
        os.close(self._fd)
