"""The addresses of services, and how they are claimed."""

from __future__ import annotations

from cn2.api.access import name_of, namespace_of, text
from cn2.api.kind import Claim, Object, holder
from cn2.net.prefix import V4, family_of, parse_address, parse_prefix

SERVICE_BLOCK = "10.96.0.0/12"
"""Cluster IPs."""
SERVICE_POOL = "service-ip-pool"
"""An id is an address's offset in SERVICE_BLOCK."""
SERVICE_DYNAMIC_START = 256
"""Lower offsets are left to services that ask for an address (KEP-3070), such as 10.96.0.10."""

_BASE = int(parse_prefix(SERVICE_BLOCK).network.network_address)


def service_claims(obj: Object) -> list[Claim]:
    """The claim of a Service's IPv4 cluster address."""
    address = text(obj, "spec", "clusterIP")
    try:
        if not address or family_of(address) != V4:
            return []
    except ValueError:
        return []
    id = int(parse_address(address)) - _BASE
    if id < 0:
        return []
    return [Claim(SERVICE_POOL, id, holder("Service", namespace_of(obj), name_of(obj)))]
