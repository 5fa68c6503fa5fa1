"""Next hops: shared by routes, MAC entries and flood lists."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Self

from cn2.state.row import U32, Ip, Mac, Row, U32x64, row

PROXY_MAC = bytes.fromhex("00005e000100")
"""The MAC that stands for every address in a routed network (Contrail's, a VRRP MAC, RFC 5798)."""


class NextHopType(IntEnum):
    """Numbers are the datapath's ABI. TUNNEL and ECMP have their place in the layout only."""

    DISCARD = 1
    """Known to be nowhere: not answered for, dropped."""
    LOCAL = 2
    """A pod interface on this node."""
    RECEIVE = 3
    """The datapath itself: a gateway address, which answers ARP, ND and echo."""
    TUNNEL = 4
    ECMP = 5


LOCAL_BASE = 0x4000_0000
"""Local next hops are numbered by their interface from here on."""


@row("nh", key=1)
@dataclass(frozen=True, slots=True, kw_only=True)
class NextHop(Row):
    """`vrf` is the network of what is behind it: another one than the sender's costs a TTL."""

    id: U32
    type: U32
    ifindex: U32 = 0
    vrf: U32 = 0
    vni: U32 = 0
    vtep: Ip = bytes(16)
    dmac: Mac = bytes(6)
    smac: Mac = bytes(6)

    @classmethod
    def local(cls, ifindex: int, vrf: int, mac: bytes) -> Self:
        """Delivery to the pod behind host interface `ifindex`, whose own MAC is `mac`."""
        return cls(
            id=LOCAL_BASE + ifindex,
            type=NextHopType.LOCAL,
            ifindex=ifindex,
            vrf=vrf,
            dmac=mac,
            smac=PROXY_MAC,
        )


DISCARD = NextHop(id=1, type=NextHopType.DISCARD)
RECEIVE = NextHop(id=2, type=NextHopType.RECEIVE)


@row("ecmp", key=1)
@dataclass(frozen=True, slots=True, kw_only=True)
class Ecmp(Row):
    """The members of an ECMP next hop in resilient slots: `slot[i]` is a next hop's id."""

    id: U32
    n: U32
    slot: U32x64
