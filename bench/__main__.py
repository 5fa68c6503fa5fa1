"""`scripts/bench [NAME...]`: runs the named benchmarks, or all."""

from __future__ import annotations

import sys

from machine import Machine

from bench import cni, control, latency, start
from bench.measure import Figure

NAMES = ("start", "cni", "latency", "control", "memory")


def main(names: list[str]) -> None:
    chosen = names or list(NAMES)
    figures: list[Figure] = []

    def take(found: list[Figure]) -> None:
        for figure in found:
            print(figure.line(), flush=True)
        figures.extend(found)

    if "start" in chosen:
        take(start.start())
    if set(chosen) & {"cni", "latency", "control", "memory"}:
        with Machine() as machine:
            if "cni" in chosen:
                take(cni.run(machine))
            if "latency" in chosen:
                take(latency.run(machine))
            if "control" in chosen:
                take(control.run(machine))
            if "memory" in chosen:
                take(start.memory(machine))


main(sys.argv[1:])
