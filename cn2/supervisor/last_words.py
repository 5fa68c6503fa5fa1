"""Why a process ended, from the end of its log."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

_TAIL = 16384
_LONGEST = 300
_SERIOUS = ("error", "critical")


def last_words(log: Path) -> str:
    """The last thing of weight that a process wrote; "" when there is none."""
    try:
        with log.open("rb") as file:
            file.seek(-min(_TAIL, os.fstat(file.fileno()).st_size), os.SEEK_END)
            return meaning(file.read().decode(errors="replace"))
    except OSError:
        return ""


def meaning(log: str) -> str:
    """The last serious entry of a log, or its last line that is no entry (a traceback's), cut."""
    for line in reversed(log.splitlines()):
        entry = _entry(line)
        if entry is None:
            if line.strip():
                return _cut(line)
        elif entry.get("event") == "started":
            return ""  # before this it was another life's
        elif entry.get("level") in _SERIOUS:
            trace = str(entry.get("exception", "")).strip().splitlines()
            return _cut(trace[-1] if trace else str(entry.get("error") or entry.get("event")))
    return ""


def _entry(line: str) -> dict[str, object] | None:
    try:
        return msgspec.json.decode(line, type=dict[str, object])
    except msgspec.MsgspecError:
        return None


def _cut(line: str) -> str:
    line = line.strip()
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"
