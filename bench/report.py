"""Figures as people and as programs read them."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field

from bench.measure import Figure


@dataclass(frozen=True, slots=True)
class Section:
    """The figures of one benchmark, and how busy others kept the machine meanwhile."""

    name: str
    others: float | None
    """Processors that other work used, on average; None where that is not known."""
    figures: list[Figure] = field(default_factory=list)


def table(section: Section) -> str:
    heading = section.name
    if section.others is not None:
        heading += f" (others kept {section.others:.1f} of {os.cpu_count()} processors busy)"
    return "\n".join([heading, *map(_line, section.figures), ""])


def _line(figure: Figure) -> str:
    shown = f"  {figure.what:<60} {_number(figure.value)} {figure.unit:<6}"
    if figure.peer is None:
        return shown.rstrip()
    return f"{shown} {figure.peer_name:<20} {_number(figure.peer)}   ×{figure.ratio:.2f}"


def _number(value: float) -> str:
    return f"{value:>9.2f}" if value < 1000 else f"{value:>9.0f}"


def document(sections: list[Section]) -> str:
    return json.dumps(
        [
            {
                "benchmark": section.name,
                "processors": os.cpu_count(),
                "othersBusy": section.others and round(section.others, 2),
                "figures": [_entry(figure) for figure in section.figures],
            }
            for section in sections
        ],
        indent=2,
    )


def _entry(figure: Figure) -> dict[str, object]:
    entry: dict[str, object] = {
        "what": figure.what,
        "value": round(figure.value, 4),
        "unit": figure.unit,
    }
    if figure.peer is not None and figure.ratio is not None:
        entry |= {
            "peer": figure.peer_name,
            "peerValue": round(figure.peer, 4),
            "ratio": round(figure.ratio, 3),
        }
    return entry
