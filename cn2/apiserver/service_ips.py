"""Cluster addresses of Services: given at create, unique by the claims of the Service kind.

As in Kubernetes the lower part of the range is left to addresses that people choose; the others
are given from above it, and from below only when that is used up.
"""

from __future__ import annotations

import ipaddress

from cn2.api.kind import FieldError, Kind, Object
from cn2.api.kubernetes.service_network import SERVICE_DYNAMIC_START, SERVICE_POOL
from cn2.apiserver import keys
from cn2.apiserver.backend import Backend, Network
from cn2.apiserver.errors import internal, invalid

_NONE = "None"


def _is_service(kind: Kind) -> bool:
    return (kind.group, kind.plural) == ("", "services")


def _has_address(obj: Object) -> bool:
    spec = obj.get("spec") or {}
    return spec.get("type") != "ExternalName" and spec.get("clusterIP") != _NONE


def assign(backend: Backend, kind: Kind, obj: Object, old: Object | None) -> None:
    """Fills in a Service's address where it needs one; an update that leaves it out keeps it."""
    if not _is_service(kind):
        return
    spec = obj.setdefault("spec", {})
    before = ((old or {}).get("spec") or {}).get("clusterIP")
    if before and not spec.get("clusterIP") and spec.get("type") != "ExternalName":
        spec["clusterIP"] = before
    if spec.get("clusterIP") == _NONE:
        spec.setdefault("clusterIPs", [_NONE])
        return
    if not _has_address(obj):
        return
    if not spec.get("clusterIP"):
        spec["clusterIP"] = _lowest_free(backend)
    elif spec["clusterIP"] != before:
        _check(backend, kind, obj)
    spec["clusterIPs"] = [spec["clusterIP"]]
    spec.setdefault("ipFamilies", ["IPv6" if ":" in spec["clusterIP"] else "IPv4"])
    spec.setdefault("ipFamilyPolicy", "SingleStack")
    spec.setdefault("internalTrafficPolicy", "Cluster")


def _check(backend: Backend, kind: Kind, obj: Object) -> None:
    text, network = obj["spec"]["clusterIP"], backend.service_cidr
    try:
        problem = _problem(backend, text, network)
    except ValueError:
        problem = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
    if problem:
        error = FieldError("spec.clusterIPs", f'Invalid value: ["{text}"]: {problem}')
        raise invalid(kind, obj["metadata"]["name"], [error])


def _problem(backend: Backend, text: str, network: Network) -> str:
    """Why an address cannot be had; "" when it can. Raises ValueError when it is none."""
    address = ipaddress.ip_address(text)
    failed = f"failed to allocate IP {text}:"
    if address not in network:
        return (
            f"{failed} the provided IP ({text}) is not in the valid range."
            f" The range of valid IPs is {network}"
        )
    if backend.store.latest(keys.claim(SERVICE_POOL, int(address))) is not None:
        return f"{failed} provided IP is already allocated"
    return ""


def _lowest_free(backend: Backend) -> str:
    network = backend.service_cidr
    taken = {
        int(entry.key.rpartition("/")[2], 16)
        for entry in backend.store.latest_under(keys.claims(SERVICE_POOL))
    }
    base, size = int(network.network_address), network.num_addresses
    chosen = min(SERVICE_DYNAMIC_START, size // 16)
    for offset in (*range(chosen, size - 1), *range(1, chosen)):
        if base + offset not in taken:
            return str(ipaddress.ip_address(base + offset))
    raise internal(f"failed to allocate a cluster IP: {network} is full")
