"""An object of each kind that cannot be right, put into the store behind the API's back: it is
retried later and later, and everybody else is served as if it were not there."""

from __future__ import annotations

import uuid
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import states
from living_cluster import LivingCluster, living_cluster, until
from structlog.testing import capture_logs

from cn2.api.kind import Object
from cn2.api.kinds import (
    INSTANCE_IP,
    NETWORK_ATTACHMENT_DEFINITION,
    NODE,
    POD,
    SUBNET,
    VIRTUAL_NETWORK,
    by_name,
)
from cn2.apiserver import codec, keys
from cn2.plan.cluster import objects
from cn2.store.interface import Put, Txn

pytestmark = pytest.mark.timeout(60)

NETWORK_STATUS = "k8s.v1.cni.cncf.io/network-status"

POISON: dict[str, dict[str, Any]] = {
    "AddressGroup": {"addressGroupPrefixes": 5},
    "ApplicationPolicySet": {"firewallPolicyReferences": [5]},
    "BGPAsAService": {"virtualMachineInterfaceReferences": 5},
    "BGPRouter": {"bgpRouterReferences": "x"},
    "FirewallPolicy": {"firewallRuleReferences": {"a": 5}},
    "FirewallRule": {"addressGroupReference": "x"},
    "FloatingIP": {"parent": [5]},
    "InstanceIP": {"instanceIPAddress": "x", "cidr": "y", "virtualNetworkReference": "z"},
    "MirrorDestination": {"staticNextHopHeader": 5},
    "NetworkAttachmentDefinition": {"config": 5},
    "Pod": {"nodeName": "minikube", "containers": 5},
    "RouteTarget": {"fqName": 5},
    "RoutingInstance": {"routeTargetReferences": [5], "parent": "x"},
    "Subnet": {"cidr": "x", "ranges": 5},
    "Tag": {"tagTypeReference": 5},
    "TagType": {"fqName": 5},
    "VirtualMachine": {"serverName": 5},
    "VirtualMachineInterface": {
        "virtualNetworkReference": "x",
        "virtualMachineInterfaceMacAddresses": {"macAddress": [5]},
    },
    "VirtualNetwork": {"v4SubnetReference": "x", "routeTargetList": [5]},
    "VirtualNetworkRouter": {"type": 5, "virtualNetworkSelector": "x", "import": 5},
    "VirtualRouter": {"virtualMachineReferences": [5]},
}


def poison(kind_name: str, spec: dict[str, Any]) -> Object:
    kind = by_name(kind_name)
    metadata: dict[str, Any] = {
        "name": "poison",
        "uid": str(uuid.uuid4()),
        "creationTimestamp": "2026-01-01T00:00:00Z",
        "annotations": {
            "juniper.net/networks": "[" * 5000,
            "k8s.v1.cni.cncf.io/networks": '[{"name": "vn1", "cni-args": 5}]',
        },
    }
    if kind.namespaced:
        metadata["namespace"] = "default"
    return {
        "apiVersion": kind.api_version,
        "kind": kind.kind,
        "metadata": metadata,
        "spec": spec,
        "status": {"subnetReference": "x", "defaultRouteTargetReference": 5},
    }


async def inject(cluster: LivingCluster, obj: Object) -> None:
    kind, metadata = by_name(obj["kind"]), obj["metadata"]
    key = keys.key(kind, metadata.get("namespace", ""), metadata["name"])
    await cluster.backend.store.commit(Txn((Put(key, codec.encode(obj)),)))


async def serve(cluster: LivingCluster, name: str) -> None:
    """A definition becomes a network, and a pod on it gets its address."""
    networks = {"ipamV4Subnet": "172.16.20.0/24"}
    await cluster.apply(NETWORK_ATTACHMENT_DEFINITION, states.definition(name, networks))
    await cluster.ready(VIRTUAL_NETWORK, name, "default")
    containers = [{"name": "c", "image": "none"}]
    await cluster.apply(POD, states.pod(name, networks=name, containers=containers))

    async def told() -> bool:
        found = await cluster.get(POD, name, "default")
        return found is not None and NETWORK_STATUS in objects.notes(found)

    await until(told)


async def test_everybody_else_is_served(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        stack.enter_context(capture_logs())  # each failure is logged with its traceback
        cluster = await stack.enter_async_context(living_cluster(tmp_path))
        running = await stack.enter_async_context(cluster.controllers())
        await cluster.apply(NODE, states.node())
        await serve(cluster, "before")
        for kind_name, spec in POISON.items():
            await inject(cluster, poison(kind_name, spec))
        await running.idle()
        for number in range(3):
            await serve(cluster, f"during{number}")
        loops = running.controller._loop, running.kubemanager._loop
        queues = {one.name: one.queue for loop in loops for one in loop.controllers}
        keys_ = ("default", "poison"), ("", "poison")

        def failures() -> dict[str, int]:
            return {
                name: count
                for name, queue in queues.items()
                if (count := max(queue.failures(key) for key in keys_))
            }

        async def tried_again() -> bool:
            return max(failures().values(), default=0) >= 6

        await until(tried_again)
        # Each failure waits twice as long as the one before: in a second there are seven.
        assert max(failures().values()) < 20, failures()
        assert {"virtualnetworks", "instanceips"} <= set(failures()), failures()
        await serve(cluster, "after")
        await cluster.admin.delete(SUBNET, "poison", "default")
        given = [
            one["spec"].get("instanceIPAddress")
            for one in (await cluster.admin.list(INSTANCE_IP)).items
            if one["metadata"]["name"] != "poison"
        ]
        assert len(given) == 10
