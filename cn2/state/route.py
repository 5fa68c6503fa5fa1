"""Routes: exact ones in a hash, which is looked at first, prefixes in a trie."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Self

from cn2.state.row import U32, Ip, Ip4, Ip6, Row, pack_ip, row


@row("host", key=2)
@dataclass(frozen=True, slots=True, kw_only=True)
class Host(Row):
    """One address of a VRF. A gateway address is one too, with the next hop RECEIVE."""

    vrf: U32
    ip: Ip
    nh: U32
    tag: U32 = 0
    flags: U32 = 0

    @classmethod
    def of(cls, vrf: int, address: IPv4Address | IPv6Address, nh: int, tag: int = 0) -> Self:
        """The row of an address."""
        return cls(vrf=vrf, ip=pack_ip(address), nh=nh, tag=tag)


@row("fib4", key=3)
@dataclass(frozen=True, slots=True, kw_only=True)
class Fib4(Row):
    """An IPv4 prefix of a VRF; `plen` is 32 (the VRF) plus the prefix length."""

    plen: U32
    vrf: U32
    ip: Ip4
    nh: U32
    tag: U32 = 0
    flags: U32 = 0


@row("fib6", key=3)
@dataclass(frozen=True, slots=True, kw_only=True)
class Fib6(Row):
    """An IPv6 prefix of a VRF; `plen` is 32 (the VRF) plus the prefix length."""

    plen: U32
    vrf: U32
    ip: Ip6
    nh: U32
    tag: U32 = 0
    flags: U32 = 0


Route = Host | Fib4 | Fib6


def route(vrf: int, prefix: IPv4Network | IPv6Network, nh: int, tag: int = 0) -> Route:
    """The row of a prefix, in the table that its length belongs to."""
    if prefix.prefixlen == prefix.max_prefixlen:
        return Host.of(vrf, prefix.network_address, nh, tag)
    kind = Fib4 if prefix.version == 4 else Fib6
    return kind(
        plen=32 + prefix.prefixlen,
        vrf=vrf,
        ip=prefix.network_address.packed,
        nh=nh,
        tag=tag,
    )
