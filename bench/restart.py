"""The controllers come back to a full system: how soon, and what they write of its networks."""

from __future__ import annotations

import asyncio
import os
import signal
import time

from machine import Machine

from bench.load import used
from bench.measure import Figure
from bench.system import PATIENCE, client, processes, requests, status
from cn2.api.kinds import by_name

RESTARTED = ("controller", "kubemanager")
_WRITES = ("create ", "update ", "patch ", "delete ")
_LIFE = (
    "leases",
    "events",
    *(f"{one}/status" for one in ("nodes", "pods", "replicasets", "deployments")),
)
"""Where it is told that processes live and die; these did."""
_QUIET_SECONDS = 2.0


def _ready(machine: Machine) -> set[str]:
    return {one["name"] for one in status(machine)["processes"] if one["ready"]}


def _wait(machine: Machine, before: dict[str, int]) -> None:
    """Until the processes are other ones than before, and ready."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        now = processes(machine)
        others = all(now.get(name) not in (None, before[name]) for name in RESTARTED)
        if others and _ready(machine).issuperset(RESTARTED):
            return
    raise TimeoutError("the controllers did not come back")


async def _writes(machine: Machine) -> int:
    api = client(machine)
    found = await requests(api)
    await api.close()
    return sum(
        count
        for what, count in found.items()
        if what.startswith(_WRITES) and not what.endswith(_LIFE)
    )


async def _networks(machine: Machine) -> int:
    api = client(machine)
    found = await api.list(by_name("VirtualNetwork"))
    await api.close()
    return len(found.items)


def run(machine: Machine) -> list[Figure]:
    present, before = asyncio.run(_networks(machine)), processes(machine)
    written = asyncio.run(_writes(machine))
    began = time.perf_counter()
    for name in RESTARTED:
        os.kill(before[name], signal.SIGKILL)
    _wait(machine, before)
    taken = time.perf_counter() - began
    time.sleep(_QUIET_SECONDS)
    what = f"controllers killed, {present} networks present"
    now = processes(machine)
    return [
        Figure(f"{what}: ready again", taken, "s"),
        Figure(f"{what}: processor time", sum(used(now[name]) for name in RESTARTED), "s"),
        Figure(f"{what}: writes", asyncio.run(_writes(machine)) - written, ""),
    ]
