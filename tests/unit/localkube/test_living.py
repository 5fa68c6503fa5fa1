"""`cn2 localkube` as it runs, on the real API server."""

import asyncio
from argparse import Namespace
from contextlib import asynccontextmanager

import pytest
from living_cluster import living_cluster, until

from cn2.api.kinds import (
    CLUSTER_ROLE,
    CONFIG_MAP,
    ENDPOINTS,
    EVENT,
    NAMESPACE,
    NODE,
    POD,
    SECRET,
    SERVICE,
    SERVICE_ACCOUNT,
    VIRTUAL_MACHINE,
    VIRTUAL_MACHINE_INTERFACE,
)
from cn2.client.health import Health
from cn2.main.localkube import serve


@asynccontextmanager
async def localkube(cluster, grace=40.0):
    """The whole process in this one, from ready to end."""
    options = Namespace(
        kubeconfig=cluster.kubeconfig, node_monitor_grace_period=grace, event_ttl=3600.0
    )
    health = Health()
    task = asyncio.create_task(serve(options, health))

    async def ready():
        assert not task.done(), task.exception()
        return not health.unready()

    await until(ready)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def node(cluster):
    status = {"conditions": [{"type": "Ready", "status": "True"}]}
    await cluster.apply(NODE, {"metadata": {"name": "minikube"}, "status": status})


def pod(namespace="default"):
    return {
        "metadata": {"name": "vn1-pod", "namespace": namespace, "labels": {"app": "web"}},
        "spec": {"containers": [{"name": "c", "image": "i"}]},
    }


async def machine(cluster, name="vm"):
    spec = {"serverName": "p", "serverNamespace": "default", "serverClusterName": "mk"}
    return await cluster.apply(VIRTUAL_MACHINE, {"metadata": {"name": name}, "spec": spec})


async def interface(cluster, owner, name="vmi"):
    reference = {
        "apiVersion": VIRTUAL_MACHINE.api_version,
        "kind": VIRTUAL_MACHINE.kind,
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
    metadata = {"name": name, "namespace": "default", "ownerReferences": [reference]}
    network = {"apiVersion": VIRTUAL_MACHINE.api_version, "kind": "VirtualNetwork"}
    spec = {"virtualNetworkReference": network | {"name": "vn1", "namespace": "default"}}
    return await cluster.apply(VIRTUAL_MACHINE_INTERFACE, {"metadata": metadata, "spec": spec})


def gone(cluster, kind, name, namespace=""):
    async def look():
        return await cluster.get(kind, name, namespace) is None

    return until(look)


async def test_a_pod_is_bound_scheduled_and_told_about(tmp_path):
    async with living_cluster(tmp_path) as cluster, localkube(cluster):
        await node(cluster)
        await cluster.apply(POD, pod())

        async def bound():
            found = await cluster.admin.get(POD, "vn1-pod", "default")
            events = (await cluster.admin.list(EVENT, "default")).items
            scheduled = [event for event in events if event["reason"] == "Scheduled"]
            return found if found["spec"].get("nodeName") and scheduled else None

        found = await until(bound)

        assert found["spec"]["nodeName"] == "minikube"
        assert [(c["type"], c["status"]) for c in found["status"]["conditions"]] == [
            ("PodScheduled", "True")
        ]


@pytest.mark.parametrize("propagation", ["Background", "Foreground"])
async def test_the_interfaces_of_a_machine_go_with_it(tmp_path, propagation):
    async with living_cluster(tmp_path) as cluster, localkube(cluster):
        owner = await machine(cluster)
        await interface(cluster, owner)

        await cluster.admin.delete(VIRTUAL_MACHINE, "vm", propagation=propagation)

        await gone(cluster, VIRTUAL_MACHINE_INTERFACE, "vmi", "default")
        await gone(cluster, VIRTUAL_MACHINE, "vm")


async def test_orphans_stay(tmp_path):
    async with living_cluster(tmp_path) as cluster, localkube(cluster):
        owner = await machine(cluster)
        await interface(cluster, owner)

        await cluster.admin.delete(VIRTUAL_MACHINE, "vm", propagation="Orphan")
        await gone(cluster, VIRTUAL_MACHINE, "vm")

        left = await cluster.admin.get(VIRTUAL_MACHINE_INTERFACE, "vmi", "default")
        assert "ownerReferences" not in left["metadata"]


async def test_what_lost_its_owner_while_nobody_looked_is_found_at_the_next_start(tmp_path):
    async with living_cluster(tmp_path) as cluster:
        owner = await machine(cluster)
        await interface(cluster, owner)
        await cluster.admin.delete(VIRTUAL_MACHINE, "vm")

        async with localkube(cluster):
            await gone(cluster, VIRTUAL_MACHINE_INTERFACE, "vmi", "default")


async def test_a_namespace_goes_with_everything_in_it_and_not_before(tmp_path):
    async with living_cluster(tmp_path) as cluster, localkube(cluster):
        await cluster.apply(NAMESPACE, {"metadata": {"name": "t"}})
        await until(lambda: cluster.get(SERVICE_ACCOUNT, "default", "t"))
        await until(lambda: cluster.get(CONFIG_MAP, "kube-root-ca.crt", "t"))
        held = {"metadata": {"name": "s", "namespace": "t", "finalizers": ["example.com/hold"]}}
        await cluster.apply(SECRET, held)
        await cluster.admin.delete(NAMESPACE, "t")

        async def reported():
            namespace = await cluster.admin.get(NAMESPACE, "t")
            return [
                condition
                for condition in namespace["status"].get("conditions", [])
                if "secrets has 1 resource instances" in condition["message"]
            ]

        await until(reported)
        await cluster.admin.patch(SECRET, "s", {"metadata": {"finalizers": None}}, "t")

        await gone(cluster, NAMESPACE, "t")
        assert (await cluster.admin.list(CONFIG_MAP, "t")).items == []


async def test_a_silent_node_becomes_unknown(tmp_path):
    async with living_cluster(tmp_path) as cluster, localkube(cluster, grace=0.05):
        await node(cluster)

        async def unknown():
            found = await cluster.admin.get(NODE, "minikube")
            return found if found["spec"].get("taints") else None

        found = await until(unknown)

        (ready,) = found["status"]["conditions"]
        assert (ready["type"], ready["status"]) == ("Ready", "Unknown")


async def test_a_second_start_writes_nothing(tmp_path):
    async with living_cluster(tmp_path) as cluster:
        async with localkube(cluster):
            await node(cluster)
            await cluster.apply(POD, pod())
            service = {"selector": {"app": "web"}, "ports": [{"port": 80}]}
            metadata = {"name": "web", "namespace": "default"}
            await cluster.apply(SERVICE, {"metadata": metadata, "spec": service})
            await interface(cluster, await machine(cluster))

            async def settled():
                found = await cluster.get(POD, "vn1-pod", "default")
                endpoints = await cluster.get(ENDPOINTS, "web", "default")
                role = await cluster.get(CLUSTER_ROLE, "admin")
                reads = any("pods/log" in rule["resources"] for rule in role.get("rules") or ())
                return found["spec"].get("nodeName") and endpoints and reads

            await until(settled)
        before = await cluster.everything()

        async with localkube(cluster):
            await cluster.apply(NAMESPACE, {"metadata": {"name": "last"}})
            await until(lambda: cluster.get(CONFIG_MAP, "kube-root-ca.crt", "last"))
        after = await cluster.everything()

        assert {key: after[key] for key in before} == before
