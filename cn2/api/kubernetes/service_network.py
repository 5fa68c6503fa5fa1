"""The addresses of services, and how they are claimed."""

from __future__ import annotations

from cn2.api.access import name_of, namespace_of, text
from cn2.api.kind import Claim, Object, holder
from cn2.net.prefix import parse_address

SERVICE_BLOCK = "10.96.0.0/12"
"""Cluster IPs, unless --service-cidr says otherwise."""
SERVICE_POOL = "service-ip-pool"
"""An id is the address as a number, so that it means the same with every --service-cidr."""
SERVICE_DYNAMIC_START = 256
"""Lower offsets are left to services that ask for an address (KEP-3070), such as 10.96.0.10."""


def service_claims(obj: Object) -> list[Claim]:
    """The claim of a Service's cluster address."""
    try:
        id = int(parse_address(text(obj, "spec", "clusterIP")))
    except ValueError:  # there is none: "", or "None" of a headless service
        return []
    return [Claim(SERVICE_POOL, id, holder("Service", namespace_of(obj), name_of(obj)))]
