"""Everything of the agent that changes the node's kernel. Blocking, one call at a time.

The order of a plug is the order of its steps here: the pair is made, then the record is written,
then rows, then the program is attached and the pod's side configured. A crash before the record
leaves a link that carries no traffic and is retired at the next start; a crash after it leaves a
port that the next ADD finds faulty and makes anew.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Mapping, Sequence
from ipaddress import ip_address, ip_interface

from cn2.agent.faults import faults_inside
from cn2.agent.vrouter import VRouter
from cn2.drivers import netns
from cn2.drivers.netlink.connection import NetlinkError
from cn2.drivers.ports import Plugged as Pair
from cn2.drivers.ports import Ports as PortDriver
from cn2.net.mac import format_mac, parse_mac
from cn2.plan.node.attachment import Attachment, Plugged
from cn2.state.next_hop import PROXY_MAC
from cn2.state.port import Port
from cn2.state.row import Row
from cn2.state.table import Change

ALIAS = "cn2:"
"""Begins the alias of every host side; the container's id follows."""

TABLE_BASE = 100
"""Routing table of the interface with index 0; every further one has the next number."""


class Kernel:
    """Ports and rows of this node."""

    def __init__(self, vrouter: VRouter, mtu: int) -> None:
        self._vrouter = vrouter
        self._driver = PortDriver()
        self._mtu = mtu

    def close(self) -> None:
        """Let go of sockets and maps; ports and rows stay."""
        self._driver.close()
        self._vrouter.close()

    def drops(self) -> Mapping[str, int]:
        """Packets that the datapath dropped, by reason."""
        return self._vrouter.drops()

    def port_drops(self) -> Mapping[int, Mapping[str, int]]:
        """Packets dropped by the port that sent them, and the reason."""
        return self._vrouter.port_drops()

    def read(self) -> list[Row]:
        """All rows that the kernel has."""
        return self._vrouter.read()

    def apply(self, changes: Sequence[Change]) -> None:
        """Make these changes, in order."""
        self._vrouter.apply(changes)

    def create(
        self, container: str, namespace: str, wanted: Sequence[Attachment]
    ) -> tuple[Plugged, ...]:
        """Make the pairs of a pod, without addresses, rows or program; all or none."""
        made: list[Plugged] = []
        fd = netns.open_path(namespace)
        try:
            for one in wanted:
                pair, name = self._create(container, one, fd)
                made.append(
                    Plugged(
                        attachment=one,
                        container=container,
                        netns=namespace,
                        ifindex=pair.host,
                        peer=pair.peer,
                        host_name=name,
                        host_mac=format_mac(PROXY_MAC),
                    )
                )
        except OSError:
            self.retire(made)
            raise
        finally:
            os.close(fd)
        return tuple(made)

    def connect(self, ports: Sequence[Plugged]) -> None:
        """Attach the program to the host sides, then give the pod its addresses and routes."""
        for port in ports:
            self._driver.attach(port.ifindex, self._vrouter.program())
        inside = [
            (self._port(port.attachment, port.host_name, ""), Pair(port.ifindex, port.peer))
            for port in ports
        ]
        fd = netns.open_path(ports[0].netns)
        try:
            self._driver.configure_pod(inside, fd)
        finally:
            os.close(fd)

    def attach_again(self, ports: Iterable[Plugged]) -> None:
        """Replace the program of an earlier agent, without losing a packet.

        A link that went away with its namespace meanwhile is left to the sweep.
        """
        for port in ports:
            try:
                self._driver.attach(port.ifindex, self._vrouter.program())
            except NetlinkError as error:
                if error.errno not in (errno.ENODEV, errno.EINVAL):
                    raise

    def retire(self, ports: Iterable[Plugged]) -> None:
        """Take host sides down, give their names free and forget their counters."""
        for port in ports:
            self._driver.retire(port.ifindex)
            self._vrouter.forget(port.ifindex)

    def retire_strangers(self, known: frozenset[int]) -> list[str]:
        """Retire the links that were made for a plug which never came to its record."""
        strangers = [
            link
            for link in self._driver.list()
            if link.alias.startswith(ALIAS) and link.index not in known
        ]
        for link in strangers:
            self._driver.retire(link.index)
        return [link.name for link in strangers]

    def reap(self) -> None:
        """Delete all retired links at once."""
        self._driver.reap()

    def vanished(self, ports: Iterable[Plugged]) -> frozenset[str]:
        """Containers with a port whose pair is gone, as it goes with the pod's namespace."""
        alive = {link.index for link in self._driver.list()}
        return frozenset(port.container for port in ports if port.ifindex not in alive)

    def faults(self, ports: Sequence[Plugged]) -> list[str]:
        """What is not as it was plugged, on either side; [] when all is."""
        host = {link.index: link for link in self._driver.list()}
        found = []
        for port in ports:
            link = host.get(port.ifindex)
            if link is None or link.name != port.host_name or not link.up:
                found.append(f"host side {port.host_name} is missing or down")
            elif not self._driver.program_id(port.ifindex):
                found.append(f"host side {port.host_name} has no program")
        return found + faults_inside(ports)

    def _create(self, container: str, wanted: Attachment, namespace: int) -> tuple[Pair, str]:
        spec = self._port(wanted, wanted.host_name, ALIAS + container)
        try:
            return self._driver.create(spec, namespace), spec.host_name
        except NetlinkError as error:
            if error.errno != errno.EEXIST:
                raise
        # Either name is taken: by a link that waits for its deletion, or by another machine whose
        # uid begins alike.
        self._driver.reap()
        if any(link.name == spec.host_name for link in self._driver.list()):
            other = wanted.vm_uid.replace("-", "")[-6:]
            name = f"{spec.host_name.rpartition('-')[0]}-{other}"
            spec = self._port(wanted, name, ALIAS + container)
        return self._driver.create(spec, namespace), spec.host_name

    def _port(self, one: Attachment, host_name: str, alias: str) -> Port:
        return Port(
            host_name=host_name,
            name=one.name,
            mac=parse_mac(one.mac),
            mtu=self._mtu,
            addresses=tuple(ip_interface(address.with_prefix) for address in one.addresses),
            gateways=tuple(ip_address(each.gateway) for each in one.addresses if each.gateway),
            primary=one.index == 0,
            table=TABLE_BASE + one.index,
            alias=alias,
        )
