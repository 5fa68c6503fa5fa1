"""BPF programs on the ingress of links: a clsact qdisc and one direct-action filter.

Not tcx: attaching one waits for a grace period under the kernel's big network lock (16 ms against
0.08 ms); a filter also survives the process that made it without being pinned.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from cn2.drivers.netlink.connection import Netlink
from cn2.drivers.netlink.wire import (
    NLM_F_CREATE,
    NLM_F_DUMP,
    NLM_F_EXCL,
    Message,
    attributes,
    nested,
    text,
    u32,
)

_NEWQDISC, _NEWTFILTER, _GETTFILTER = 36, 44, 46
_INFO = struct.Struct("=BxxxiIII")
_CLSACT, _CLSACT_HANDLE, _INGRESS = 0xFFFFFFF1, 0xFFFF0000, 0xFFFFFFF2
_KIND, _OPTIONS = 1, 2
_BPF_FD, _BPF_NAME, _BPF_FLAGS, _BPF_ID, _DIRECT_ACTION = 6, 7, 8, 11, 1
_PRIORITY, _HANDLE, _ETH_P_ALL = 1, 1, 0x0003
_EEXIST = 17


@dataclass(frozen=True, slots=True)
class Filter:
    """A BPF filter on the ingress of a link."""

    ifindex: int
    name: str
    program_id: int


def attach(ifindex: int, program: int, name: str) -> list[Message]:
    """Run the program of descriptor `program` on all that comes in; replaces without a gap."""
    info = (_PRIORITY << 16) | struct.unpack("=H", struct.pack("!H", _ETH_P_ALL))[0]
    options = nested(
        _OPTIONS,
        u32(_BPF_FD, program),
        text(_BPF_NAME, name),
        u32(_BPF_FLAGS, _DIRECT_ACTION),
    )
    qdisc = _INFO.pack(0, ifindex, _CLSACT_HANDLE, _CLSACT, 0) + text(_KIND, "clsact")
    head = _INFO.pack(0, ifindex, _HANDLE, _INGRESS, info)
    return [
        Message("add clsact", _NEWQDISC, qdisc, NLM_F_CREATE | NLM_F_EXCL, (_EEXIST,)),
        Message("attach program", _NEWTFILTER, head + text(_KIND, "bpf") + options, NLM_F_CREATE),
    ]


def filters(netlink: Netlink, ifindex: int) -> list[Filter]:
    """The BPF filters on a link's ingress; a link that is gone has none."""
    body = _INFO.pack(0, ifindex, 0, _INGRESS, 0)
    ask = Message("list filters", _GETTFILTER, body, NLM_F_DUMP, allow=(19, 22))
    found = []
    for kind, answer in netlink.dump(ask):
        options = attributes(attributes(answer[_INFO.size :]).get(_OPTIONS, b""))
        if kind == _NEWTFILTER and _BPF_ID in options:
            name = options.get(_BPF_NAME, b"").rstrip(b"\0").decode()
            found.append(Filter(ifindex, name, struct.unpack("=I", options[_BPF_ID])[0]))
    return found
