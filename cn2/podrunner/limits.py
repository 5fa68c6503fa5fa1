"""What a container may use at most. Pure."""

from __future__ import annotations

import re
from decimal import Decimal

from cn2.api.kind import Object

_UNITS: dict[str, int | Decimal] = {
    "": 1,
    "m": Decimal("0.001"),
    "k": 10**3,
    "M": 10**6,
    "G": 10**9,
    "T": 10**12,
    "Ki": 1 << 10,
    "Mi": 1 << 20,
    "Gi": 1 << 30,
    "Ti": 1 << 40,
}


_QUANTITY = re.compile(r"([0-9]+(?:\.[0-9]*)?(?:[eE][0-9]+)?)([kMGTPE]i?|Ki|m)?")


def memory_limit(container: Object) -> int | None:
    """Bytes of resources.limits.memory, None without a limit. ValueError when it is no quantity."""
    limits = (container.get("resources") or {}).get("limits") or {}
    text = str(limits.get("memory") or "")
    if not text:
        return None
    match = _QUANTITY.fullmatch(text)
    if match is None or (match.group(2) or "") not in _UNITS:
        raise ValueError(f"memory limit {text!r} is not a quantity")
    return int(Decimal(match.group(1)) * _UNITS[match.group(2) or ""])
