"""How long `cn2 up` takes, and what its processes hold in memory."""

from __future__ import annotations

import json
import time
from pathlib import Path

from machine import Machine

from bench.measure import Figure, percentile

STARTS = 5


def resident(pid: int) -> float:
    """Resident memory of a process in MiB, shared pages counted in proportion (PSS)."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    raise ValueError(f"no Pss for {pid}")


def start() -> list[Figure]:
    """Seconds from the command to a ready system, on an empty data directory."""
    taken = []
    for _ in range(STARTS):
        machine = Machine()
        began = time.perf_counter()
        machine.up()
        taken.append(time.perf_counter() - began)
        machine.down()
    return [Figure("cn2 up to ready, median", percentile(taken, 50), "s")]


def memory(machine: Machine) -> list[Figure]:
    """Memory of each process of a running system."""
    text = machine.cn2("status", "--data-dir", str(machine.data_dir), "-o", "json").stdout
    return [
        Figure(f"memory of {process['name']}", resident(process["pid"]), "MiB")
        for process in json.loads(text)["processes"]
    ]
