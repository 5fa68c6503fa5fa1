"""BGPAsAService (cn2-api.md 4.11)."""

from __future__ import annotations

from cn2.api import schema as s
from cn2.api.access import items, mapping
from cn2.api.checks import address, each_refers_to
from cn2.api.kind import Column, FieldError, Object
from cn2.api.selector_checks import selector
from cn2.api.shared_types import label_selector
from cn2.api.v1alpha1.bgp_types import (
    AS_NUMBER,
    ROUTER_REFERENCE_ATTRIBUTES,
    SESSION_ATTRIBUTES,
    authentication,
)
from cn2.api.v1alpha1.shared import core_kind, core_schema, references, struct


def _validate(new: Object, old: Object | None) -> list[FieldError]:
    spec = mapping(new, "spec")
    selectors = items(spec, "virtualMachineInterfacesSelector")
    session = "bgpAsAServiceSessionAttributes"
    return [
        *address("spec.ipAddress", spec.get("ipAddress")),
        *authentication(f"spec.{session}.authData", mapping(spec, session, "authData")),
        *(
            error
            for index, one in enumerate(selectors)
            for error in selector(f"spec.virtualMachineInterfacesSelector[{index}]", one)
        ),
        *each_refers_to(
            "spec.virtualMachineInterfaceReferences",
            items(spec, "virtualMachineInterfaceReferences"),
            "VirtualMachineInterface",
        ),
    ]


BGP_AS_A_SERVICE = core_kind(
    "BGPAsAService",
    "bgpasaservices",
    "bgpaas",
    "BGPAsAService lets workloads peer by BGP with the control nodes through the vRouter.",
    namespaced=True,
    categories=("contrail", "networking"),
    schema=core_schema(
        "BGPAsAService",
        {
            "shared": s.boolean("All interfaces share one client router.", default=False),
            "ipAddress": s.string("Source address of the client."),
            "autonomousSystem": AS_NUMBER,
            "suppressRouteAdvertisement": s.boolean(
                "Announce no routes to the client.", default=False
            ),
            "ipv4MappedIPv6NextHop": s.boolean("Use IPv4-mapped IPv6 next hops."),
            "bgpAsAServiceSessionAttributes": SESSION_ATTRIBUTES,
            "virtualMachineInterfaceReferences": references("Interfaces of the clients."),
            "virtualMachineInterfacesSelector": s.array(
                label_selector("Labels of interfaces."),
                "Further interfaces, by the label core.juniper.net/bgpaasVN.",
            ),
        },
        {
            "bgpRouterReferences": references(
                "Routers made for the service.", attributes=ROUTER_REFERENCE_ATTRIBUTES
            ),
            "subnetReferences": references(
                "Subnets with the addresses of the control nodes.",
                attributes=struct(
                    "",
                    {
                        "bgpaasPrimaryIP": s.string("Address of the first control node."),
                        "bgpaasSecondaryIP": s.string("Address of the second control node."),
                    },
                ),
            ),
            "vmiSelectorReferences": references("Interfaces that the selectors found."),
        },
    ),
    columns=(
        Column(name="IPAddress", path=".spec.ipAddress", description="Address of the client."),
    ),
    validate=_validate,
    inert="no BGP session is made",
)
