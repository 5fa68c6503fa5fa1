"""A pod interface as the node's kernel sees it: a veth pair, and the addresses inside the pod."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """What to make for one attachment of a pod.

    The host side is `host_name` (at most 15 bytes) with `alias` (at most 255 bytes), by which the
    next agent knows it again. The primary port gets the default routes; every other port gets,
    for each address that has a gateway, a rule `from ADDRESS lookup table` and a default route in
    that table, so that replies leave by the interface that was asked.
    """

    host_name: str
    name: str
    mac: bytes
    mtu: int
    addresses: tuple[IPv4Interface | IPv6Interface, ...]
    gateways: tuple[IPv4Address | IPv6Address, ...] = ()
    primary: bool = False
    table: int = 0
    alias: str = ""
