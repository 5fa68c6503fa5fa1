"""Links: veth pairs with the peer born in a pod's namespace, states, groups, dumps."""

from __future__ import annotations

import struct
import sys
from dataclasses import dataclass

from cn2.drivers.netlink.connection import Netlink
from cn2.drivers.netlink.wire import (
    NLM_F_CREATE,
    NLM_F_DUMP,
    NLM_F_EXCL,
    Message,
    attr,
    attributes,
    nested,
    text,
    u8,
    u32,
)

_NEWLINK, _DELLINK, _GETLINK, _SETLINK = 16, 17, 18, 19
_INFO = struct.Struct("=BxHiII")
_IFF_UP, _IFF_NOARP = 0x1, 0x80
_ADDRESS, _IFNAME, _MTU, _LINK, _TXQLEN, _LINKINFO = 1, 3, 4, 5, 13, 18
_IFALIAS, _AF_SPEC, _GROUP, _NET_NS_FD = 20, 26, 27, 28
_INFO_KIND, _INFO_DATA, _VETH_INFO_PEER = 1, 2, 1
_AF_INET6, _INET6_ADDR_GEN_MODE, _ADDR_GEN_NONE = 10, 8, 1


@dataclass(frozen=True, slots=True)
class Link:
    """What a dump says of a link. `peer` is the other end's index in its own namespace."""

    index: int
    name: str
    kind: str
    group: int
    up: bool
    alias: str
    peer: int
    mac: bytes
    mtu: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VethEnd:
    """One end of a new pair; `index` 0 lets the kernel choose."""

    name: str
    mac: bytes
    index: int = 0


def create_veth(host: VethEnd, peer: VethEnd, *, netns: int, mtu: int) -> Message:
    """Make a pair with one end here and the other in the namespace of descriptor `netns`."""
    peer_info = (
        _INFO.pack(0, 0, peer.index, 0, 0)
        + text(_IFNAME, peer.name)
        + attr(_ADDRESS, peer.mac)
        + u32(_MTU, mtu)
        + u32(_TXQLEN, 0)
        + u32(_NET_NS_FD, netns)
    )
    body = (
        _INFO.pack(0, 0, host.index, 0, 0)
        + text(_IFNAME, host.name)
        + attr(_ADDRESS, host.mac)
        + u32(_MTU, mtu)
        + u32(_TXQLEN, 0)
        + nested(
            _LINKINFO,
            text(_INFO_KIND, "veth"),
            nested(_INFO_DATA, attr(_VETH_INFO_PEER, peer_info)),
        )
    )
    return Message(f"create veth {host.name}", _NEWLINK, body, NLM_F_CREATE | NLM_F_EXCL)


def create(name: str, kind: str) -> Message:
    """Make a link with all that its kind does by itself (a veth gets a peer of the kernel's)."""
    info = nested(_LINKINFO, text(_INFO_KIND, kind))
    body = _INFO.pack(0, 0, 0, 0, 0) + text(_IFNAME, name) + info
    return Message(f"create {kind} {name}", _NEWLINK, body, NLM_F_CREATE | NLM_F_EXCL)


def quiet_up(index: int, alias: str) -> list[Message]:
    """Bring a host side up that the node's own stack never talks through.

    No IPv6 address is generated, ARP is off; the alias lets the next agent know the link again.
    """
    spec = nested(_AF_SPEC, nested(_AF_INET6, u8(_INET6_ADDR_GEN_MODE, _ADDR_GEN_NONE)))
    named = attr(_IFALIAS, alias.encode()) if alias else b""
    flags = _IFF_UP | _IFF_NOARP
    return [
        Message("quiet link", _SETLINK, _INFO.pack(0, 0, index, 0, 0) + spec + named),
        Message("link up", _SETLINK, _INFO.pack(0, 0, index, flags, flags)),
    ]


def up(index: int) -> Message:
    """Set a link up."""
    return Message("link up", _SETLINK, _INFO.pack(0, 0, index, _IFF_UP, _IFF_UP))


def retire(index: int, name: str, group: int) -> list[Message]:
    """Set a link down, give its name free and put it into the group that is reaped.

    A link that is gone already is fine.
    """
    gone = (19,)  # ENODEV
    body = _INFO.pack(0, 0, index, 0, 0) + text(_IFNAME, name) + u32(_GROUP, group)
    return [
        Message("link down", _SETLINK, _INFO.pack(0, 0, index, 0, _IFF_UP), allow=gone),
        Message("retire link", _SETLINK, body, allow=gone),
    ]


def delete_group(group: int) -> Message:
    """Delete all links of a group at once; an empty group is fine."""
    body = _INFO.pack(0, 0, 0, 0, 0) + u32(_GROUP, group)
    return Message(f"delete group {group}", _DELLINK, body, allow=(19,))


def delete(index: int) -> Message:
    """Delete one link; one that is gone already is fine."""
    return Message("delete link", _DELLINK, _INFO.pack(0, 0, index, 0, 0), allow=(19,))


def links(netlink: Netlink) -> list[Link]:
    """All links of the namespace."""
    ask = Message("list links", _GETLINK, _INFO.pack(0, 0, 0, 0, 0), NLM_F_DUMP)
    return [_link(body) for kind, body in netlink.dump(ask) if kind == _NEWLINK]


def _link(body: bytes) -> Link:
    _, _, index, flags, _ = _INFO.unpack_from(body)
    found = attributes(body[_INFO.size :])
    info = attributes(found.get(_LINKINFO, b""))
    return Link(
        index=index,
        name=_string(found.get(_IFNAME, b"")),
        kind=_string(info.get(_INFO_KIND, b"")),
        group=_number(found.get(_GROUP)),
        up=bool(flags & _IFF_UP),
        alias=_string(found.get(_IFALIAS, b"")),
        peer=_number(found.get(_LINK)),
        mac=found.get(_ADDRESS, b""),
        mtu=_number(found.get(_MTU)),
    )


def _string(data: bytes) -> str:
    return data.rstrip(b"\0").decode()


def _number(data: bytes | None) -> int:
    return int.from_bytes(data, sys.byteorder) if data else 0
