"""Kubernetes' resource quantities: `500m`, `128Mi`, `0.5`, 2 (apimachinery's resource.Quantity)."""

from __future__ import annotations

import re
from decimal import ROUND_CEILING, ROUND_UP, Decimal, InvalidOperation

FORM = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?")

_NANO = Decimal(1).scaleb(-9)
_MOST = Decimal(2**63 - 1)
"""No quantity stands for more: a larger one is read as this, as in Kubernetes."""
_SCALES = ((0, ""), (3, "m"), (6, "u"), (9, "n"))


def is_quantity(value: object) -> bool:
    """Whether a JSON value can be read as a quantity; plain numbers can."""
    if isinstance(value, str):
        try:
            amount(value)
        except ValueError:
            return False
        return True
    return isinstance(value, int | float) and not isinstance(value, bool)


def quantity_text(value: object) -> object:
    """A quantity as the server stores it: a number becomes a string, 0.5 becomes `500m`. Parts
    below one billionth are rounded up. What is a string stays as it was written."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    number = _capped(Decimal(str(value))).quantize(_NANO, rounding=ROUND_CEILING)
    for exponent, suffix in _SCALES:
        scaled = number.scaleb(exponent)
        if scaled == scaled.to_integral_value():
            return f"{int(scaled)}{suffix}"
    raise AssertionError(f"{value} has parts below one billionth")


_SUFFIXES = {
    **{letter: Decimal(1000) ** power for power, letter in enumerate("kMGTPE", start=1)},
    **{f"{letter}i": Decimal(1024) ** power for power, letter in enumerate("KMGTPE", start=1)},
    "m": Decimal(1).scaleb(-3),
    "u": Decimal(1).scaleb(-6),
    "n": _NANO,
    "": Decimal(1),
}


def amount(value: object) -> Decimal:
    """The number that a quantity stands for, between -2**63 and 2**63 and in whole billionths.
    ValueError when it is none."""
    match = FORM.fullmatch(str(value))
    if match is None:
        raise ValueError(f"{value!r} is not a quantity")
    suffix = match.group(2) or ""
    try:
        if suffix[:1] in ("e", "E") and len(suffix) > 1:
            number = _capped(Decimal(str(value)))
        else:
            number = _capped(Decimal(str(value).removesuffix(suffix)) * _SUFFIXES[suffix])
    except InvalidOperation:  # an exponent that is no number of this world
        raise ValueError(f"{value!r} is not a quantity") from None
    rounded = number.quantize(_NANO, rounding=ROUND_UP)
    return number if number == rounded else rounded


def _capped(number: Decimal) -> Decimal:
    return max(-_MOST, min(_MOST, number))


def amount_text(value: Decimal, like: object = "") -> str:
    """A sum as Kubernetes writes it: binary when `like` is (`128Mi`), else decimal, in the largest
    unit that leaves a whole number."""
    binary = str(like).endswith("i")
    if binary and value == value.to_integral_value():
        for power, letter in reversed(list(enumerate("KMGTPE", start=1))):
            unit = Decimal(1024) ** power
            if value and value % unit == 0:
                return f"{int(value / unit)}{letter}i"
        return str(int(value))
    if value == value.to_integral_value():
        for power, letter in reversed(list(enumerate("kMGTPE", start=1))):
            unit = Decimal(1000) ** power
            if value and value % unit == 0:
                return f"{int(value / unit)}{letter}"
    text = quantity_text(float(value)) if value != value.to_integral_value() else int(value)
    return str(text)
