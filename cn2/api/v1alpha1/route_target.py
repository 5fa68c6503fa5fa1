"""RouteTarget (cn2-api.md 4.4)."""

from __future__ import annotations

from cn2.api.access import name_of
from cn2.api.checks import parses
from cn2.api.kind import FieldError, Lookup, Object
from cn2.api.route_target_lists import not_automatic_target
from cn2.api.v1alpha1.shared import core_kind, core_schema
from cn2.net.route_target import route_target_of_name


def _validate(new: Object, old: Object | None) -> list[FieldError]:
    return parses("metadata.name", name_of(new), route_target_of_name) if old is None else []


def _validate_among(new: Object, old: Object | None, lookup: Lookup) -> list[FieldError]:
    if old is not None:
        return []
    name = name_of(new)
    return not_automatic_target("metadata.name", name, route_target_of_name(name), lookup)


ROUTE_TARGET = core_kind(
    "RouteTarget",
    "routetargets",
    "rt",
    "RouteTarget is a route-target extended community, a type of BGP extended community that used"
    " to define VPN membership. The route target appears in a field in route update.",
    namespaced=False,
    categories=("contrail", "routing"),
    schema=core_schema("RouteTarget"),
    validate=_validate,
    validate_among=_validate_among,
)
