"""EndpointSlice (discovery.k8s.io/v1)."""

from __future__ import annotations

from cn2.api import schema as s
from cn2.api.access import items
from cn2.api.columns import AGE, NAME
from cn2.api.kind import Column, Kind, Object
from cn2.api.shared_types import object_reference

_SHOWN = 3


def _limited(values: list[str], empty: str) -> str:
    if not values:
        return empty
    more = f" + {len(values) - _SHOWN} more..." if len(values) > _SHOWN else ""
    return ",".join(values[:_SHOWN]) + more


def _ports(obj: Object) -> str:
    ports = items(obj, "ports")
    return _limited([str(port.get("port", "*")) for port in ports], "<unset>")


def _endpoints(obj: Object) -> str:
    addresses = [
        str(address)
        for endpoint in items(obj, "endpoints")
        for address in items(endpoint, "addresses")
    ]
    return _limited(addresses, "<unset>")


_ENDPOINT = s.object(
    "Endpoint represents a single logical backend implementing a service.",
    {
        "addresses": s.set_of(s.string(), "Addresses of this endpoint."),
        "conditions": s.object(
            "The current status of the endpoint.",
            {
                "ready": s.boolean("The endpoint is ready to receive traffic."),
                "serving": s.boolean("As ready, also while terminating."),
                "terminating": s.boolean("The endpoint is terminating."),
            },
        ),
        "deprecatedTopology": s.map_of(s.string(), "Deprecated."),
        "hints": s.any_object("Hints associated with how the endpoint should be consumed."),
        "hostname": s.string("Hostname of this endpoint."),
        "nodeName": s.string("The node hosting this endpoint."),
        "targetRef": object_reference("The object that represents this endpoint."),
        "zone": s.string("The zone of this endpoint."),
    },
    required=("addresses",),
)

ENDPOINT_SLICE = Kind(
    group="discovery.k8s.io",
    version="v1",
    kind="EndpointSlice",
    plural="endpointslices",
    namespaced=True,
    description=(
        "EndpointSlice represents a set of service endpoints. Most EndpointSlices are created by"
        " the EndpointSlice controller to represent the Pods selected by Service objects."
    ),
    schema=s.object(
        "",
        {
            "addressType": s.string(
                "The type of address carried by this slice.", enum=("IPv4", "IPv6", "FQDN")
            ),
            "endpoints": s.array(_ENDPOINT, "A list of unique endpoints in this slice."),
            "ports": s.array(
                s.object(
                    "",
                    {
                        "appProtocol": s.string("The application protocol for this port."),
                        "name": s.string("The name of this port.", default=""),
                        "port": s.integer("The port number of the endpoint."),
                        "protocol": s.string("The IP protocol for this port.", default="TCP"),
                    },
                ),
                "The list of network ports exposed by each endpoint in this slice.",
            ),
        },
        required=("addressType", "endpoints"),
    ),
    columns=(
        NAME,
        Column(name="AddressType", path=".addressType", description="Type of the addresses."),
        Column(name="Ports", cell=_ports, description="Ports of the endpoints."),
        Column(name="Endpoints", cell=_endpoints, description="Addresses of the endpoints."),
        AGE,
    ),
)
