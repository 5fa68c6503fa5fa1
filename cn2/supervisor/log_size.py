"""Logs don't grow without bound: FILE becomes FILE.1, of which there is one."""

from __future__ import annotations

import contextlib
from pathlib import Path

LIMIT = 10 << 20
"""Bytes of a log before it is turned over: what the kubelet takes for containers."""


def bound(log: Path, limit: int = LIMIT) -> None:
    """Set a log aside that has grown too large, for who is about to open a new one."""
    with contextlib.suppress(OSError):
        if log.stat().st_size > limit:
            set_aside(log)


def set_aside(log: Path) -> Path:
    """Make FILE.1 of FILE; the FILE.1 before it goes. Raises OSError."""
    older = log.with_name(log.name + ".1")
    log.rename(older)
    return older
