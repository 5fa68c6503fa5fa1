"""How long `cn2 up` takes."""

from __future__ import annotations

import time

from machine import Machine

from bench.measure import Figure, median

STARTS = 5


def run() -> list[Figure]:
    """Seconds from the command to a ready system, on an empty data directory."""
    taken = []
    for _ in range(STARTS):
        machine = Machine()
        began = time.perf_counter()
        try:
            machine.up()
            taken.append(time.perf_counter() - began)
        finally:
            machine.down()
    return [Figure("cn2 up to ready, median", median(taken), "s")]
