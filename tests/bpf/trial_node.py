"""The datapath's program given packets made by scapy; nothing is attached, nothing is sent.

Four interfaces: 0 and 1 in network blue (l2_l3), 2 in red with the addresses of 0, 3 in plain
(routed only). Gateways are .1 and ::1 of each.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import warnings
from dataclasses import dataclass, replace
from ipaddress import ip_address
from pathlib import Path

import cn2
from cn2.drivers import netns
from cn2.drivers.bpf.counters import Counters
from cn2.drivers.bpf.events import Events
from cn2.drivers.bpf.loader import Loaded, pin_directory
from cn2.drivers.bpf.maps import Maps
from cn2.drivers.bpf.syscall import Trial, trial_run
from cn2.drivers.mounts import mount_bpffs
from cn2.drivers.ports import Ports
from cn2.state.bridge import Fdb, flood
from cn2.state.next_hop import DISCARD, RECEIVE, NextHop
from cn2.state.port import Port
from cn2.state.route import Host
from cn2.state.row import Row
from cn2.state.settings import Settings
from cn2.state.table import Put
from cn2.state.verdict import Verdict
from cn2.state.vif import Vif, VifFlag

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from scapy.compat import raw
    from scapy.layers.l2 import Ether
    from scapy.packet import Packet

_libc = ctypes.CDLL(None, use_errno=True)

SHOT, STOLEN, REDIRECT = 2, 4, 7
BLUE, RED, PLAIN = 1, 2, 3
UNLIMITED = Settings(event_rate=1_000_000)
ROUTED = VifFlag.L3 | VifFlag.RPF
BOTH = ROUTED | VifFlag.L2


@dataclass(frozen=True)
class Interface:
    """One interface of the node."""

    ifindex: int
    vif: Vif
    hop: NextHop

    @property
    def mac(self) -> str:
        return self.vif.mac.hex(":")


@dataclass(frozen=True)
class Result:
    """What became of one packet."""

    action: int
    verdict: Verdict
    packet: Packet


class TrialNode:
    """Rows in real maps, and the real program."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._paths = [directory / "node", directory / "pods"]
        for path in self._paths:
            netns.create(path)
        self._node, self._pods = map(netns.open_path, self._paths)
        mount_bpffs(directory / "bpf")
        self.pins = pin_directory(directory / "bpf")
        self.loaded = Loaded(Path(cn2.__file__).parent / "native" / "vr.o", self.pins)
        self.maps = Maps(self.pins)
        self.counters = Counters(self.pins)
        self.events = Events(self.pins)
        self.put(UNLIMITED, RECEIVE, DISCARD)
        self.interfaces = [
            self._interface(0, BLUE, "10.7.0.2", "fd07::2", BOTH),
            self._interface(1, BLUE, "10.7.0.3", "fd07::3", BOTH),
            self._interface(2, RED, "10.7.0.2", "fd07::2", BOTH),
            self._interface(3, PLAIN, "10.244.0.2", "fd24::2", ROUTED),
        ]

    def close(self) -> None:
        for part in (self.events, self.counters, self.maps, self.loaded):
            part.close()
        for descriptor, path in zip((self._node, self._pods), self._paths, strict=True):
            os.close(descriptor)
            netns.delete(path)
        _libc.umount2(os.fsencode(self._directory / "bpf"), 2)
        shutil.rmtree(self._directory)

    def put(self, *rows: Row) -> None:
        self.maps.apply([Put(row) for row in rows])

    def set_flags(self, number: int, flags: VifFlag) -> None:
        self.put(replace(self.interfaces[number].vif, flags=flags))

    def send(self, number: int, packet: Packet | bytes) -> Result:
        """What the program makes of a packet that comes in on an interface."""
        before = self.counters.read()
        trial = self.trial(number, packet)
        after = self.counters.read()
        moved = [each for each in Verdict if after[each] != before[each]]
        assert len(moved) == 1, f"one verdict for one packet, not {moved}"
        return Result(trial.action, moved[0], Ether(trial.packet))

    def trial(self, number: int, packet: Packet | bytes, repeat: int = 1) -> Trial:
        program = self.loaded.program("pod_in")
        with netns.entered(self._node):
            ifindex = self.interfaces[number].ifindex
            return trial_run(program, raw(packet), ifindex, repeat=repeat)

    def _interface(self, number: int, vrf: int, ip4: str, ip6: str, flags: VifFlag) -> Interface:
        mac = bytes([2, 0, 0, 0, vrf, number])
        with netns.entered(self._node), Ports() as ports:
            port = Port(host_name=f"h{number}", name=f"p{number}", mac=mac, mtu=1500, addresses=())
            ifindex = ports.create(port, self._pods).host
        own4, own6 = ip_address(ip4), ip_address(ip6)
        gw4, gw6 = _first(ip4, "."), _first(ip6, "::")
        vif = Vif(
            ifindex=ifindex,
            vrf=vrf,
            bd=vrf if flags & VifFlag.L2 else 0,
            flags=flags,
            ip4=own4.packed,
            gw4=ip_address(gw4).packed,
            ip6=own6.packed,
            gw6=ip_address(gw6).packed,
            mac=mac,
        )
        hop = NextHop.local(ifindex, vrf, mac)
        self.put(hop, vif, *(Host.of(vrf, each, hop.id) for each in (own4, own6)))
        self.put(*(Host.of(vrf, ip_address(each), RECEIVE.id) for each in (gw4, gw6)))
        self.put(Fdb(bd=vrf, mac=mac, nh=hop.id), *flood(vrf, [hop.id]))
        return Interface(ifindex, vif, hop)


def _first(address: str, separator: str) -> str:
    return address.rsplit(separator, 1)[0] + separator + "1"
