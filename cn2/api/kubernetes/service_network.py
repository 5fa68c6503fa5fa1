"""The addresses of services, and how they are claimed."""

from __future__ import annotations

from cn2.api.access import items, name_of, namespace_of, text
from cn2.api.kind import Claim, Object, holder
from cn2.net.prefix import parse_address

SERVICE_BLOCK = "10.96.0.0/12"
"""Cluster IPs, unless --service-cidr says otherwise."""
SERVICE_POOL = "service-ip-pool"
"""An id is the address as a number, so that it means the same with every --service-cidr."""
SERVICE_DYNAMIC_START = 256
"""Lower offsets are left to services that ask for an address (KEP-3070), such as 10.96.0.10."""


NODE_PORT_POOL = "node-port-pool"
NODE_PORTS = range(30000, 32768)
"""Kubernetes' default --service-node-port-range."""


def service_claims(obj: Object) -> list[Claim]:
    """The claims of a Service's cluster address and of its node ports."""
    who = holder("Service", namespace_of(obj), name_of(obj))
    return [*_address_claims(obj, who), *_port_claims(obj, who)]


def _address_claims(obj: Object, who: str) -> list[Claim]:
    try:
        number = int(parse_address(text(obj, "spec", "clusterIP")))
    except ValueError:  # there is none: "", or "None" of a headless service
        return []
    return [Claim(SERVICE_POOL, number, who)]


def _port_claims(obj: Object, who: str) -> list[Claim]:
    # A holder has one number of a pool; a service may have many ports: each holds its own.
    ports = {port.get("nodePort") for port in items(obj, "spec", "ports")}
    return [Claim(NODE_PORT_POOL, port, f"{who}:{port}") for port in ports if port]
