"""Processes known by more than a pid, which the kernel gives away again."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


def start_time(pid: int) -> int | None:
    """Start of a process in clock ticks since boot; None for one that is gone or a zombie."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()  # the name before it may contain anything
    return None if fields[0] in "ZX" else int(fields[19])


def boot_id() -> str:
    """What this boot of the machine is called."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


@dataclass(frozen=True, slots=True)
class Known:
    """One process, now and for ever: its pid and when it began (clock ticks since boot)."""

    pid: int
    began: int

    @property
    def alive(self) -> bool:
        return start_time(self.pid) == self.began

    def send(self, number: signal.Signals) -> None:
        """Signal this very process; nothing happens when it is gone."""
        with contextlib.suppress(ProcessLookupError):
            descriptor = os.pidfd_open(self.pid)
            try:
                if self.alive:
                    signal.pidfd_send_signal(descriptor, number)
            finally:
                os.close(descriptor)

    def namespace(self, kind: str) -> int:
        """The inode of the `net`, `pid`, ... namespace that it is in; 0 when it is gone."""
        try:
            return Path(f"/proc/{self.pid}/ns/{kind}").stat().st_ino
        except OSError:
            return 0

    @property
    def words(self) -> tuple[str, ...]:
        """Its command line; empty when it is gone."""
        try:
            line = Path(f"/proc/{self.pid}/cmdline").read_bytes()
        except OSError:
            return ()
        return tuple(word.decode(errors="replace") for word in line.rstrip(b" \0").split(b"\0"))

    @property
    def name(self) -> str:
        """Its short name, of which the kernel keeps 15 bytes; empty when it is gone."""
        try:
            return Path(f"/proc/{self.pid}/comm").read_text().strip()
        except OSError:
            return ""

    def __str__(self) -> str:
        return f"{self.name or 'a process'} (pid {self.pid})"


def known(pid: int) -> Known | None:
    """The process that has this pid now, if there is one that is no zombie."""
    began = start_time(pid)
    return None if began is None else Known(pid, began)


def everyone() -> Iterator[Known]:
    """Every process that we can see."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (one := known(int(entry.name))):
            yield one
