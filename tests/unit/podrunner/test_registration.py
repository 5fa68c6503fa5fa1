"""The Node and its Lease, kept on the real API server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from living_cluster import LivingCluster, living_cluster, until

from cn2.api.kind import Object
from cn2.api.kinds import LEASE, NODE
from cn2.api.kubernetes.lease import NODE_LEASES
from cn2.client import Client
from cn2.podrunner.nodes import Machine
from cn2.podrunner.registration import Registration

MACHINE = Machine(2, 1024, 2048, "6.18", "Debian", "amd64", "m", "b", "0.1.0")


@asynccontextmanager
async def registration(cluster: LivingCluster, conf_dir: Path) -> AsyncIterator[Registration]:
    """A node whose problem is an empty configuration directory."""
    client = Client.from_kubeconfig(cluster.kubeconfig, manager="kubelet")
    keeper = Registration(
        client,
        "minikube",
        MACHINE,
        addresses=("192.168.177.47",),
        pod_cidrs=("10.244.0.0/24",),
        conf_dir=conf_dir,
        problem=lambda: "" if any(conf_dir.iterdir()) else "no CNI configuration",
    )
    task = asyncio.create_task(keeper.run())
    try:
        yield keeper
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await client.close()


async def ready(cluster: LivingCluster, wanted: str) -> Object:
    async def look() -> Object | None:
        node = await cluster.get(NODE, "minikube")
        conditions = ((node or {}).get("status") or {}).get("conditions") or []
        states = {condition["type"]: condition["status"] for condition in conditions}
        return node if states.get("Ready") == wanted else None

    found: Object = await until(look)
    return found


async def test_a_node_is_ready_as_soon_as_it_has_a_network(tmp_path: Path) -> None:
    conf = tmp_path / "net.d"
    async with living_cluster(tmp_path) as cluster, registration(cluster, conf):
        node = await ready(cluster, "False")
        assert node["spec"]["podCIDR"] == "10.244.0.0/24"
        (conf / "10-contrail.conf").touch()
        await ready(cluster, "True")


async def test_a_lease_says_that_the_node_lives(tmp_path: Path) -> None:
    async with living_cluster(tmp_path) as cluster:
        async with registration(cluster, tmp_path / "net.d"):

            async def look() -> Object | None:
                return await cluster.get(LEASE, "minikube", NODE_LEASES)

            lease = await until(look)
    assert lease["spec"]["holderIdentity"] == "minikube"
    assert lease["spec"]["renewTime"].endswith("Z")
    assert lease["metadata"]["ownerReferences"][0]["kind"] == "Node"


async def test_a_node_that_someone_deletes_comes_back(tmp_path: Path) -> None:
    async with living_cluster(tmp_path) as cluster:
        async with registration(cluster, tmp_path / "net.d"):
            first = await ready(cluster, "False")
            await cluster.admin.delete(NODE, "minikube")

            async def look() -> bool:
                node = await cluster.get(NODE, "minikube")
                return node is not None and node["metadata"]["uid"] != first["metadata"]["uid"]

            await until(look)


async def test_labels_that_people_add_are_left_alone(tmp_path: Path) -> None:
    async with living_cluster(tmp_path) as cluster:
        await cluster.apply(NODE, {"metadata": {"name": "minikube", "labels": {"rack": "a"}}})
        async with registration(cluster, tmp_path / "net.d"):
            node = await ready(cluster, "False")

            async def look() -> Object | None:
                found = await cluster.get(NODE, "minikube")
                return found if found and len(found["metadata"]["labels"]) > 1 else None

            node = await until(look)
    assert node["metadata"]["labels"]["rack"] == "a"
    assert node["metadata"]["labels"]["kubernetes.io/hostname"] == "minikube"
