"""Pods through the whole system: created to Running, one after the other and all at once.

Wall time depends on what else the machine does; processor time and requests of a pod do not.
"""

from __future__ import annotations

import asyncio

from machine import Machine
from networks import network, pod

from bench.measure import Figure, median, spread
from bench.system import Arrivals, Costs, client, manifest, requests, running
from cn2.api.kind import Object
from cn2.api.kinds import by_name
from cn2.client.http import Client

ALONE, AT_ONCE, ROUNDS = 40, 100, 3
"""No more than 110 pods fit on a node, seven of which show the system itself."""
NETWORK = "pods-bench"


def _pods(prefix: str, count: int, names: tuple[str, ...]) -> list[Object]:
    return [manifest(pod(f"{prefix}-{number}", *names)) for number in range(count)]


async def _alone(started: Arrivals, word: str, names: tuple[str, ...]) -> list[Figure]:
    kind = by_name("Pod")
    wanted = _pods("alone", ALONE, names)
    figures = spread(
        f"pod created to Running, {word}", [await started.measure(kind, one) for one in wanted]
    )
    await started.gone()
    return figures


async def _together(
    api: Client, machine: Machine, started: Arrivals, word: str, names: tuple[str, ...]
) -> list[Figure]:
    came, went = [], []
    costs, asked = Costs(machine), await requests(api)
    for number in range(ROUNDS):
        wanted = _pods(f"many-{number}", AT_ONCE, names)
        came.append(AT_ONCE / await started.together(by_name("Pod"), wanted))
        went.append(AT_ONCE / await started.gone())
    lives = ROUNDS * AT_ONCE
    asked = await requests(api) - asked
    what = f"{AT_ONCE} pods at once, {word}"
    return [
        Figure(f"{what}, to Running", median(came), "/s"),
        Figure(f"{what}, deleted", median(went), "/s"),
        Figure(f"{what}, API requests of a pod's life", asked.total() / lives, ""),
        *costs.figures(f"{what}, a pod's life", lives),
    ]


async def _measure(machine: Machine) -> list[Figure]:
    api = client(machine)
    nad, nads = manifest(network(NETWORK, "172.19.0.0/24")), "NetworkAttachmentDefinition"
    await api.create(by_name(nads), nad)
    started = Arrivals(api, "Pod", running)
    watching = asyncio.create_task(started.informer.run())
    await started.informer.synced.wait()
    figures = []
    for word, names in (("one network", ()), ("two networks", (NETWORK,))):
        figures += await _alone(started, word, names)
        figures += await _together(api, machine, started, word, names)
    watching.cancel()
    await api.delete(by_name(nads), NETWORK, nad["metadata"]["namespace"])
    await api.close()
    return figures


def run(machine: Machine) -> list[Figure]:
    return asyncio.run(_measure(machine))
