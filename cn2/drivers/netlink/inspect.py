"""What links and addresses a namespace has."""

from __future__ import annotations

import struct
from ipaddress import ip_interface

from cn2.drivers.netlink.connection import Netlink
from cn2.drivers.netlink.wire import NLM_F_DUMP, Message, attributes

_NEWADDR, _GETADDR = 20, 22
_ADDRESS_INFO = struct.Struct("=BBBBI")
_IFA_ADDRESS = 1


def addresses(netlink: Netlink) -> dict[int, set[str]]:
    """Addresses of both families, as `IP/PREFIX`, by the index of their link."""
    ask = Message("list addresses", _GETADDR, _ADDRESS_INFO.pack(0, 0, 0, 0, 0), NLM_F_DUMP)
    found: dict[int, set[str]] = {}
    for kind, body in netlink.dump(ask):
        if kind != _NEWADDR:
            continue
        _, prefix, _, _, index = _ADDRESS_INFO.unpack_from(body)
        packed = attributes(body[_ADDRESS_INFO.size :]).get(_IFA_ADDRESS, b"")
        if packed:
            found.setdefault(index, set()).add(str(ip_interface((packed, prefix))))
    return found
