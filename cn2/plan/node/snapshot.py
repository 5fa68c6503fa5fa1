"""What a node's plan is made from: objects of the API and the ports that are plugged here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from cn2.api.kind import Object
from cn2.plan.node import objects
from cn2.plan.node.attachment import Network, Plugged

Key = tuple[str, str]
"""(namespace, name) of an object."""


class Lookup(Protocol):
    """Objects by a key that is not their own."""

    def get(self, key: Key, default: Sequence[Object], /) -> Sequence[Object]: ...


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Objects by (namespace, name), and the indexes that the plans read.

    The mappings may be live views of informers: a plan reads them once and keeps nothing.
    """

    node_ip: str = ""
    """The tunnel end point of this node, "" for a node without an underlay."""
    interfaces: Mapping[Key, Object] = field(default_factory=dict)
    networks: Mapping[Key, Object] = field(default_factory=dict)
    subnets: Mapping[Key, Object] = field(default_factory=dict)
    interfaces_of_pod: Lookup = field(default_factory=dict[Key, Sequence[Object]])
    addresses_of_interface: Lookup = field(default_factory=dict[Key, Sequence[Object]])
    ports: Mapping[int, Plugged] = field(default_factory=dict)
    """By ifindex of the host's side."""
    ports_of_network: Mapping[Key, Collection[int]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        *,
        interfaces: Iterable[Object] = (),
        addresses: Iterable[Object] = (),
        networks: Iterable[Object] = (),
        subnets: Iterable[Object] = (),
        ports: Iterable[Plugged] = (),
    ) -> Snapshot:
        """A snapshot of these objects, with its indexes built."""
        by_pod: dict[Key, list[Object]] = defaultdict(list)
        by_interface: dict[Key, list[Object]] = defaultdict(list)
        by_network: dict[Key, list[int]] = defaultdict(list)
        interfaces, ports = list(interfaces), list(ports)
        for vmi in interfaces:
            by_pod[objects.pod_of(vmi)].append(vmi)
        for iip in addresses:
            for key in objects.interfaces_of(iip):
                by_interface[key].append(iip)
        for port in ports:
            by_network[port.attachment.network.key].append(port.ifindex)
        return cls(
            interfaces={objects.key(vmi): vmi for vmi in interfaces},
            networks={objects.key(vn): vn for vn in networks},
            subnets={objects.key(subnet): subnet for subnet in subnets},
            interfaces_of_pod=by_pod,
            addresses_of_interface=by_interface,
            ports={port.ifindex: port for port in ports},
            ports_of_network=by_network,
        )

    def network(self, key: Key) -> Network | None:
        """The network of that name as the API has it now, None while it is not usable."""
        vn = self.networks.get(key)
        if vn is None:
            return None
        return objects.network(vn, self.subnets)
