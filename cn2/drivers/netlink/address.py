"""Addresses, routes and source rules inside a pod."""

from __future__ import annotations

import struct
from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv4Network,
    IPv6Address,
    IPv6Interface,
    IPv6Network,
)

from cn2.drivers.netlink.wire import NLM_F_CREATE, NLM_F_EXCL, Message, attr, u32

_NEWADDR, _NEWROUTE, _NEWRULE = 20, 24, 32
_EEXIST = 17
_ADDRESS_INFO = struct.Struct("=BBBBI")
_ROUTE_INFO = struct.Struct("=BBBBBBBBI")
_IFA_ADDRESS, _IFA_LOCAL, _IFA_BROADCAST, _IFA_FLAGS, _F_NODAD = 1, 2, 4, 8, 2
_RTA_DST, _RTA_OIF, _RTA_GATEWAY, _RTA_PREFSRC, _RTA_TABLE = 1, 4, 5, 7, 15
_FRA_SRC, _FRA_PRIORITY, _FRA_TABLE, _TO_TABLE = 2, 6, 15, 1
_PROTO_BOOT, _SCOPE_UNIVERSE, _SCOPE_LINK, _UNICAST = 3, 0, 253, 1
_FAMILY = {4: 2, 6: 10}
MAIN_TABLE = 254

Interface = IPv4Interface | IPv6Interface
Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


def add_address(index: int, address: Interface) -> Message:
    """Give a link an address with its prefix length; IPv6 without duplicate detection."""
    packed = address.ip.packed
    body = attr(_IFA_LOCAL, packed) + attr(_IFA_ADDRESS, packed)
    flags = 0
    if isinstance(address, IPv4Interface):
        if address.network.prefixlen < 31:
            body += attr(_IFA_BROADCAST, address.network.broadcast_address.packed)
    else:
        flags = _F_NODAD
        body += u32(_IFA_FLAGS, flags)
    head = _ADDRESS_INFO.pack(_FAMILY[address.version], address.network.prefixlen, flags, 0, index)
    return Message(
        f"add address {address}", _NEWADDR, head + body, NLM_F_CREATE | NLM_F_EXCL, (_EEXIST,)
    )


def add_default_route(index: int, gateway: Address, table: int = MAIN_TABLE) -> Message:
    """Route everything of the gateway's family through it."""
    body = attr(_RTA_GATEWAY, gateway.packed) + u32(_RTA_OIF, index) + u32(_RTA_TABLE, table)
    head = _route_head(gateway.version, 0, table, _SCOPE_UNIVERSE)
    return Message(
        f"add default route {gateway}",
        _NEWROUTE,
        head + body,
        NLM_F_CREATE | NLM_F_EXCL,
        (_EEXIST,),
    )


def add_link_route(index: int, address: Interface, table: int) -> Message:
    """Route an address's own prefix out of its link, in a table besides the main one."""
    network = address.network
    body = attr(_RTA_DST, network.network_address.packed) + u32(_RTA_OIF, index)
    body += attr(_RTA_PREFSRC, address.ip.packed) + u32(_RTA_TABLE, table)
    head = _route_head(network.version, network.prefixlen, table, _SCOPE_LINK)
    return Message(
        f"add route {network}", _NEWROUTE, head + body, NLM_F_CREATE | NLM_F_EXCL, (_EEXIST,)
    )


def add_source_rule(source: Address, table: int, priority: int) -> Message:
    """Look up what `source` sends in `table`."""
    body = attr(_FRA_SRC, source.packed) + u32(_FRA_TABLE, table) + u32(_FRA_PRIORITY, priority)
    bits = source.max_prefixlen
    small = table if table < 256 else 0
    head = _ROUTE_INFO.pack(
        _FAMILY[source.version], 0, bits, 0, small, _PROTO_BOOT, 0, _TO_TABLE, 0
    )
    return Message(
        f"add rule from {source}", _NEWRULE, head + body, NLM_F_CREATE | NLM_F_EXCL, (_EEXIST,)
    )


def _route_head(version: int, bits: int, table: int, scope: int) -> bytes:
    small = table if table < 256 else 0
    return _ROUTE_INFO.pack(_FAMILY[version], bits, 0, 0, small, _PROTO_BOOT, scope, _UNICAST, 0)
