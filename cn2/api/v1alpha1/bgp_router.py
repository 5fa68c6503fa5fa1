"""BGPRouter (cn2-api.md 4.10)."""

from __future__ import annotations

from cn2.api import schema as s
from cn2.api.access import items, mapping
from cn2.api.checks import address, each_refers_to, immutable_references, needs, of_family
from cn2.api.kind import Column, FieldError, Object
from cn2.api.v1alpha1.bgp_types import (
    AS_NUMBER,
    AUTHENTICATION,
    FAMILIES,
    HOLD_TIME,
    ROUTER_REFERENCE_ATTRIBUTES,
    authentication,
)
from cn2.api.v1alpha1.shared import core_kind, core_schema, parent, references

MAX_PORT = 65535
DEFAULT_AS_NUMBER = 64512
BGP_PORT = 179


def _validate(new: Object, old: Object | None) -> list[FieldError]:
    spec = mapping(new, "spec")
    parameters = mapping(spec, "bgpRouterParameters")
    errors = needs("spec.parent", spec.get("parent"), "RoutingInstance")
    path = "spec.bgpRouterParameters"
    errors += address(f"{path}.address", parameters.get("address"))
    for key in ("identifier", "gatewayAddress"):
        errors += of_family(f"{path}.{key}", parameters.get(key), "v4")
    errors += of_family(f"{path}.ipv6GatewayAddress", parameters.get("ipv6GatewayAddress"), "v6")
    errors += authentication(f"{path}.authData", mapping(parameters, "authData"))
    errors += each_refers_to(
        "spec.bgpRouterReferences", items(spec, "bgpRouterReferences"), "BGPRouter"
    )
    return errors + immutable_references(new, old, "spec.parent")


_PARAMETERS = s.object(
    "Parameters of the router.",
    {
        "adminDown": s.boolean("Keep all sessions down."),
        "vendor": s.string("Who made the router; contrail for control nodes."),
        "clusterID": s.integer(
            "Cluster id of a route reflector.", bits=64, minimum=1, maximum=4294967295
        ),
        "autonomousSystem": {**AS_NUMBER, "default": DEFAULT_AS_NUMBER},
        "identifier": s.string("Router id, as an IPv4 address; the address when empty."),
        "address": s.string("Address to connect to."),
        "port": s.integer("TCP port to connect to.", minimum=0, maximum=MAX_PORT, default=BGP_PORT),
        "sourcePort": s.integer("TCP port to connect from.", minimum=0, maximum=MAX_PORT),
        "holdTime": HOLD_TIME,
        "addressFamilies": FAMILIES,
        "authData": AUTHENTICATION,
        "localAutonomousSystem": AS_NUMBER,
        "routerType": s.string(
            "What the router is.",
            enum=(
                "control-node",
                "external-control-node",
                "router",
                "bgpaas-server",
                "bgpaas-client",
            ),
        ),
        "gatewayAddress": s.string("IPv4 next hop that a bgpaas-client is given."),
        "ipv6GatewayAddress": s.string("IPv6 next hop that a bgpaas-client is given."),
    },
)

BGP_ROUTER = core_kind(
    "BGPRouter",
    "bgprouters",
    "br",
    "BGPRouter is the configuration of a BGP speaker: a control node, a router outside, or one end"
    " of a BGPAsAService.",
    namespaced=True,
    categories=("contrail", "routing"),
    schema=core_schema(
        "BGPRouter",
        {
            "parent": parent("The RoutingInstance that the router belongs to."),
            "bgpRouterReferences": references(
                "Routers to have sessions with.", attributes=ROUTER_REFERENCE_ATTRIBUTES
            ),
            "bgpRouterParameters": _PARAMETERS,
        },
        required=("parent",),
    ),
    columns=(
        Column(
            name="Type",
            path=".spec.bgpRouterParameters.routerType",
            description="What the router is.",
        ),
        Column(
            name="Identifier",
            path=".spec.bgpRouterParameters.identifier",
            description="Router id.",
        ),
    ),
    validate=_validate,
    inert="no BGP session is made",
)
