"""Whether the API server can have its port, and who has it if not."""

from __future__ import annotations

import contextlib
import errno
import socket
from collections.abc import Iterator
from pathlib import Path

from cn2.supervisor.layout import Layout
from cn2.supervisor.pids import read_pid
from cn2.supervisor.preflight.finding import Finding
from cn2.supervisor.settings import Settings

_LISTENING = "0A"
_IN_THE_WAY = ("00000000", "0100007F", "0" * 32, "0" * 16 + "FFFF00000100007F")
"""Any address and the loopback's, as /proc/net/tcp and tcp6 write them."""


def free_port() -> int:
    """A TCP port of the loopback that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def findings(layout: Layout, settings: Settings, *, root: bool) -> Iterator[Finding]:
    """Why the port can't be had. Without root a low one may still be root's to have."""
    port = settings.port
    if port == 0 or _left_serving(layout, settings):
        return
    try:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            taker = holder(port)
            by = f" by {taker}" if taker else ""
            yield Finding(
                f"Port {port} of 127.0.0.1 is taken{by}",
                "choose another with --port, 0 picks a free one",
            )
        elif error.errno == errno.EADDRNOTAVAIL:
            yield Finding("127.0.0.1 is not there", "ip link set lo up")
        elif error.errno != errno.EACCES or root:
            yield Finding(
                f"Port {port} of 127.0.0.1 can't be used ({error.strerror})",
                "choose another with --port, 0 picks a free one",
            )


def _left_serving(layout: Layout, settings: Settings) -> bool:
    """Whether the port is this system's own: its supervisor was killed, its API server goes on
    until the next supervisor ends it."""
    known = Settings.load(layout) if layout.used else None
    return (
        known is not None
        and known.port == settings.port
        and read_pid(layout.pid_file("apiserver")) is not None
    )


def holder(port: int) -> str:
    """Who listens there: `NAME (pid N)`, "" when it can't be seen."""
    sockets = set[str]()
    for table in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):
            sockets |= listening(Path(f"/proc/net/{table}").read_text(), port)
    wanted = {f"socket:[{inode}]" for inode in sockets}
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if any(str(fd.readlink()) in wanted for fd in (process / "fd").iterdir()):
                return f"{(process / 'comm').read_text().strip()} (pid {process.name})"
    return ""


def listening(table: str, port: int) -> set[str]:
    """Inodes of the sockets that stand in the way of one on 127.0.0.1, from /proc/net/tcp or tcp6
    (proc(5))."""
    found = set()
    for line in table.splitlines()[1:]:
        fields = line.split()
        address, _, number = fields[1].partition(":")
        if fields[3] == _LISTENING and int(number, 16) == port and address in _IN_THE_WAY:
            found.add(fields[9])
    return found
