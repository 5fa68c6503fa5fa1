"""A node in a namespace with the datapath alone: rows are written by hand, no agent."""

from __future__ import annotations

import ctypes
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Interface, IPv6Interface, ip_interface
from pathlib import Path

import cn2
from cn2.drivers import netns
from cn2.drivers.bpf.counters import Counters
from cn2.drivers.bpf.loader import Loaded, pin_directory
from cn2.drivers.bpf.maps import Maps
from cn2.drivers.mounts import mount_bpffs
from cn2.drivers.ports import Plugged, Ports
from cn2.state.bridge import Fdb, flood
from cn2.state.next_hop import RECEIVE, NextHop
from cn2.state.port import Port
from cn2.state.route import Host
from cn2.state.row import Row
from cn2.state.settings import Settings
from cn2.state.table import Tables
from cn2.state.verdict import Verdict
from cn2.state.vif import Vif, VifFlag

OBJECT = Path(cn2.__file__).parent / "native" / "vr.o"
L2_L3 = VifFlag.L2 | VifFlag.L3 | VifFlag.RPF
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass
class Pod:
    """One pod with one interface, eth0."""

    name: str
    path: Path
    namespace: int
    mac: bytes
    vrf: int
    plugged: Plugged
    rows: list[Row]

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command inside."""
        enter = ["nsenter", f"--net={self.path}", *command]
        return subprocess.run(enter, capture_output=True, text=True, check=False)

    def pings(self, address: str, *options: str) -> bool:
        """Whether one echo is answered within a second."""
        return self.run("ping", "-c1", "-W1", *options, address).returncode == 0

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Run the block's calls in the pod, on this thread; sockets made there stay there."""
        with netns.entered(self.namespace):
            yield

    def packet_socket(self) -> socket.socket:
        """A raw socket on eth0 that hears and sends whole frames; it never blocks."""
        with self.inside():
            made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
            made.bind(("eth0", 0))
        made.setblocking(False)
        return made


class Node:
    """The datapath of one node, and pods on it. `close` removes everything."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.pods: list[Pod] = []
        self.tables = Tables()
        self._path = directory / "node"
        netns.create(self._path)
        self.namespace = netns.open_path(self._path)
        self._bpf = directory / "bpf"
        mount_bpffs(self._bpf)
        self.pins = pin_directory(self._bpf / "node")
        self.loaded = Loaded(OBJECT, self.pins)
        self.maps = Maps(self.pins)
        self.counters = Counters(self.pins)
        with netns.entered(self.namespace):
            self.ports = Ports()
        self.want(Settings(), RECEIVE)

    def close(self) -> None:
        for part in (self.ports, self.counters, self.maps, self.loaded):
            part.close()
        for pod in self.pods:
            os.close(pod.namespace)
            netns.delete(pod.path)
        os.close(self.namespace)
        netns.delete(self._path)
        _libc.umount2(os.fsencode(self._bpf), 2)
        shutil.rmtree(self.directory)

    def want(self, *rows: Row) -> None:
        """Have these rows, too."""
        self.tables.want(*rows)
        self.apply()

    def unwant(self, *rows: Row) -> None:
        """Have these rows no more."""
        self.tables.unwant(*rows)
        self.apply()

    def apply(self) -> None:
        changes = self.tables.pending()
        self.maps.apply(changes)
        self.tables.done(changes)

    def add_pod(self, name: str, vrf: int, *cidrs: str, flags: VifFlag = L2_L3) -> Pod:
        """A plugged pod in network `vrf`, whose gateways are the first addresses of the cidrs."""
        path = self.directory / name
        netns.create(path)
        namespace = netns.open_path(path)
        mac = bytes([2, 0, 0, 0, vrf, len(self.pods)])
        addresses = tuple(ip_interface(cidr) for cidr in cidrs)
        gateways = tuple(each.network[1] for each in addresses)
        port = Port(
            host_name=f"h{len(self.pods)}",
            name="eth0",
            mac=mac,
            mtu=1500,
            addresses=addresses,
            gateways=gateways,
            primary=True,
            alias=f"{name}/eth0",
        )
        plugged = self.ports.create(port, namespace)
        rows = list(_rows(plugged.host, vrf, mac, addresses, flags))
        pod = Pod(name, path, namespace, mac, vrf, plugged, rows)
        self.pods.append(pod)
        members = (p.plugged.host for p in self.pods if p.vrf == vrf)
        self.want(*rows, *flood(vrf, (NextHop.local(i, vrf, mac).id for i in members)))
        self.want(*(Host.of(vrf, gateway, RECEIVE.id) for gateway in gateways))
        self.ports.attach(plugged.host, self.loaded.program("pod_in"))
        self.ports.configure(port, plugged, namespace)
        return pod

    def count(self, verdict: Verdict) -> int:
        """Packets that met this end so far."""
        return self.counters.read()[verdict].packets


def _rows(
    host: int,
    vrf: int,
    mac: bytes,
    addresses: tuple[IPv4Interface | IPv6Interface, ...],
    flags: VifFlag,
) -> Iterator[Row]:
    hop = NextHop.local(host, vrf, mac)
    own = {each.version: each for each in addresses}
    packed = {v: own[v].ip.packed if v in own else bytes(n) for v, n in ((4, 4), (6, 16))}
    gateway = {v: own[v].network[1].packed if v in own else bytes(n) for v, n in ((4, 4), (6, 16))}
    yield hop
    yield from (Host.of(vrf, each.ip, hop.id) for each in addresses)
    yield Fdb(bd=vrf, mac=mac, nh=hop.id)
    yield Vif(
        ifindex=host,
        vrf=vrf,
        bd=vrf,
        flags=flags,
        ip4=packed[4],
        gw4=gateway[4],
        ip6=packed[6],
        gw6=gateway[6],
        mac=mac,
    )


def tcp_echo(client: Pod, server: Pod, address: str, size: int) -> bytes:
    """What comes back when `client` sends `size` bytes to an echo server in `server`."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with server.inside():
        listener = socket.create_server((address, 0), family=family)
    with client.inside():
        caller = socket.socket(family, socket.SOCK_STREAM)
    with listener, caller:
        listener.settimeout(10)
        caller.settimeout(10)
        thread = threading.Thread(target=_echo, args=(listener, size))
        thread.start()
        caller.connect(listener.getsockname()[:2])
        sender = threading.Thread(target=caller.sendall, args=(bytes(size),))
        sender.start()
        got = _receive(caller, size)
        sender.join()
        thread.join()
    return got


def _echo(listener: socket.socket, size: int) -> None:
    peer, _ = listener.accept()
    with peer:
        peer.settimeout(10)
        peer.sendall(_receive(peer, size))


def _receive(peer: socket.socket, size: int) -> bytes:
    got = bytearray()
    while len(got) < size and (part := peer.recv(1 << 16)):
        got += part
    return bytes(got)


def frames(listening: socket.socket) -> list[bytes]:
    """All frames that came in on a packet socket's interface since the last call."""
    found = []
    while True:
        try:
            frame, sender = listening.recvfrom(1 << 16)
        except BlockingIOError:
            return found
        if sender[2] != socket.PACKET_OUTGOING:
            found.append(frame)
