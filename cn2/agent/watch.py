"""What a node watches: the interfaces and addresses that carry its name, and the networks.

The agent sees nothing of other nodes' pods.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence

from cn2.agent.ports import Ports
from cn2.api.kind import Object
from cn2.api.kinds import INSTANCE_IP, SUBNET, VIRTUAL_MACHINE_INTERFACE, VIRTUAL_NETWORK
from cn2.client.http import Client
from cn2.client.informer import Informer
from cn2.plan.cluster.system import VIRTUAL_ROUTER_LABEL
from cn2.plan.node import objects
from cn2.plan.node.rows import RowKey
from cn2.plan.node.snapshot import Key, Snapshot
from cn2.plan.node.stopping import SILENT

_POD = "pod"
_INTERFACE = "interface"


class _ByIndex:
    """An index of an informer as a `Lookup`."""

    def __init__(self, informer: Informer, index: str) -> None:
        self._informer = informer
        self._index = index

    def get(self, key: Key, default: Sequence[Object], /) -> Sequence[Object]:
        return self._informer.by_index(self._index, "/".join(key)) or default


class Watch:
    """The informers of a node, as a snapshot and as keys of rows that may have changed."""

    def __init__(self, client: Client, node: str, node_ip: str, ports: Ports) -> None:
        mine = f"{VIRTUAL_ROUTER_LABEL}={node}"
        self._node_ip = node_ip
        self._ports = ports
        self._vmis = Informer(
            client, VIRTUAL_MACHINE_INTERFACE, label_selector=mine, indexes={_POD: _pod}
        )
        self._iips = Informer(
            client, INSTANCE_IP, label_selector=mine, indexes={_INTERFACE: _interfaces}
        )
        self._networks = Informer(client, VIRTUAL_NETWORK)
        self._subnets = Informer(client, SUBNET)
        self._by_pod = _ByIndex(self._vmis, _POD)
        self._by_interface = _ByIndex(self._iips, _INTERFACE)

    def snapshot(self) -> Snapshot:
        """Live views: to be read at once, on the event loop."""
        return Snapshot(
            node_ip=self._node_ip,
            interfaces=self._vmis.objects,
            networks=self._networks.objects,
            subnets=self._subnets.objects,
            interfaces_of_pod=self._by_pod,
            addresses_of_interface=self._by_interface,
            ports=self._ports.all,
            ports_of_network=self._ports.by_network,
        )

    def missing(self) -> str:
        """Which kinds were never listed whole yet, "" for none."""
        return ", ".join(
            f"{one.kind.plural} ({one.problem})" for one in self._all() if not one.synced.is_set()
        )

    def on_change(self, changed: Callable[[Iterable[RowKey]], None]) -> None:
        """Calls `changed` with the keys of the rows that a change may concern."""
        self._vmis.on_change(lambda old, new: changed(self._of_interface(old, new)))
        self._iips.on_change(lambda old, new: changed(self._of_address(old, new)))
        self._networks.on_change(lambda old, new: changed(self._of_network(old, new)))
        self._subnets.on_change(lambda old, new: changed(self._of_subnet(old, new)))

    async def synced(self) -> None:
        """Returns when every kind was listed whole."""
        for informer in self._all():
            await informer.synced.wait()

    async def run(self) -> None:
        """Keeps the copies true until cancelled."""
        async with asyncio.TaskGroup() as group:
            for informer in self._all():
                group.create_task(informer.run(), name=f"informer {informer.kind.plural}")

    def _all(self) -> tuple[Informer, ...]:
        return self._vmis, self._iips, self._networks, self._subnets

    def _of_interface(self, old: Object | None, new: Object | None) -> list[RowKey]:
        return self._of_port(objects.key(new or old or {}))

    def _of_port(self, vmi: Key) -> list[RowKey]:
        found: list[RowKey] = []
        for ifindex in self._ports.of_interface(vmi):
            found += [ifindex, self._ports.all[ifindex].attachment.network.key]
        return found

    def _of_address(self, old: Object | None, new: Object | None) -> list[RowKey]:
        states = {objects.state(one) for one in (old, new) if one}
        if len(states) < 2 or states.isdisjoint(SILENT):
            return []
        vmis = objects.interfaces_of(new or {})
        return [key for vmi in vmis for key in self._of_port(vmi)]

    def _of_network(self, old: Object | None, new: Object | None) -> list[RowKey]:
        network = objects.key(new or old or {})
        ports = self._ports.by_network.get(network, ())
        return [network, *ports] if ports else []

    def _of_subnet(self, old: Object | None, new: Object | None) -> list[RowKey]:
        if old and new and old["spec"] == new["spec"]:
            return []  # its usage changes with every pod
        subnet = objects.key(new or old or {})
        found: list[RowKey] = []
        for network, ports in self._ports.by_network.items():
            vn = self._networks.objects.get(network)
            if vn and subnet in objects.subnets_of(vn).values():
                found += [network, *ports]
        return found


def _pod(vmi: Object) -> Iterable[str]:
    return ("/".join(objects.pod_of(vmi)),)


def _interfaces(iip: Object) -> Iterable[str]:
    return ("/".join(key) for key in objects.interfaces_of(iip))
