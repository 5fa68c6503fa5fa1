"""Amounts of resources, and what a container may use at most. Pure."""

from __future__ import annotations

import re
from decimal import Decimal

from cn2.api.kind import Object

_UNITS: dict[str, int | Decimal] = {
    "": 1,
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("0.001"),
    **{unit: 10 ** (3 * power) for power, unit in enumerate("kMGTPE", 1)},
    **{f"{unit}i": 1 << (10 * power) for power, unit in enumerate("KMGTPE", 1)},
}

_QUANTITY = re.compile(
    r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE]([+-]?[0-9]+)|([KMGTPE]i|[numkMGTPE]))?"
)


def quantity(text: object) -> Decimal:
    """The number that a quantity means. ValueError when it is none."""
    match = _QUANTITY.fullmatch(str(text))
    if match is None:
        raise ValueError(f"{text!r} is not a quantity")
    number, exponent, unit = match.groups()
    return Decimal(number).scaleb(int(exponent or 0)) * _UNITS[unit or ""]


def processor_limit(container: Object) -> float | None:
    """Processors of resources.limits.cpu, None without a limit. ValueError as `memory_limit`."""
    limits = (container.get("resources") or {}).get("limits") or {}
    return float(quantity(limits["cpu"])) if limits.get("cpu") else None


def memory_limit(container: Object) -> int | None:
    """Bytes of resources.limits.memory, None without a limit. ValueError when it is no quantity."""
    limits = (container.get("resources") or {}).get("limits") or {}
    return int(quantity(limits["memory"])) if limits.get("memory") else None
