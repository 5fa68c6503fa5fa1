"""Tables whose layout is fixed although services and policy come later (design.md, section 6)."""

from __future__ import annotations

from dataclasses import dataclass

from cn2.state.row import U8, U16, U32, U64, Ip, Ip4, Ip6, Row, row


@row("ct4", key=6)
@dataclass(frozen=True, slots=True, kw_only=True)
class Flow4(Row):
    """A connection seen from one direction: VRF of arrival and 5-tuple, ports in host order.

    `reply_vrf` is where the reply belongs; `nat_ip`, `nat_port` replace source or destination as
    `flags` say. Times are the kernel's monotonic nanoseconds; expiry is explicit, nothing is
    evicted.
    """

    vrf: U32
    src: Ip4
    dst: Ip4
    sport: U16
    dport: U16
    proto: U8
    reply_vrf: U32
    nh: U32
    flags: U32
    rule: U32
    nat_ip: Ip4
    nat_port: U16
    state: U16
    created: U64
    expires: U64
    packets: U64
    bytes: U64


@row("ct6", key=6)
@dataclass(frozen=True, slots=True, kw_only=True)
class Flow6(Row):
    """`Flow4` for IPv6."""

    vrf: U32
    src: Ip6
    dst: Ip6
    sport: U16
    dport: U16
    proto: U8
    reply_vrf: U32
    nh: U32
    flags: U32
    rule: U32
    nat_ip: Ip6
    nat_port: U16
    state: U16
    created: U64
    expires: U64
    packets: U64
    bytes: U64


@row("svc", key=4)
@dataclass(frozen=True, slots=True, kw_only=True)
class Service(Row):
    """A service address and port; `ecmp` is the next hop with its endpoints."""

    vrf: U32
    ip: Ip
    port: U16
    proto: U8
    ecmp: U32
    flags: U32 = 0


@row("pol", key=4)
@dataclass(frozen=True, slots=True, kw_only=True)
class Policy(Row):
    """What happens between two tags; protocol and port 0 are any."""

    src_tag: U32
    dst_tag: U32
    port: U16
    proto: U8
    action: U32
    rule: U32
