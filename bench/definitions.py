"""NetworkAttachmentDefinition written to VirtualNetwork Success, beside many other networks."""

from __future__ import annotations

import asyncio

from machine import Machine
from networks import network

from bench.measure import Figure, spread
from bench.system import Arrivals, Costs, client, manifest, success
from cn2.api.kind import Object
from cn2.api.kinds import by_name

MEASURED, PRESENT, BATCH = 100, (0, 100, 1000), 50


def _definition(number: int) -> Object:
    block = f"172.{20 + number // 256}.{number % 256}.0/24"
    return manifest(network(f"net-{number}", block))


async def _measure(machine: Machine) -> list[Figure]:
    api = client(machine)
    kind = by_name("NetworkAttachmentDefinition")
    networks = Arrivals(api, "VirtualNetwork", success)
    watching = asyncio.create_task(networks.informer.run())
    await networks.informer.synced.wait()
    figures, number = [], 0
    for present in PRESENT:
        while number < present:
            many = min(BATCH, present - number)
            await networks.together(kind, [_definition(number + i) for i in range(many)])
            number += many
        taken, costs = [], Costs(machine)
        for _ in range(MEASURED):
            taken.append(await networks.measure(kind, _definition(number)))
            number += 1
        figures += spread(f"NAD to VirtualNetwork Success beside {present} networks", taken)
        figures += costs.figures(f"NAD beside {present} networks", MEASURED)
    watching.cancel()
    await api.close()
    return figures


def run(machine: Machine) -> list[Figure]:
    return asyncio.run(_measure(machine))
