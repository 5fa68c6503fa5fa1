"""What a process tells on its own unix socket."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

SECONDS = 5.0


def ask(path: Path, page: str) -> tuple[int, bytes]:
    """Status and body of the answer; (0, b"") from a process that does not answer."""
    with socket.socket(socket.AF_UNIX) as asking:
        asking.settimeout(SECONDS)
        try:
            asking.connect(str(path))
            asking.sendall(f"GET /{page} HTTP/1.0\r\n\r\n".encode())
            with asking.makefile("rb") as answer:
                head, _, body = answer.read().partition(b"\r\n\r\n")
        except OSError:
            return 0, b""
    return (int(head.split()[1]), body) if head else (0, b"")


def page(path: Path, name: str) -> Any:
    """A page of a process about itself, None when it does not answer."""
    status, body = ask(path, f"introspect/{name}")
    return json.loads(body) if status == 200 else None


def is_ready(path: Path) -> bool:
    return ask(path, "readyz")[0] == 200
