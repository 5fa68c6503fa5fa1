"""A node without a kernel: what the agent's own logic is tested against."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from cn2.agent.changes import Changes
from cn2.agent.cni import Request
from cn2.agent.datapath import Datapath
from cn2.agent.kernel import Kernel
from cn2.agent.plugs import Plugs
from cn2.agent.ports import Ports
from cn2.agent.records import Records
from cn2.agent.service import CniService
from cn2.agent.worker import Worker
from cn2.plan.node.attachment import Attachment, Plugged
from cn2.plan.node.snapshot import Snapshot
from cn2.state.row import Key, Row
from cn2.state.table import Change, Put


class FakeKernel(Kernel):
    """Remembers links and rows; refuses what it is told to refuse."""

    def __init__(self) -> None:
        self.rows: dict[tuple[type[Row], Key], Row] = {}
        self.links: dict[int, str] = {}
        self.connected: set[int] = set()
        self.reaped = 0
        self.refuse: str = ""
        self._next = 10

    def close(self) -> None:
        pass

    def drops(self) -> Mapping[str, int]:
        return {}

    def port_drops(self) -> Mapping[int, Mapping[str, int]]:
        return {}

    def read(self) -> list[Row]:
        return list(self.rows.values())

    def apply(self, changes: Sequence[Change]) -> None:
        self._maybe_refuse("apply")
        for change in changes:
            identity = type(change.row), change.row.key
            if isinstance(change, Put):
                self.rows[identity] = change.row
            else:
                del self.rows[identity]

    def create(
        self, container: str, namespace: str, wanted: Sequence[Attachment]
    ) -> tuple[Plugged, ...]:
        self._maybe_refuse("create")
        made = []
        for one in wanted:
            self._next += 1
            self.links[self._next] = container
            made.append(Plugged(one, container, namespace, self._next, one.host_name))
        return tuple(made)

    def connect(self, ports: Sequence[Plugged]) -> None:
        self._maybe_refuse("connect")
        self.connected |= {port.ifindex for port in ports}

    def attach_again(self, ports: Iterable[Plugged]) -> None:
        self.connected |= {port.ifindex for port in ports}

    def retire(self, ports: Iterable[Plugged]) -> None:
        self._maybe_refuse("retire")
        for port in ports:
            self.links.pop(port.ifindex, None)

    def retire_strangers(self, known: frozenset[int]) -> list[str]:
        strangers = sorted(set(self.links) - known)
        for ifindex in strangers:
            del self.links[ifindex]
        return [str(ifindex) for ifindex in strangers]

    def reap(self) -> None:
        self.reaped += 1

    def vanished(self, ports: Iterable[Plugged]) -> frozenset[str]:
        return frozenset(port.container for port in ports if port.ifindex not in self.links)

    def faults(self, ports: Sequence[Plugged]) -> list[str]:
        return [f"{port.host_name} is gone" for port in ports if port.ifindex not in self.links]

    def _maybe_refuse(self, step: str) -> None:
        if self.refuse == step:
            raise OSError(12, f"no memory to {step}")


class FakeNode:
    """Everything between the CNI socket and the kernel, over objects that a test sets."""

    def __init__(self, directory: Path, kernel: FakeKernel | None = None) -> None:
        self.kernel = kernel or FakeKernel()
        self.netns = directory / "netns"
        self.netns.touch()
        self.missing = ""
        self.objects = Snapshot.of()
        self.ports = Ports()
        self.changes = Changes()
        self.worker = Worker()
        self.datapath = Datapath(self.snapshot)
        self.plugs = Plugs(
            kernel=self.kernel,
            records=Records(directory / "ports"),
            ports=self.ports,
            datapath=self.datapath,
            worker=self.worker,
            snapshot=self.snapshot,
            changed=self.changes.notify,
            reap_seconds=0.0,
        )
        self.service = self.serving(30.0)

    def serving(self, add_seconds: float) -> CniService:
        """A service whose ADD waits this long."""
        return CniService(
            self.plugs,
            self.snapshot,
            lambda: self.missing,
            self.changes,
            add_seconds=add_seconds,
            mtu=1500,
        )

    def snapshot(self) -> Snapshot:
        return Snapshot(
            interfaces=self.objects.interfaces,
            networks=self.objects.networks,
            subnets=self.objects.subnets,
            interfaces_of_pod=self.objects.interfaces_of_pod,
            addresses_of_interface=self.objects.addresses_of_interface,
            ports=self.ports.all,
            ports_of_network=self.ports.by_network,
        )

    def see(self, objects: Snapshot) -> None:
        """The watches have brought these objects."""
        self.objects = objects
        self.changes.notify()

    def request(
        self, command: str, pod: str = "p1", container: str = "", uid: str = "u1"
    ) -> Request:
        return Request(
            command=command,
            version="1.1.0",
            container=container or f"box-{pod}",
            netns=str(self.netns),
            interface="eth0",
            arguments={
                "K8S_POD_NAMESPACE": "default",
                "K8S_POD_NAME": pod,
                "K8S_POD_UID": uid,
            },
            config={"prevResult": {}},
        )


async def until(condition: Callable[[], bool]) -> None:
    """Give others their turn until the condition holds; the test's own limit ends a vain wait."""
    while not condition():  # noqa: ASYNC110
        await asyncio.sleep(0)
