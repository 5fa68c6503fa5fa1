"""From `kubectl`'s side of the API: NAD written to VirtualNetwork Success, pod to Running."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable

from machine import Machine
from networks import network, pod

from bench.measure import Figure, spread
from cn2.api.kind import Kind, Object
from cn2.api.kinds import by_name
from cn2.client.http import Client
from cn2.client.informer import Informer

NETWORKS, PODS, AT_ONCE = 100, 40, 100
"""Pods: no more than 110 fit on a node, seven of which show the system itself."""
NAMESPACE = "default"


def _object(manifest: str) -> Object:
    found: Object = json.loads(manifest)
    found["metadata"]["namespace"] = NAMESPACE
    return found


class _Arrivals:
    """When each object of a kind came into a wanted state, seen through a watch."""

    def __init__(self, client: Client, kind: str, arrived: Callable[[Object], bool]) -> None:
        self.informer = Informer(client, by_name(kind), namespace=NAMESPACE)
        self._kind = by_name(kind)
        self._arrived = arrived
        self._waiting: dict[str, asyncio.Future[float]] = {}
        self._client = client
        self._none_left = asyncio.Event()
        self.informer.on_change(self._changed)

    def _changed(self, old: Object | None, new: Object | None) -> None:
        if not self.informer.objects:
            self._none_left.set()
        if new is not None and self._arrived(new):
            waiting = self._waiting.get(new["metadata"]["name"])
            if waiting is not None and not waiting.done():
                waiting.set_result(time.perf_counter())

    async def gone(self) -> float:
        """Delete every object of the kind; seconds until the last is gone."""
        self._none_left.clear()
        began = time.perf_counter()
        await asyncio.gather(
            *(
                self._client.delete(self._kind, name, namespace)
                for namespace, name in self.informer.objects
            )
        )
        await asyncio.wait_for(self._none_left.wait(), 60)
        return time.perf_counter() - began

    async def measure(self, name: str, kind: Kind, wanted: Object) -> float:
        """Seconds from the create to the arrival of the object called `name`."""
        waiting = self._waiting[name] = asyncio.get_running_loop().create_future()
        began = time.perf_counter()
        await self._client.create(kind, wanted)
        arrived: float = await asyncio.wait_for(waiting, 60)
        return arrived - began


def _running(found: Object) -> bool:
    return bool(found.get("status", {}).get("phase") == "Running")


def _success(found: Object) -> bool:
    return bool(found.get("status", {}).get("state") == "Success")


async def _measure(machine: Machine) -> list[Figure]:
    client = Client.from_kubeconfig(machine.data_dir / "kubeconfig", manager="bench")
    nads, pods = by_name("NetworkAttachmentDefinition"), by_name("Pod")
    networks = _Arrivals(client, "VirtualNetwork", _success)
    started = _Arrivals(client, "Pod", _running)
    tasks = [asyncio.create_task(x.informer.run()) for x in (networks, started)]
    for arrivals in (networks, started):
        await arrivals.informer.synced.wait()
    network_times = []
    for number in range(NETWORKS):
        manifest = _object(network(f"net-{number}", f"172.20.{number}.0/24"))
        network_times.append(await networks.measure(f"net-{number}", nads, manifest))
    figures = spread("NAD written to VirtualNetwork Success", network_times)
    for names in ((), ("net-0",)):
        times = []
        for number in range(PODS):
            name = f"pod-{len(names)}-{number}"
            manifest = _object(pod(name, *names))
            times.append(await started.measure(name, pods, manifest))
        word = "one interface" if not names else "two interfaces"
        figures += spread(f"pod created to Running, {word}", times)
        await started.gone()
    figures += await _at_once(started, pods)
    for task in tasks:
        task.cancel()
    await client.close()
    return figures


async def _at_once(started: _Arrivals, pods: Kind) -> list[Figure]:
    """All pods at the same moment, with two interfaces each."""
    wanted = [_object(pod(f"many-{number}", "net-0")) for number in range(AT_ONCE)]
    began = time.perf_counter()
    await asyncio.gather(*(started.measure(x["metadata"]["name"], pods, x) for x in wanted))
    running = time.perf_counter() - began
    gone = await started.gone()
    what = f"{AT_ONCE} pods at once, two interfaces"
    return [
        Figure(f"{what}, to Running", AT_ONCE / running, "/s"),
        Figure(f"{what}, deleted", AT_ONCE / gone, "/s"),
    ]


def run(machine: Machine) -> list[Figure]:
    return asyncio.run(_measure(machine))
