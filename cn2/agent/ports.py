"""The ports that are plugged on this node, as the event loop knows them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from cn2.plan.node.attachment import Network, Plugged
from cn2.plan.node.snapshot import Key


class Ports:
    """Plugged ports by ifindex, by container and by network. Touched by the event loop only."""

    def __init__(self) -> None:
        self._by_ifindex: dict[int, Plugged] = {}
        self._by_container: defaultdict[str, list[int]] = defaultdict(list)
        self._by_network: defaultdict[Key, set[int]] = defaultdict(set)
        self._by_interface: defaultdict[Key, set[int]] = defaultdict(set)
        self._last_vrf = 0

    @property
    def all(self) -> Mapping[int, Plugged]:
        return self._by_ifindex

    @property
    def by_network(self) -> Mapping[Key, Collection[int]]:
        return self._by_network

    def containers(self) -> frozenset[str]:
        return frozenset(self._by_container)

    def of(self, container: str) -> tuple[Plugged, ...]:
        """The container's ports in the order of their index."""
        return tuple(self._by_ifindex[i] for i in self._by_container.get(container, ()))

    def of_interface(self, vmi: Key) -> list[int]:
        """Ports that were plugged for this VirtualMachineInterface."""
        return list(self._by_interface.get(vmi, ()))

    def numbered(self, ports: Sequence[Plugged]) -> tuple[Plugged, ...]:
        """The same ports with the numbers of their networks on this node.

        A network without ports here gets a number that none has had since the agent started, so
        that nothing which is left of another network can be taken for its own.
        """
        known: dict[Key, int] = {}
        for port in ports:
            key = port.attachment.network.key
            mates = self._by_network.get(key)
            if mates:
                known[key] = self._by_ifindex[next(iter(mates))].vrf
            elif key not in known:
                self._last_vrf += 1
                known[key] = self._last_vrf
        return tuple(
            msgspec.structs.replace(port, vrf=known[port.attachment.network.key]) for port in ports
        )

    def add(self, ports: Iterable[Plugged]) -> None:
        for port in ports:
            self._by_ifindex[port.ifindex] = port
            self._by_container[port.container].append(port.ifindex)
            self._by_network[port.attachment.network.key].add(port.ifindex)
            self._by_interface[port.attachment.vmi].add(port.ifindex)
            self._last_vrf = max(self._last_vrf, port.vrf)

    def remove(self, container: str) -> tuple[Plugged, ...]:
        """Forget a container's ports; returns them."""
        gone = self.of(container)
        for port in gone:
            del self._by_ifindex[port.ifindex]
            _drop(self._by_network, port.attachment.network.key, port.ifindex)
            _drop(self._by_interface, port.attachment.vmi, port.ifindex)
        self._by_container.pop(container, None)
        return gone

    def differing(self, network: Network) -> frozenset[str]:
        """Containers with a port on the network of that name that remember it otherwise."""
        ports = (self._by_ifindex[i] for i in self._by_network.get(network.key, ()))
        return frozenset(p.container for p in ports if p.attachment.network != network)


def _drop(index: dict[Key, set[int]], key: Key, ifindex: int) -> None:
    index[key].discard(ifindex)
    if not index[key]:
        del index[key]
