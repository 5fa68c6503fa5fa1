"""What forwards frames: MAC entries, flood lists, and the VNIs of tunnels."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cn2.state.row import U32, Mac, Row, U32x64, row

FLOOD_MEMBERS = 64
FLOOD_CHUNKS = 16
"""The datapath floods to at most 64 * 16 members of a bridge domain."""


@row("fdb", key=2)
@dataclass(frozen=True, slots=True, kw_only=True)
class Fdb(Row):
    """Where a MAC of a bridge domain is. The control plane writes them; nothing is learned."""

    bd: U32
    mac: Mac
    nh: U32
    flags: U32 = 0


@row("flood", key=2)
@dataclass(frozen=True, slots=True, kw_only=True)
class Flood(Row):
    """Members of a bridge domain (ids of next hops), 64 in a chunk; a short chunk is the last."""

    bd: U32
    chunk: U32
    n: U32
    member: U32x64


def flood(bd: int, members: Iterable[int]) -> Iterator[Flood]:
    """The rows that flood a bridge domain to these next hops.

    Raises ValueError when there are more than the datapath copies a frame to.
    """
    ids = sorted(members)
    if len(ids) > FLOOD_MEMBERS * FLOOD_CHUNKS:
        raise ValueError(f"bridge domain {bd} has {len(ids)} members")
    for start in range(0, len(ids), FLOOD_MEMBERS):
        part = ids[start : start + FLOOD_MEMBERS]
        padded = tuple(part) + (0,) * (FLOOD_MEMBERS - len(part))
        yield Flood(bd=bd, chunk=start // FLOOD_MEMBERS, n=len(part), member=padded)


@row("vni", key=1)
@dataclass(frozen=True, slots=True, kw_only=True)
class Vni(Row):
    """The VRF and bridge domain of a VNI that arrives by tunnel."""

    vni: U32
    vrf: U32
    bd: U32
    flags: U32 = 0
