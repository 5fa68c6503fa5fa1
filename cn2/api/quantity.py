"""Kubernetes' resource quantities: `500m`, `128Mi`, `0.5`, 2 (apimachinery's resource.Quantity)."""

from __future__ import annotations

import re
from decimal import ROUND_CEILING, Decimal

FORM = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?")

_NANO = Decimal(1).scaleb(-9)
_SCALES = ((0, ""), (3, "m"), (6, "u"), (9, "n"))


def is_quantity(value: object) -> bool:
    """Whether a JSON value can be read as a quantity; plain numbers can."""
    if isinstance(value, str):
        return FORM.fullmatch(value) is not None
    return isinstance(value, int | float) and not isinstance(value, bool)


def quantity_text(value: object) -> object:
    """A quantity as the server stores it: a number becomes a string, 0.5 becomes `500m`. Parts
    below one billionth are rounded up. What is a string stays as it was written."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    number = Decimal(str(value)).quantize(_NANO, rounding=ROUND_CEILING)
    for exponent, suffix in _SCALES:
        scaled = number.scaleb(exponent)
        if scaled == scaled.to_integral_value():
            return f"{int(scaled)}{suffix}"
    raise AssertionError(f"{value} has parts below one billionth")
