"""What `ps` shows of this process: a forked one would otherwise carry the name of its template.

The kernel reads a command line from where it put it at the start, so a new one can be no longer
than the old: a process that means to rename itself is started with ROOM as its last argument.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from pathlib import Path

ROOM = " " * 4096

_PR_SET_NAME = 15
_libc = ctypes.CDLL(None, use_errno=True)


def show(name: str, arguments: Sequence[str]) -> None:
    """Set the short name (15 bytes are kept) and the command line, cut where the room ends."""
    _libc.prctl(_PR_SET_NAME, name.encode(), 0, 0, 0)
    # proc(5): fields 48 and 49, arg_start and arg_end; 0 where we may not know.
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    start, end = int(fields[45]), int(fields[46])
    room = end - start
    if start and room > 0:
        text = b"\0".join(argument.encode() for argument in arguments)
        ctypes.memmove(start, text[: room - 1].ljust(room, b"\0"), room)
