"""What a container may use at most. Pure."""

from __future__ import annotations

from decimal import Decimal

from cn2.api.access import mapping
from cn2.api.kind import Object
from cn2.api.quantity import amount


def processor_limit(container: Object) -> float | None:
    """Processors of resources.limits.cpu, None without a limit. ValueError as `memory_limit`."""
    limit = _limit(container, "cpu")
    return float(limit) if limit else None


def memory_limit(container: Object) -> int | None:
    """Bytes of resources.limits.memory, None without a limit. ValueError when it is no quantity."""
    limit = _limit(container, "memory")
    return int(limit) if limit else None


def _limit(container: Object, name: str) -> Decimal | None:
    """A limit of 0 is none, as for kubelet."""
    limit = mapping(container, "resources", "limits").get(name)
    return max(Decimal(0), amount(limit)) if limit else None
