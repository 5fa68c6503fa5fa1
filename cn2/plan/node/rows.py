"""Plugged ports to datapath rows.

Three kinds of keys sum up to a node's rows: the node itself, each network that has ports here,
and each port (by the ifindex of its host side). A network without ports costs nothing.

What a port needs is in its record; objects only change it. So an object that is absent (it is
being healed, or the watch is behind) changes nothing, and an explicit status does. VRF and bridge
domain have the node's own number, given with a network's first port here: a VNI may be given to
another network while this node still has ports of the one that had it.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address, ip_network

from cn2.api.v1alpha1.virtual_machine_interface import POD_UID
from cn2.net.mac import parse_mac
from cn2.plan.node import objects
from cn2.plan.node.attachment import Network, Pair, Plugged
from cn2.plan.node.snapshot import Key, Snapshot
from cn2.plan.node.stopping import stopped
from cn2.state.bridge import Fdb, Vni, flood
from cn2.state.next_hop import DISCARD, LOCAL_BASE, RECEIVE, NextHop
from cn2.state.route import Host
from cn2.state.row import Row, pack_ip
from cn2.state.settings import Settings
from cn2.state.vif import AllowedAddress, Vif, VifFlag

RowKey = None | Key | int
"""None for the node, (namespace, name) of a network, ifindex of a port."""


def keys(snapshot: Snapshot) -> Iterator[RowKey]:
    """Every key that has rows."""
    yield None
    yield from (network for network, ports in snapshot.ports_of_network.items() if ports)
    yield from snapshot.ports


def plan(snapshot: Snapshot, key: RowKey) -> tuple[Row, ...]:
    """The rows of one key; none for a key that is gone."""
    if key is None:
        return _node(snapshot), DISCARD, RECEIVE
    if isinstance(key, int):
        port = snapshot.ports.get(key)
        return tuple(_port(snapshot, port)) if port else ()
    return tuple(_network(snapshot, key))


def plan_all(snapshot: Snapshot) -> list[Row]:
    """The rows of the whole node."""
    return [row for key in keys(snapshot) for row in plan(snapshot, key)]


def _node(snapshot: Snapshot) -> Settings:
    if not snapshot.node_ip:
        return Settings()
    vtep = ip_address(snapshot.node_ip)
    # Locally administered, and as unique as the tunnel end point is.
    return Settings(vtep=pack_ip(vtep), router_mac=b"\x02\x00" + vtep.packed[-4:])


def _network_of(snapshot: Snapshot, port: Plugged) -> Network:
    return snapshot.network(port.attachment.network.key) or port.attachment.network


def _network(snapshot: Snapshot, key: Key) -> Iterator[Row]:
    ports = [snapshot.ports[ifindex] for ifindex in snapshot.ports_of_network.get(key, ())]
    live = [port for port in ports if not stopped(snapshot, port)]
    if not live:
        return
    network = _network_of(snapshot, live[0])
    bridged = _bridged(network)
    vrf = live[0].vrf
    yield Vni(vni=network.vni, vrf=vrf, bd=vrf if bridged else 0)
    if _routed(network):
        for gateway in network.gateways:
            yield Host.of(vrf, ip_address(gateway), RECEIVE.id)
    if bridged:
        yield from flood(vrf, (LOCAL_BASE + port.ifindex for port in live))


def _port(snapshot: Snapshot, port: Plugged) -> Iterator[Row]:
    if stopped(snapshot, port):
        return  # what it sends is dropped as "no interface", what is sent to it as "no route"
    network = _network_of(snapshot, port)
    mac = parse_mac(port.attachment.mac)
    hop = NextHop.local(port.ifindex, port.vrf, mac)
    yield hop
    if _routed(network):
        for address in port.attachment.addresses:
            yield Host.of(port.vrf, ip_address(address.ip), hop.id)
    if _bridged(network):
        yield Fdb(bd=port.vrf, mac=mac, nh=hop.id)
    for pair in _pairs(snapshot, port):
        prefix = ip_network(f"{pair.ip}/{pair.prefix}", strict=False)
        any_mac = bytes(6)
        yield AllowedAddress.of(port.ifindex, prefix, parse_mac(pair.mac) if pair.mac else any_mac)
    yield _vif(port, network, mac)


def _vif(port: Plugged, network: Network, mac: bytes) -> Vif:
    ip, gateway = {4: bytes(4), 6: bytes(16)}, {4: bytes(4), 6: bytes(16)}
    for address in port.attachment.addresses:
        own = ip_address(address.ip)
        ip[own.version] = own.packed
        if address.gateway:
            gateway[own.version] = ip_address(address.gateway).packed
    return Vif(
        ifindex=port.ifindex,
        vrf=port.vrf,
        bd=port.vrf if _bridged(network) else 0,
        flags=_flags(network),
        ip4=ip[4],
        gw4=gateway[4],
        ip6=ip[6],
        gw6=gateway[6],
        mac=mac,
    )


def _pairs(snapshot: Snapshot, port: Plugged) -> tuple[Pair, ...]:
    vmi = snapshot.interfaces.get(port.attachment.vmi)
    if vmi is None or objects.annotation(vmi, POD_UID) != port.attachment.pod_uid:
        return port.attachment.pairs
    return objects.pairs(vmi)


def _routed(network: Network) -> bool:
    return network.mode != "l2"


def _bridged(network: Network) -> bool:
    return network.mode != "l3"


def _flags(network: Network) -> VifFlag:
    flags = VifFlag(0)
    if _routed(network):
        flags |= VifFlag.L3
    if _bridged(network):
        flags |= VifFlag.L2
    if network.rpf:
        flags |= VifFlag.RPF
    return flags
