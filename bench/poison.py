"""NetworkAttachmentDefinition written to VirtualNetwork Success, without and beside objects of
many kinds that can never come right."""

from __future__ import annotations

import asyncio

from machine import Machine
from networks import network, pod

from bench.measure import Figure, percentile
from bench.system import NAMESPACE, Arrivals, client, manifest, success
from cn2.api.kind import Object
from cn2.api.kinds import by_name
from cn2.client.http import Client

MEASURED, COPIES, ROUNDS = 50, 10, 3
_NOWHERE = {"kind": "VirtualNetwork", "name": "nowhere", "namespace": NAMESPACE}
_ABSENT = {"kind": "Subnet", "name": "absent", "namespace": NAMESPACE}
_PARENT = {"kind": "RoutingInstance", "name": "default", "namespace": "contrail"}

SPECS: dict[str, Object] = {
    "VirtualNetwork": {"v4SubnetReference": _ABSENT},
    "InstanceIP": {"virtualNetworkReference": _NOWHERE},
    "VirtualMachineInterface": {"virtualNetworkReference": _NOWHERE},
    "FirewallRule": {
        "actionList": {"simpleAction": "deny"},
        "addressGroupReference": {"kind": "AddressGroup", "name": "no", "namespace": NAMESPACE},
    },
    "BGPRouter": {
        "parent": _PARENT,
        "bgpRouterParameters": {
            "routerType": "router",
            "address": "192.0.2.1",
            "identifier": "192.0.2.1",
        },
    },
}


def _poison(number: int) -> list[Object]:
    made = []
    for name, spec in SPECS.items():
        kind = by_name(name)
        metadata: Object = {"name": f"poison-{number}"}
        if kind.namespaced:
            metadata["namespace"] = NAMESPACE
        made.append(
            {"apiVersion": kind.api_version, "kind": name, "metadata": metadata, "spec": spec}
        )
    return [*made, manifest(pod(f"poison-{number}", "nowhere"))]


async def _each(api: Client, objects: list[Object], *, create: bool) -> None:
    for one in objects:
        kind = by_name(one["kind"])
        if create:
            await api.create(kind, one)
        else:
            namespace = one["metadata"].get("namespace", "")
            await api.delete(kind, one["metadata"]["name"], namespace)


async def _measure(machine: Machine) -> list[Figure]:
    api = client(machine)
    kind = by_name("NetworkAttachmentDefinition")
    networks = Arrivals(api, "VirtualNetwork", success)
    watching = asyncio.create_task(networks.informer.run())
    await networks.informer.synced.wait()
    poison = [one for number in range(COPIES) for one in _poison(number)]
    taken: dict[bool, list[float]] = {False: [], True: []}
    number = 0
    for _ in range(ROUNDS):
        for beside in (False, True):
            if beside:
                await _each(api, poison, create=True)
            for _ in range(MEASURED):
                wanted = manifest(network(f"well-{number}", f"172.31.{number % 256}.0/24"))
                taken[beside].append(await networks.measure(kind, wanted))
                number += 1
            if beside:
                await _each(api, poison, create=False)
    watching.cancel()
    await api.close()
    return [
        Figure(
            f"NAD to VirtualNetwork Success beside {len(poison)} poison objects, p{percent}",
            percentile(taken[True], percent) * 1000,
            "ms",
            "without",
            percentile(taken[False], percent) * 1000,
        )
        for percent in (50, 99)
    ]


def run(machine: Machine) -> list[Figure]:
    return asyncio.run(_measure(machine))
