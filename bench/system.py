"""What benchmarks ask of a running system."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from machine import Machine

from bench.load import used_by
from bench.measure import Figure
from cn2.api.kind import Kind, Object
from cn2.api.kinds import by_name
from cn2.client.http import Client
from cn2.client.informer import Informer

NAMESPACE = "default"
PATIENCE = 120.0
"""Seconds after which what was waited for has failed."""

_REQUESTS = re.compile(
    r'apiserver_request_total\{code="\d+",resource="([^"]*)",verb="([^"]*)"\} (\S+)'
)


def manifest(text: str) -> Object:
    """An object of the benchmarks' namespace."""
    found: Object = json.loads(text)
    found["metadata"]["namespace"] = NAMESPACE
    return found


def status(machine: Machine) -> Any:
    shown = machine.cn2("status", "--data-dir", str(machine.data_dir), "-o", "json", check=False)
    return json.loads(shown.stdout)


def processes(machine: Machine) -> dict[str, int]:
    """Name -> process id."""
    return {one["name"]: one["pid"] for one in status(machine)["processes"]}


def supervisor(machine: Machine) -> int:
    """The process that all others descend from."""
    pid = next(iter(processes(machine).values()))
    with open(f"/proc/{pid}/stat") as file:
        return int(file.read().rpartition(")")[2].split()[1])


def client(machine: Machine) -> Client:
    return Client.from_kubeconfig(machine.data_dir / "kubeconfig", manager="bench")


async def requests(client: Client) -> Counter[str]:
    """How many requests the API server has answered, by verb and resource."""
    text = (await client.raw("GET", "/metrics", accept="*/*")).body.decode()
    found: Counter[str] = Counter()
    for resource, verb, count in _REQUESTS.findall(text):
        found[f"{verb} {resource}"] += int(float(count))
    return found


class Costs:
    """What the system's processes spend, from its making on."""

    def __init__(self, machine: Machine) -> None:
        self._processes = processes(machine)
        self._before = used_by(self._processes)

    def figures(self, what: str, count: int) -> list[Figure]:
        """Milliseconds of processor time for each of `count` things, and whose they are."""
        after = used_by(self._processes)
        spent = {name: (after[name] - self._before[name]) * 1000 / count for name in after}
        return [
            Figure(f"{what}, processor time", sum(spent.values()), "ms"),
            *(Figure(f"  of {name}", value, "ms") for name, value in spent.items() if value > 0.1),
        ]


class Arrivals:
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
        await asyncio.wait_for(self._none_left.wait(), PATIENCE)
        return time.perf_counter() - began

    async def measure(self, kind: Kind, wanted: Object) -> float:
        """Seconds from the create of `wanted` to the arrival of the object of its name."""
        name = wanted["metadata"]["name"]
        waiting = self._waiting[name] = asyncio.get_running_loop().create_future()
        began = time.perf_counter()
        await self._client.create(kind, wanted)
        arrived: float = await asyncio.wait_for(waiting, PATIENCE)
        return arrived - began

    async def together(self, kind: Kind, wanted: list[Object]) -> float:
        """Seconds from the first create to the last arrival, all created at the same moment."""
        began = time.perf_counter()
        await asyncio.gather(*(self.measure(kind, one) for one in wanted))
        return time.perf_counter() - began


def running(found: Object) -> bool:
    return bool(found.get("status", {}).get("phase") == "Running")


def success(found: Object) -> bool:
    return bool(found.get("status", {}).get("state") == "Success")
