"""Pod interfaces in the kernel: plug, attach, retire, reap, list.

Plugging is serialized by its caller (one worker): threads do not make the kernel faster here.
"""

from __future__ import annotations

import errno
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from typing import Self

from cn2.drivers import netns
from cn2.drivers.netlink import address, link, tc
from cn2.drivers.netlink.connection import Netlink, NetlinkError
from cn2.drivers.netlink.link import Link, VethEnd
from cn2.drivers.netlink.wire import Message
from cn2.state.next_hop import PROXY_MAC
from cn2.state.port import Port

RETIRED_GROUP = 0x636E32
"""Links of this group belong to nobody any more; `reap` deletes them."""
FILTER_NAME = "cn2_pod_in"
_RULE_PRIORITY = 10_000
_LOOPBACK = 1
_TRIES = 256


@dataclass(frozen=True, slots=True)
class Plugged:
    """Indexes of a pair: `host` on the node, `peer` inside the pod."""

    host: int
    peer: int


class Ports:
    """The pod interfaces of the namespace in which this is made (the node's)."""

    def __init__(self) -> None:
        self._netlink = Netlink()
        highest = max(found.index for found in link.links(self._netlink))
        self._pairs = count(highest + 1, 2)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the socket; all ports stay."""
        self._netlink.close()

    def create(self, port: Port, namespace: int) -> Plugged:
        """Make the pair, peer inside the pod's namespace (a descriptor), host side up.

        The host side carries no address and the node's stack never hears it: nothing passes until
        a program is attached and the interface's rows are written. Raises NetlinkError (EEXIST
        when a name is taken on either side); then nothing is left behind.
        """
        plugged = self._create_pair(port, namespace)
        try:
            self._netlink.request(*link.quiet_up(plugged.host, port.alias))
        except NetlinkError:
            self._netlink.request(link.delete(plugged.host))
            raise
        return plugged

    def configure(self, port: Port, plugged: Plugged, namespace: int) -> None:
        """Inside the pod: loopback and the interface up, addresses, routes, source rules."""
        self.configure_pod([(port, plugged)], namespace)

    def configure_pod(self, ports: Sequence[tuple[Port, Plugged]], namespace: int) -> None:
        """As `configure`, for all interfaces of a pod in one visit to its namespace."""
        with netns.entered(namespace), Netlink() as inside:
            for port, plugged in ports:
                _quiet_ipv6(port.name)
                inside.request(*inside_pod(port, plugged.peer))

    def attach(self, host: int, program: int) -> None:
        """Run a program on what the pod sends; replaces the one there without losing a packet."""
        self._netlink.request(*tc.attach(host, program, FILTER_NAME))

    def retire(self, host: int) -> None:
        """Down, name given free, left to `reap`. One that is gone is fine."""
        self._netlink.request(*link.retire(host, f"gone{host:x}", RETIRED_GROUP))

    def reap(self) -> None:
        """Delete all retired links at once (one alone takes 20 ms, in a batch under 1 ms each)."""
        self._netlink.request(link.delete_group(RETIRED_GROUP))

    def list(self) -> list[Link]:
        """The host sides that are in use, for adoption: all veths here that are not retired."""
        found = link.links(self._netlink)
        return [each for each in found if each.kind == "veth" and each.group != RETIRED_GROUP]

    def program_id(self, host: int) -> int:
        """The id of the program attached to a host side, 0 when there is none."""
        for found in tc.filters(self._netlink, host):
            if found.name == FILTER_NAME:
                return found.program_id
        return 0

    def _create_pair(self, port: Port, namespace: int) -> Plugged:
        """The next pair of indexes that is free on both sides."""
        for peer in islice(self._pairs, _TRIES):
            host_end = VethEnd(name=port.host_name, mac=PROXY_MAC, index=peer + 1)
            peer_end = VethEnd(name=port.name, mac=port.mac, index=peer)
            ends = link.create_veth(host_end, peer_end, netns=namespace, mtu=port.mtu)
            try:
                self._netlink.request(ends)
            except NetlinkError as error:
                # EBUSY: the index is taken in the pod. EEXIST: an index here or a name.
                if error.errno != errno.EBUSY and not self._is_taken(peer + 1):
                    raise
            else:
                return Plugged(host=peer + 1, peer=peer)
        raise NetlinkError(errno.EBUSY, f"create veth {port.host_name}: no free index")

    def _is_taken(self, index: int) -> bool:
        return any(found.index == index for found in link.links(self._netlink))


def inside_pod(port: Port, index: int) -> list[Message]:
    """The messages that configure a pod's interface, sent inside the pod's namespace."""
    batch = [link.up(_LOOPBACK), link.up(index)]
    batch += [address.add_address(index, each) for each in port.addresses]
    gateways = {gateway.version: gateway for gateway in port.gateways}
    if port.primary:
        return batch + [address.add_default_route(index, each) for each in gateways.values()]
    for each in port.addresses:
        if port.table and each.version in gateways:
            gateway = gateways[each.version]
            batch.append(address.add_link_route(index, each, port.table))
            batch.append(address.add_default_route(index, gateway, port.table))
            batch.append(address.add_source_rule(each.ip, port.table, _RULE_PRIORITY + port.table))
    return batch


def _quiet_ipv6(name: str) -> None:
    """No duplicate detection (it delays addresses), no router advertisements taken in."""
    folder = Path("/proc/sys/net/ipv6/conf", name)
    with suppress(FileNotFoundError):  # a kernel without IPv6
        for setting in ("accept_dad", "accept_ra", "dad_transmits"):
            (folder / setting).write_text("0")
