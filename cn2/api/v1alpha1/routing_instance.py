"""RoutingInstance (cn2-api.md 4.3)."""

from __future__ import annotations

from cn2.api import schema as s
from cn2.api.access import items, mapping, name_of, namespace_of, text
from cn2.api.checks import each_refers_to, immutable_references, refers_to
from cn2.api.kind import Claim, Column, FieldError, Object, holder
from cn2.api.v1alpha1.shared import core_kind, core_schema, parent, reference, references, struct
from cn2.net.route_target import automatic_id, route_target_of_name

NUMBER_POOL = "route-target-number-pool"

_ATTRIBUTES = struct(
    "How the route target is used.",
    {"importExport": s.string("import or export; both when empty.", enum=("", "import", "export"))},
)


def _default_target(obj: Object) -> str:
    return text(obj, "status", "defaultRouteTargetReference", "name")


def _route_target(obj: Object) -> str:
    return _default_target(obj).removeprefix("target-").replace("-", ":")


def _validate(new: Object, old: Object | None) -> list[FieldError]:
    spec = mapping(new, "spec")
    return [
        *refers_to("spec.parent", spec.get("parent"), "VirtualNetwork"),
        *each_refers_to(
            "spec.routeTargetReferences", items(spec, "routeTargetReferences"), "RouteTarget"
        ),
        *immutable_references(new, old, "spec.parent"),
    ]


def _claims(obj: Object) -> list[Claim]:
    name = _default_target(obj)
    if not name:
        return []
    try:
        number = automatic_id(route_target_of_name(name))
    except ValueError:
        return []
    who = holder("RoutingInstance", namespace_of(obj), name_of(obj))
    return [Claim(NUMBER_POOL, number, who)]


ROUTING_INSTANCE = core_kind(
    "RoutingInstance",
    "routinginstances",
    "ri",
    "RoutingInstance is a group of customer attachment points with the same connectivity policies."
    " Corresponding to the VRF in L3VPN/EVPN.",
    namespaced=True,
    categories=("contrail", "routing"),
    schema=core_schema(
        "RoutingInstance",
        {
            "parent": {
                **parent("The VirtualNetwork; empty for the instance of a VirtualNetworkRouter."),
                "default": {},
            },
            "routeTargetReferences": references(
                "Route targets that users asked for.", attributes=_ATTRIBUTES
            ),
        },
        {
            "isDefault": s.boolean("The instance is its VirtualNetwork's own."),
            "defaultRouteTargetReference": reference(
                "The route target made for this instance.", attributes=_ATTRIBUTES
            ),
            "routingInstanceFabricSNAT": s.boolean(
                "Traffic to the underlay leaves with the node's address."
            ),
            "virtualNetworkRouterRouteTargetReferences": s.map_of(
                s.object(
                    "",
                    {"routeTargetReferences": references("Route targets.", attributes=_ATTRIBUTES)},
                ),
                "Route targets on behalf of VirtualNetworkRouters, by namespace/name of these.",
            ),
        },
    ),
    columns=(
        Column(
            name="RouteTarget",
            cell=_route_target,
            description="The route target made for this instance.",
        ),
    ),
    validate=_validate,
    claims=_claims,
)
