"""What each process says of itself, what it uses, and the end of its log."""

from __future__ import annotations

import os
import re
from collections import deque
from pathlib import Path
from typing import Any

from cn2.client.health import ask

_LINES = 20
_TAIL = 64 << 10
_PATIENCE = 3.0
_TICKS = os.sysconf("SC_CLK_TCK")


async def describe(name: str, pid: int | None, socket: Path, log: Path) -> dict[str, Any]:
    """Memory in MiB, processor time in seconds; empty parts for one that does not run."""
    question = "/status" if name == "supervisor" else "/readyz"
    code, text = await ask(socket, question, seconds=_PATIENCE)
    return {
        "name": name,
        "pid": pid,
        "ready": code == 200,
        "health": [] if name == "supervisor" else text.strip().splitlines(),
        "use": use(pid) if pid else {},
        "log": tail(log),
    }


def use(pid: int) -> dict[str, Any]:
    """What a process uses now; empty when it is gone or another user's."""
    directory = Path(f"/proc/{pid}")
    try:
        status = (directory / "status").read_text()
        fields = (directory / "stat").read_text().rpartition(")")[2].split()
        return {
            "memory": _number(status, "VmRSS") >> 10,
            "threads": _number(status, "Threads"),
            "files": len(os.listdir(directory / "fd")),  # noqa: PTH208 (counted, not looked at)
            "processorSeconds": round((int(fields[11]) + int(fields[12])) / _TICKS, 2),
        }
    except OSError:
        return {}


def _number(status: str, name: str) -> int:
    found = re.search(rf"^{name}:\s+(\d+)", status, re.MULTILINE)
    return int(found[1]) if found else 0


def tail(log: Path, lines: int = _LINES) -> list[str]:
    """The last lines of a log; none when it can't be read."""
    try:
        with log.open("rb") as file:
            file.seek(-min(_TAIL, os.fstat(file.fileno()).st_size), os.SEEK_END)
            return [*deque(file.read().decode(errors="replace").splitlines(), lines)]
    except OSError:
        return []
