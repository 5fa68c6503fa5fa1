"""`cn2 podrunner` as it runs, on the real API server: pods come, go, and outlive it."""

from __future__ import annotations

import asyncio
from argparse import Namespace
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from living_cluster import LivingCluster, living_cluster, until
from pod_lab import NATIVE, PodLab, pod_lab

from cn2.api.kind import Object
from cn2.api.kinds import CONFIG_MAP, EVENT, POD, SERVICE_ACCOUNT
from cn2.client import Client
from cn2.client.health import Health
from cn2.main.podrunner import serve

pytestmark = pytest.mark.root


@asynccontextmanager
async def podrunner(cluster: LivingCluster, lab: PodLab) -> AsyncIterator[None]:
    """The whole process in this one, from ready to end."""
    options = Namespace(
        node="n1",
        node_ip=["192.0.2.1"],
        pod_cidr=["10.9.0.0/24"],
        data_dir=lab.node.data_dir,
        socket=lab.directory / "p.sock",
        native_dir=NATIVE,
        cni_bin_dir=lab.bin,
        cni_conf_dir=lab.conf,
        cluster_dns="",
        kubeconfig=cluster.kubeconfig,
    )
    client = Client.from_kubeconfig(cluster.kubeconfig, manager="kubelet")
    health = Health()

    async def ready() -> bool:
        return not health.unready()

    try:
        async with asyncio.TaskGroup() as group:  # which ends the test when the process does
            task = group.create_task(serve(options, client, health))
            await until(ready)
            yield
            task.cancel()
    finally:
        await client.close()


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[PodLab]:
    directory = tmp_path / "lab"
    directory.mkdir()
    (directory / "data").mkdir()
    async with pod_lab(directory) as made:
        yield made


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[LivingCluster]:
    async with living_cluster(tmp_path) as made:
        account = {"metadata": {"name": "default", "namespace": "default"}}
        await made.apply(SERVICE_ACCOUNT, account)
        root = {"metadata": {"name": "kube-root-ca.crt", "namespace": "default"}}
        await made.apply(CONFIG_MAP, {**root, "data": {"ca.crt": "CA"}})
        yield made


def pod(name: str = "vn1-pod", **metadata: object) -> Object:
    loop = "trap 'exit 0' TERM; while true; do sleep 0.05; done"
    return {
        "metadata": {"name": name, "namespace": "default", **metadata},
        "spec": {
            "nodeName": "n1",
            "containers": [{"name": "c", "image": "toolbox", "command": ["bash", "-c", loop]}],
        },
    }


async def running(cluster: LivingCluster, name: str = "vn1-pod") -> Object:
    async def look() -> Object | None:
        found = await cluster.get(POD, name, "default")
        return found if found and (found.get("status") or {}).get("phase") == "Running" else None

    found: Object = await until(look)
    return found


async def test_a_bound_pod_runs_and_a_deleted_one_goes(cluster: LivingCluster, lab: PodLab) -> None:
    async with podrunner(cluster, lab):
        await cluster.apply(POD, pod())
        found = await running(cluster)
        assert found["status"]["podIP"] == "10.9.0.5"
        assert found["status"]["qosClass"] == "BestEffort"
        await cluster.admin.delete(POD, "vn1-pod", "default")

        async def gone() -> bool:
            return await cluster.get(POD, "vn1-pod", "default") is None

        await until(gone)
        place = lab.place(found["metadata"]["uid"])

        async def removed() -> bool:
            return not place.directory.exists()

        await until(removed)
        events = (await cluster.admin.list(EVENT, "default")).items
        reasons = [e["reason"] for e in events if e["involvedObject"]["kind"] == "Pod"]
        assert reasons == ["Created", "Started", "Killing"]
        assert {e["source"]["component"] for e in events} == {"kubelet"}


async def test_a_pod_outlives_the_pod_runner(cluster: LivingCluster, lab: PodLab) -> None:
    async with podrunner(cluster, lab):
        await cluster.apply(POD, pod())
        first = await running(cluster)
        identity = lab.place(first["metadata"]["uid"]).identity.read_text()
    async with podrunner(cluster, lab):
        again = await running(cluster)
        assert lab.place(first["metadata"]["uid"]).identity.read_text() == identity
        assert again["status"]["containerStatuses"] == first["status"]["containerStatuses"]


async def test_what_lost_its_pod_meanwhile_is_torn_down(
    cluster: LivingCluster, lab: PodLab
) -> None:
    async with podrunner(cluster, lab):
        await cluster.apply(POD, pod())
        found = await running(cluster)
    await cluster.admin.delete(POD, "vn1-pod", "default", grace=0)
    directory = lab.place(found["metadata"]["uid"]).directory
    assert directory.exists()
    async with podrunner(cluster, lab):

        async def gone() -> bool:
            return not directory.exists()

        await until(gone)
    assert [call.split()[0] for call in lab.calls()] == ["ADD", "DEL"]


async def test_pods_that_only_show_a_process_are_left_alone(
    cluster: LivingCluster, lab: PodLab
) -> None:
    async with podrunner(cluster, lab):
        await cluster.apply(POD, pod("shown", annotations={"cn2.io/mirror": "true"}))
        await cluster.apply(POD, pod())
        await running(cluster)
        shown = await cluster.get(POD, "shown", "default")
    assert shown is not None
    assert "containerStatuses" not in shown["status"]
    assert len(lab.calls()) == 1


async def test_the_same_name_with_another_uid_is_another_pod(
    cluster: LivingCluster, lab: PodLab
) -> None:
    async with podrunner(cluster, lab):
        await cluster.apply(POD, pod())
        first = await running(cluster)
        await cluster.admin.delete(POD, "vn1-pod", "default", grace=0)
        await cluster.apply(POD, pod())
        second = await running(cluster)
        assert first["metadata"]["uid"] != second["metadata"]["uid"]

        async def gone() -> bool:
            return not lab.place(first["metadata"]["uid"]).directory.exists()

        await until(gone)
        assert lab.place(second["metadata"]["uid"]).netns.exists()
