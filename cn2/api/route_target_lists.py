"""Route targets that people may not ask for, because the system gives them out itself.

Whoever imports an automatic route target joins the network that has it, now or later
(docs/adr/0009-automatic-route-targets-are-the-systems.md).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cn2.api.access import at
from cn2.api.kind import FieldError, Lookup
from cn2.api.schema_checks import invalid
from cn2.net.route_target import (
    AUTOMATIC_BASE,
    AUTOMATIC_SHORT_BASE,
    MAX_SHORT_AS,
    RouteTarget,
    is_automatic,
    parse_route_target,
)

_CONFIG = ("GlobalSystemConfig", "", "default-global-system-config")
_DEFAULT_AS = 64512


def not_automatic(path: str, values: Iterable[Any], lookup: Lookup) -> list[FieldError]:
    """An error for each route target of a list that is the system's to give."""
    return [
        error
        for index, value in enumerate(values)
        for error in not_automatic_target(
            f"{path}[{index}]", str(value), parse_route_target(str(value)), lookup
        )
    ]


def not_automatic_target(
    path: str, shown: str, target: RouteTarget, lookup: Lookup
) -> list[FieldError]:
    """As `not_automatic`, for one route target that was read from `shown`."""
    asn = int(at(lookup(*_CONFIG), "spec", "autonomousSystem", default=_DEFAULT_AS))
    if not is_automatic(target, asn):
        return []
    base = AUTOMATIC_BASE if asn <= MAX_SHORT_AS else AUTOMATIC_SHORT_BASE
    detail = (
        f"numbers from {base} on are the system's own under AS {asn}:"
        f" take a lower number, or another AS"
    )
    return [invalid(path, shown, detail)]
