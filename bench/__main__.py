"""`scripts/bench [-o json] [NAME...]`: runs the named benchmarks, or all."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from machine import Machine

from bench import api, cni, definitions, memory, pods, poison, restart, start, tcp
from bench.load import Others
from bench.measure import Figure
from bench.report import Section, document, table
from bench.system import supervisor

Benchmark = Callable[[Machine], list[Figure]]

ON_A_SYSTEM: dict[str, Benchmark] = {
    "cni": cni.run,
    "tcp": tcp.run,
    "pods": pods.run,
    "poison": poison.run,
    "definitions": definitions.run,
    "restart": restart.run,
}
"""In the order of running: what fills the system comes last."""

WITHOUT: dict[str, Callable[[], list[Figure]]] = {
    "start": start.run,
    "memory": memory.run,
    "api": api.run,
}
"""These make systems of their own."""


def main() -> None:
    known = [*WITHOUT, *ON_A_SYSTEM]
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("name", nargs="*", choices=[*known, []], metavar="NAME")
    parser.add_argument("-o", "--output", choices=["table", "json"], default="table")
    arguments = parser.parse_args()
    chosen = arguments.name or known
    sections: list[Section] = []

    def take(section: Section) -> None:
        sections.append(section)
        if arguments.output == "table":
            print(table(section), flush=True)

    for name in (one for one in WITHOUT if one in chosen):
        take(Section(name, None, WITHOUT[name]()))
    needing = [name for name in ON_A_SYSTEM if name in chosen]
    if needing:
        with Machine() as machine:
            for name in needing:
                others = Others((supervisor(machine),))
                figures = ON_A_SYSTEM[name](machine)
                take(Section(name, others.processors(), figures))
    if arguments.output == "json":
        print(document(sections))


main()
