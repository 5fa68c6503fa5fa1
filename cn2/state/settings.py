"""What is true of the whole node."""

from __future__ import annotations

from dataclasses import dataclass

from cn2.state.row import U32, Ip, Mac, Row, row

LAYOUT_VERSION = 1
"""Changes whenever a key, a value or a size of a map does; part of the path of the pins."""


@row("cfg", key=1)
@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(Row):
    """The one entry of `cfg`. `event_rate` is events per second, reason and CPU; 0 is none."""

    index: U32 = 0
    layout: U32 = LAYOUT_VERSION
    event_rate: U32 = 10
    vxlan_ifindex: U32 = 0
    vtep: Ip = bytes(16)
    router_mac: Mac = bytes(6)
