"""The walkthrough's objects on the real API server, and that a second start writes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import states
from living_cluster import CLUSTER, CLUSTER_NAMESPACE, LivingCluster, living_cluster, until

from cn2.api.kinds import (
    INSTANCE_IP,
    NAMESPACE,
    NETWORK_ATTACHMENT_DEFINITION,
    NODE,
    POD,
    ROUTE_TARGET,
    ROUTING_INSTANCE,
    SERVICE,
    SUBNET,
    VIRTUAL_MACHINE,
    VIRTUAL_MACHINE_INTERFACE,
    VIRTUAL_NETWORK,
    VIRTUAL_NETWORK_ROUTER,
    VIRTUAL_ROUTER,
)
from cn2.plan.cluster import objects

pytestmark = pytest.mark.timeout(60)

NETWORK_STATUS = "k8s.v1.cni.cncf.io/network-status"


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[LivingCluster]:
    async with living_cluster(tmp_path) as found:
        yield found


def pod(name: str = "vn1-pod", networks: str = "") -> objects.Object:
    containers = [{"name": "c", "image": "toolbox"}]
    return states.pod(name, networks=networks, containers=containers)


def service(name: str, ip: str) -> objects.Object:
    made = states.service(name, ip)
    made["spec"]["ports"] = [{"port": 80}]
    return made


async def walk(cluster: LivingCluster) -> None:
    """Up to the pod that has its two interfaces."""
    await cluster.apply(NODE, states.node())
    await cluster.apply(SERVICE, service("frontend", "10.108.75.218"))
    await cluster.ready(VIRTUAL_NETWORK, "default-podnetwork", CLUSTER_NAMESPACE)
    await cluster.apply(NETWORK_ATTACHMENT_DEFINITION, states.definition())
    await cluster.ready(VIRTUAL_NETWORK, "vn1", "default")
    await cluster.apply(POD, pod(networks="vn1"))
    await until(lambda: told(cluster, "vn1-pod"))


async def told(cluster: LivingCluster, name: str) -> str:
    found = await cluster.get(POD, name, "default")
    return objects.notes(found).get(NETWORK_STATUS, "") if found else ""


async def test_the_walkthroughs_objects_and_a_second_start_that_writes_nothing(
    cluster: LivingCluster,
) -> None:
    async with cluster.controllers() as running:
        await walk(cluster)
        await cluster.ready(VIRTUAL_ROUTER, "minikube")
        await cluster.ready(INSTANCE_IP, f"{CLUSTER}-frontend-55dee962")

        async def full() -> bool:
            subnet = await cluster.get(SUBNET, "vn1-v4", "default")
            return subnet is not None and objects.status(subnet)["allocationUsage"] == "1.56%"

        await until(full)
        for name in (
            "DefaultPodServiceIPFabricNetwork",
            "DefaultPodServiceNetwork",
            "DefaultServiceNetwork",
        ):
            await cluster.ready(VIRTUAL_NETWORK_ROUTER, name, CLUSTER_NAMESPACE)
        await cluster.ready(VIRTUAL_NETWORK_ROUTER, "DefaultIPFabricNetwork", "contrail")

        async def referred() -> bool:
            router = await cluster.get(VIRTUAL_ROUTER, "minikube")
            return bool(router and router["spec"].get("virtualMachineReferences"))

        await until(referred)
        await running.idle()

    targets = [one["metadata"]["name"] for one in (await cluster.admin.list(ROUTE_TARGET)).items]
    assert targets == [
        "target-10.1.1.1-561",
        "target-10.2.2.2-561",
        "target-23-4561",
        *(f"target-64512-{8000000 + i}" for i in range(10)),
    ]
    network = await cluster.ready(VIRTUAL_NETWORK, "vn1", "default")
    assert network["status"]["virtualNetworkNetworkId"] == 5
    instance = await cluster.ready(ROUTING_INSTANCE, "vn1", "default")
    default = instance["status"]["defaultRouteTargetReference"]
    assert default["name"] == "target-64512-8000009"
    addresses = {
        one["metadata"]["name"]: one["spec"]["instanceIPAddress"]
        for one in (await cluster.admin.list(INSTANCE_IP)).items
    }
    assert addresses == {
        f"{CLUSTER}-frontend-55dee962": "10.108.75.218",
        f"{CLUSTER}-vn1-pod-2d7e67a3": "10.244.0.2",
        f"{CLUSTER}-vn1-pod-f7921747": "172.16.10.2",
    }

    before = await cluster.everything()
    async with cluster.controllers() as running:
        await running.idle()
        await running.idle()
    assert await cluster.everything() == before


async def test_a_deleted_network_comes_back_with_its_numbers(cluster: LivingCluster) -> None:
    async with cluster.controllers() as running:
        await walk(cluster)
        await running.idle()
        before = await cluster.ready(VIRTUAL_NETWORK, "vn1", "default")
        interface = await cluster.ready(VIRTUAL_MACHINE_INTERFACE, "vn1-pod-b03c1981", "default")
        subnet = await cluster.get(SUBNET, "vn1-v4", "default")
        seen: list[str] = []

        async def watch() -> None:
            revision = interface["metadata"]["resourceVersion"]
            async for event in cluster.admin.watch(
                VIRTUAL_MACHINE_INTERFACE, "default", revision=revision
            ):
                if event.type != "BOOKMARK":
                    seen.append(objects.state(event.object))

        watching = asyncio.ensure_future(watch())
        await cluster.admin.delete(VIRTUAL_NETWORK, "vn1", "default")
        uid = before["metadata"]["uid"]
        after = await cluster.ready(VIRTUAL_NETWORK, "vn1", "default", besides=uid)
        await running.idle()
        watching.cancel()

        assert after["status"] == before["status"]
        instance = await cluster.ready(ROUTING_INSTANCE, "vn1", "default")
        default = instance["status"]["defaultRouteTargetReference"]["name"]
        assert default == "target-64512-8000009"
        now = await cluster.get(SUBNET, "vn1-v4", "default")
        assert now is not None and subnet is not None
        assert now["metadata"]["uid"] == subnet["metadata"]["uid"]
        assert set(seen) <= {"Success"}


async def test_a_deleted_definition_takes_everything_along_also_with_pods_attached(
    cluster: LivingCluster,
) -> None:
    async with cluster.controllers() as running:
        await walk(cluster)
        await cluster.admin.delete(NETWORK_ATTACHMENT_DEFINITION, "vn1", "default")

        async def gone() -> bool:
            left = [
                await cluster.get(NETWORK_ATTACHMENT_DEFINITION, "vn1", "default"),
                await cluster.get(VIRTUAL_NETWORK, "vn1", "default"),
                await cluster.get(SUBNET, "vn1-v4", "default"),
                await cluster.get(ROUTING_INSTANCE, "vn1", "default"),
                await cluster.get(ROUTE_TARGET, "target-23-4561"),
                await cluster.get(ROUTE_TARGET, "target-64512-8000009"),
            ]
            return not any(left)

        await until(gone)

        async def pending() -> bool:
            found = await cluster.get(VIRTUAL_MACHINE_INTERFACE, "vn1-pod-b03c1981", "default")
            return found is not None and objects.state(found) == "Pending"

        await until(pending)
        await running.idle()


async def test_many_pods_get_an_address_each_and_leave_nothing(cluster: LivingCluster) -> None:
    async with cluster.controllers() as running:
        await walk(cluster)
        await running.idle()
        before = set(await cluster.everything())
        names = [f"pod-{n}" for n in range(30)]
        await asyncio.gather(*(cluster.apply(POD, pod(name, networks="vn1")) for name in names))
        for name in names:
            await until(lambda name=name: told(cluster, name))
        found = (await cluster.admin.list(INSTANCE_IP)).items
        given = [
            one["spec"]["instanceIPAddress"]
            for one in found
            if one["spec"]["virtualNetworkReference"]["name"] == "vn1"
        ]
        assert sorted(given, key=lambda ip: int(ip.rpartition(".")[2])) == [
            f"172.16.10.{n}" for n in range(2, 33)
        ]

        await asyncio.gather(
            *(cluster.admin.delete(POD, name, "default", grace=0) for name in names)
        )

        async def clean() -> bool:
            subnet = await cluster.get(SUBNET, "vn1-v4", "default")
            usage = objects.status(subnet or {}).get("allocationUsage")
            machines = (await cluster.admin.list(VIRTUAL_MACHINE)).items
            return usage == "1.56%" and len(machines) == 1

        await until(clean)
        await running.idle()
        assert set(await cluster.everything()) == before


async def test_a_deleted_namespace_goes_with_its_networks_and_pods(
    cluster: LivingCluster,
) -> None:
    async with cluster.controllers() as running:
        await walk(cluster)
        await cluster.apply(NAMESPACE, {"metadata": {"name": "team1"}})
        asked = {"ipamV4Subnet": "172.16.30.0/24", "routeTargetList": ["target:64512:30"]}
        blue = states.definition("blue", asked, "team1")
        await cluster.apply(NETWORK_ATTACHMENT_DEFINITION, blue)
        await cluster.ready(VIRTUAL_NETWORK, "blue", "team1")
        await cluster.admin.delete(NAMESPACE, "team1")

        async def gone() -> bool:
            return await cluster.get(NAMESPACE, "team1") is None

        await until(gone)
        await running.idle()
        assert await cluster.get(ROUTE_TARGET, "target-64512-30") is None
