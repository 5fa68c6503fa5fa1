"""Endpoints (core/v1)."""

from __future__ import annotations

from cn2.api import schema as s
from cn2.api.access import items, text
from cn2.api.columns import AGE, NAME
from cn2.api.kind import Column, Kind, Object
from cn2.api.shared_types import object_reference

_SHOWN = 3


def _endpoints(obj: Object) -> str:
    found = []
    for subset in items(obj, "subsets"):
        for address in items(subset, "addresses"):
            ip = text(address, "ip")
            host = f"[{ip}]" if ":" in ip else ip
            ports = items(subset, "ports")
            found += [f"{host}:{port.get('port')}" for port in ports] or [ip]
    if not found:
        return "<none>"
    more = f" + {len(found) - _SHOWN} more..." if len(found) > _SHOWN else ""
    return ",".join(found[:_SHOWN]) + more


_ADDRESS = s.object(
    "EndpointAddress is a tuple that describes single IP address.",
    {
        "hostname": s.string("The Hostname of this endpoint."),
        "ip": s.string("The IP of this endpoint."),
        "nodeName": s.string("Node hosting this endpoint."),
        "targetRef": object_reference("Reference to object providing the endpoint."),
    },
    required=("ip",),
)
_PORT = s.object(
    "EndpointPort is a tuple that describes a single port.",
    {
        "appProtocol": s.string("The application protocol for this port."),
        "name": s.string("The name of this port."),
        "port": s.integer("The port number of the endpoint."),
        "protocol": s.string("The IP protocol for this port.", default="TCP"),
    },
    required=("port",),
)

ENDPOINTS = Kind(
    group="",
    version="v1",
    kind="Endpoints",
    plural="endpoints",
    short_names=("ep",),
    namespaced=True,
    description="Endpoints is a collection of endpoints that implement the actual service.",
    schema=s.whole(
        subsets=s.array(
            s.object(
                "A group of addresses with a common set of ports.",
                {
                    "addresses": s.array(_ADDRESS, "IP addresses that are marked as ready."),
                    "notReadyAddresses": s.array(_ADDRESS, "IP addresses that are not ready."),
                    "ports": s.array(_PORT, "Port numbers available on the addresses."),
                },
            ),
            "The set of all endpoints is the union of all subsets.",
        )
    ),
    columns=(
        NAME,
        Column(name="Endpoints", cell=_endpoints, description="Addresses that are ready."),
        AGE,
    ),
)
