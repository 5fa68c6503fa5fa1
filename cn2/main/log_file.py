"""A process's own log: its standard error, turned over when it has grown.

FILE becomes FILE.1 and a new FILE takes its place, as for containers' logs; a reader that follows
goes on in the new one. The process does it itself: nothing stands between it and the disk, and its
lines are not lost when the supervisor is killed.
"""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

from cn2.supervisor.log_size import LIMIT, set_aside


class LogFile:
    """A logger for structlog that writes lines to a descriptor. A disk without room costs lines,
    not the process."""

    def __init__(self, descriptor: int = 2, limit: int = LIMIT) -> None:
        self._descriptor = descriptor
        self._limit = limit
        self._path = Path(f"/proc/self/fd/{descriptor}").readlink()

    def msg(self, message: str) -> None:
        """Write one line."""
        with contextlib.suppress(OSError):
            os.write(self._descriptor, message.encode(errors="replace") + b"\n")
            self._turn_when_grown()

    log = debug = info = warn = warning = error = critical = fatal = exception = msg

    def _turn_when_grown(self) -> None:
        about = os.fstat(self._descriptor)
        if about.st_size <= self._limit or not stat.S_ISREG(about.st_mode):
            return
        path = self._path
        if path.stat().st_ino != about.st_ino:  # it was moved or deleted: nobody's log any more
            return
        older = set_aside(path)
        try:
            new = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        except OSError:
            older.rename(path)
            raise
        for descriptor in {1, self._descriptor} if self._descriptor == 2 else {self._descriptor}:
            os.dup2(new, descriptor)
        os.close(new)
