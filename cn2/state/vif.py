"""Interfaces of pods, and the addresses that they may use besides their own."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntFlag
from ipaddress import IPv4Network, IPv6Network
from typing import Self

from cn2.state.row import U32, Ip, Ip4, Ip6, Mac, Row, pack_ip, row


class VifFlag(IntFlag):
    """What the datapath does for an interface. l2_l3 is L2 | L3; default-podnetwork is L3."""

    L2 = 1
    """Frames are forwarded by MAC table; broadcast and multicast are flooded."""
    L3 = 2
    """IP is forwarded by the VRF's routes; ARP and ND are answered in the datapath."""
    RPF = 4
    """A source that is neither the interface's own address nor in `aap` is dropped."""


@row("vif", key=1)
@dataclass(frozen=True, slots=True, kw_only=True)
class Vif(Row):
    """The host side of one pod interface. Without this row all of the pod's traffic is dropped.

    `vrf` and `bd` are node-local numbers that the agent gives (one per VirtualNetwork uid);
    `bd` 0 is no bridge domain. `gw4` and `gw6` are the sources of ICMP errors.
    """

    ifindex: U32
    vrf: U32
    bd: U32 = 0
    flags: U32 = VifFlag.L3 | VifFlag.RPF
    tag: U32 = 0
    mirror: U32 = 0
    ip4: Ip4 = bytes(4)
    gw4: Ip4 = bytes(4)
    ip6: Ip6 = bytes(16)
    gw6: Ip6 = bytes(16)
    mac: Mac


@row("aap", key=3)
@dataclass(frozen=True, slots=True, kw_only=True)
class AllowedAddress(Row):
    """A prefix an interface may send from (allowed address pair); `plen` counts ifindex too."""

    plen: U32
    ifindex: U32
    ip: Ip
    flags: U32 = 0
    mac: Mac = bytes(6)

    @classmethod
    def of(cls, ifindex: int, prefix: IPv4Network | IPv6Network, mac: bytes = bytes(6)) -> Self:
        """The row of a prefix; `mac` all zero is any."""
        bits = prefix.prefixlen + (96 if prefix.version == 4 else 0)
        return cls(plen=32 + bits, ifindex=ifindex, ip=pack_ip(prefix.network_address), mac=mac)
