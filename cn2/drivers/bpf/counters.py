"""What became of packets: the datapath's counters by name."""

from __future__ import annotations

import ctypes
import os
import struct
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cn2.drivers.bpf.syscall import bpf, dump, open_pin
from cn2.state.verdict import Verdict

_DELETE = 3
_KEY = struct.Struct("=II")


@dataclass(frozen=True, slots=True)
class Count:
    """Packets and bytes, of all CPUs together."""

    packets: int = 0
    bytes: int = 0


class Counters:
    """Reads the counters pinned in a directory; needs no agent."""

    def __init__(self, pins: Path) -> None:
        self._cpus = _possible_cpus()
        self._all = open_pin(pins / "cnt")
        self._interfaces = open_pin(pins / "if_cnt")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the descriptors."""
        os.close(self._all)
        os.close(self._interfaces)

    def read(self) -> dict[Verdict, Count]:
        """What the node's datapath did with packets since its maps were made."""
        entries = dump(self._all, 4, 16 * self._cpus)
        found = {struct.unpack("=I", key)[0]: self._sum(value) for key, value in entries}
        return {verdict: found.get(verdict, Count()) for verdict in Verdict}

    def drops(self) -> dict[int, dict[Verdict, Count]]:
        """Drops by the interface that they came from; only those that happened."""
        found: dict[int, dict[Verdict, Count]] = defaultdict(dict)
        for key, value in dump(self._interfaces, _KEY.size, 16 * self._cpus):
            ifindex, verdict = _KEY.unpack(key)
            found[ifindex][Verdict.of(verdict)] = self._sum(value)
        return dict(found)

    def forget(self, ifindex: int) -> None:
        """Remove the counters of an interface that is gone."""
        for verdict in Verdict:
            key = ctypes.create_string_buffer(_KEY.pack(ifindex, verdict), _KEY.size)
            packed = struct.pack("=QQ", self._interfaces, ctypes.addressof(key))
            with suppress(FileNotFoundError):
                bpf(_DELETE, ctypes.create_string_buffer(packed, len(packed)))

    def _sum(self, value: bytes) -> Count:
        numbers = struct.unpack(f"={2 * self._cpus}Q", value)
        return Count(sum(numbers[0::2]), sum(numbers[1::2]))


def _possible_cpus() -> int:
    last = Path("/sys/devices/system/cpu/possible").read_text().strip().split(",")[-1]
    return int(last.split("-")[-1]) + 1
