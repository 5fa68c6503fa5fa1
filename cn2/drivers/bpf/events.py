"""Samples of dropped packets from the datapath's ring buffer. There is one reader at a time."""

from __future__ import annotations

import mmap
import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cn2.drivers.bpf.syscall import map_info, open_pin
from cn2.state.verdict import Verdict

_EVENT = struct.Struct("=QIIII64s")
_BUSY, _DISCARDED, _LENGTH = 0x80000000, 0x40000000, 0x3FFFFFFF
_HEADER = 8


@dataclass(frozen=True, slots=True)
class Event:
    """One dropped packet: monotonic nanoseconds, where from, why, its length and first bytes."""

    time: int
    ifindex: int
    verdict: Verdict
    length: int
    head: bytes


class Events:
    """The consumer's side of the ring buffer pinned in a directory."""

    def __init__(self, pins: Path) -> None:
        fd = open_pin(pins / "ev")
        try:
            self._size = map_info(fd).max_entries
            page = mmap.PAGESIZE
            self._consumer = mmap.mmap(fd, page)
            # The data pages are mapped twice in a row, so that no record ever wraps.
            length = page + 2 * self._size
            self._producer = mmap.mmap(fd, length, prot=mmap.PROT_READ, offset=page)
        finally:
            os.close(fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Unmap; samples not read stay for the next reader."""
        self._consumer.close()
        self._producer.close()

    def read(self) -> list[Event]:
        """All samples that are complete, oldest first; they leave the buffer."""
        found: list[Event] = []
        (at,) = struct.unpack_from("=Q", self._consumer)
        (end,) = struct.unpack_from("=Q", self._producer)
        while at < end:
            offset = mmap.PAGESIZE + (at & (self._size - 1))
            (header,) = struct.unpack_from("=I", self._producer, offset)
            if header & _BUSY:
                break
            if not header & _DISCARDED:
                found.append(_event(self._producer, offset + _HEADER))
            at += _HEADER + ((header & _LENGTH) + 7 & ~7)
        struct.pack_into("=Q", self._consumer, 0, at)
        return found


def _event(memory: mmap.mmap, offset: int) -> Event:
    time, ifindex, verdict, length, head_length, head = _EVENT.unpack_from(memory, offset)
    return Event(time, ifindex, Verdict.of(verdict), length, head[:head_length])
