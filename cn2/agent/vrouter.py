"""The eBPF vRouter of this node: program, tables and counters as the agent uses them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Self

from cn2.drivers.bpf.counters import Counters
from cn2.drivers.bpf.loader import Loaded, pin_directory
from cn2.drivers.bpf.maps import Maps
from cn2.drivers.mounts import mount_bpffs
from cn2.state.row import Row
from cn2.state.table import Change

OBJECT = "vr.o"
PROGRAM = "pod_in"


class VRouter:
    """Loads the program on the maps that are pinned, which are made when there are none."""

    def __init__(self, loaded: Loaded, maps: Maps, counters: Counters) -> None:
        self._loaded = loaded
        self._maps = maps
        self._counters = counters
        self._program = loaded.program(PROGRAM)

    @classmethod
    def open(cls, bpf_dir: Path, native_dir: Path) -> Self:
        """The vRouter whose maps are under `bpf_dir`, of the object in `native_dir`."""
        mount_bpffs(bpf_dir)
        pins = pin_directory(bpf_dir)
        loaded = Loaded(native_dir / OBJECT, pins)
        return cls(loaded, Maps(pins), Counters(pins))

    def close(self) -> None:
        """Let go of the descriptors; pinned maps and attached programs go on."""
        self._counters.close()
        self._maps.close()
        self._loaded.close()

    def program(self) -> int:
        """The descriptor of the program for pod interfaces."""
        return self._program

    def read(self) -> list[Row]:
        """All rows that the kernel has."""
        return self._maps.read()

    def apply(self, changes: Iterable[Change]) -> None:
        """Make these changes, in order."""
        self._maps.apply(changes)

    def drops(self) -> dict[str, int]:
        """Packets dropped so far, by reason, e.g. `rpf`."""
        return {
            verdict.name.removeprefix("DROP_").lower(): count.packets
            for verdict, count in self._counters.read().items()
            if verdict.is_drop
        }

    def port_drops(self) -> dict[int, dict[str, int]]:
        """Packets dropped by the port that sent them and the reason; only those that happened."""
        return {
            ifindex: {
                verdict.name.removeprefix("DROP_").lower(): count.packets
                for verdict, count in counts.items()
            }
            for ifindex, counts in self._counters.drops().items()
        }

    def forget(self, ifindex: int) -> None:
        """Remove the counters of a port that is gone: the next one may get its number."""
        self._counters.forget(ifindex)
