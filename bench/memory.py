"""What the processes of a system hold in memory: empty, and with 100 pods and 100 networks."""

from __future__ import annotations

import asyncio

from machine import Machine
from networks import network, pod

from bench.load import resident
from bench.measure import Figure
from bench.system import Arrivals, client, manifest, processes, running, success
from cn2.api.kinds import by_name

NETWORKS, PODS = 100, 100


async def _fill(machine: Machine) -> None:
    api = client(machine)
    networks, pods = Arrivals(api, "VirtualNetwork", success), Arrivals(api, "Pod", running)
    watching = [asyncio.create_task(one.informer.run()) for one in (networks, pods)]
    for one in (networks, pods):
        await one.informer.synced.wait()
    await networks.together(
        by_name("NetworkAttachmentDefinition"),
        [manifest(network(f"net-{i}", f"172.20.{i}.0/24")) for i in range(NETWORKS)],
    )
    wanted = [manifest(pod(f"pod-{i}", f"net-{i % NETWORKS}")) for i in range(PODS)]
    await pods.together(by_name("Pod"), wanted)
    for task in watching:
        task.cancel()
    await api.close()


def run() -> list[Figure]:
    with Machine() as machine:
        found = processes(machine)
        empty = {name: resident(pid) for name, pid in found.items()}
        asyncio.run(_fill(machine))
        full = {name: resident(pid) for name, pid in found.items()}
    figures = [
        Figure(
            f"{name}, {PODS} pods and {NETWORKS} networks", full[name], "MiB", "empty", empty[name]
        )
        for name in found
    ]
    total = Figure("all of them", sum(full.values()), "MiB", "empty", sum(empty.values()))
    return [*figures, total]
