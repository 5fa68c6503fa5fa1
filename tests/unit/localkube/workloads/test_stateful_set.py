"""StatefulSets on the real API server."""

from datetime import UTC, datetime

import pytest
from living_cluster import living_cluster
from workload_world import at_work, ended, images, is_ready, running, workload, world

from cn2.api.kinds import CONTROLLER_REVISION, NODE, POD, STATEFUL_SET
from cn2.localkube.workloads.pod_state import BURST
from cn2.localkube.workloads.stateful_pods import next_steps


def names(pods):
    return sorted(pod["metadata"]["name"] for pod in pods)


def settled(replicas):
    """A test of a StatefulSet that is complete, updated and ready."""

    def test(obj):
        status = obj.get("status") or {}
        counts = ("replicas", "readyReplicas", "updatedReplicas", "currentReplicas")
        return (
            all(status.get(name, 0) == replicas for name in counts)
            and status.get("observedGeneration") == obj["metadata"]["generation"]
            and status["currentRevision"] == status["updateRevision"]
        )

    return test


def set_image(image):
    containers = [{"name": "c", "image": image}]
    return {"spec": {"template": {"spec": {"containers": containers}}}}


async def test_pods_come_in_order_with_names_that_stay(tmp_path):
    async with world(tmp_path) as w:
        w.runs = lambda pod: running(ready=pod["metadata"]["name"] != "web-1")
        await w.apply(STATEFUL_SET, workload(replicas=3, serviceName="peers"))
        await w.until_pods(lambda pods: names(pods) == ["web-0", "web-1"])
        await w.idle()
        assert names(await w.pods()) == ["web-0", "web-1"]

        w.runs = lambda pod: running()
        found = await w.until(STATEFUL_SET, settled(3))

        first = await w.get(POD, "web-0")
        assert (first["spec"]["hostname"], first["spec"]["subdomain"]) == ("web-0", "peers")
        labels = first["metadata"]["labels"]
        assert labels["statefulset.kubernetes.io/pod-name"] == "web-0"
        assert labels["apps.kubernetes.io/pod-index"] == "0"
        assert labels["controller-revision-hash"] == found["status"]["currentRevision"]
        assert await w.events("SuccessfulCreate", 3) == [
            f"create Pod web-{n} in StatefulSet web successful" for n in range(3)
        ]


async def test_a_pod_that_goes_comes_back_under_its_name(tmp_path):
    async with world(tmp_path) as w:
        await w.apply(STATEFUL_SET, workload(replicas=2))
        await w.until(STATEFUL_SET, settled(2))
        gone = await w.get(POD, "web-0")

        await w.admin.delete(POD, "web-0", "default")

        await w.until(
            POD,
            lambda pod: pod["metadata"]["uid"] != gone["metadata"]["uid"] and is_ready(pod),
            "web-0",
        )


async def test_scaled_down_the_highest_go_first(tmp_path):
    async with world(tmp_path) as w:
        await w.apply(STATEFUL_SET, workload(replicas=3))
        await w.until(STATEFUL_SET, settled(3))

        await w.patch(STATEFUL_SET, {"spec": {"replicas": 1}})
        await w.until(STATEFUL_SET, settled(1))

        assert await w.events("SuccessfulDelete", 2) == [
            "delete Pod web-2 in StatefulSet web successful",
            "delete Pod web-1 in StatefulSet web successful",
        ]


async def test_an_update_goes_from_the_highest_to_the_partition(tmp_path):
    async with world(tmp_path) as w:
        strategy = {"type": "RollingUpdate", "rollingUpdate": {"partition": 1}}
        await w.apply(STATEFUL_SET, workload(replicas=3, updateStrategy=strategy))
        await w.until(STATEFUL_SET, settled(3))

        await w.patch(STATEFUL_SET, set_image("v2"))
        await w.until(STATEFUL_SET, lambda obj: obj["status"].get("updatedReplicas") == 2)
        await w.until_pods(lambda pods: len(pods) == 3 and all(map(is_ready, pods)))
        await w.idle()

        by_name = {pod["metadata"]["name"]: images([pod])[0] for pod in await w.pods()}
        assert by_name == {"web-0": "v1", "web-1": "v2", "web-2": "v2"}
        status = (await w.get(STATEFUL_SET))["status"]
        assert status["currentRevision"] != status["updateRevision"]

        await w.patch(
            STATEFUL_SET, {"spec": {"updateStrategy": {"rollingUpdate": {"partition": 0}}}}
        )
        await w.until(STATEFUL_SET, settled(3))
        assert images(await w.pods()) == ["v2"] * 3


async def test_on_delete_nothing_is_replaced_unasked(tmp_path):
    async with world(tmp_path) as w:
        await w.apply(STATEFUL_SET, workload(replicas=2, updateStrategy={"type": "OnDelete"}))
        await w.until_pods(lambda pods: len(pods) == 2 and all(map(is_ready, pods)))
        await w.patch(STATEFUL_SET, set_image("v2"))
        await w.idle()
        assert images(await w.pods()) == ["v1", "v1"]

        await w.admin.delete(POD, "web-1", "default")

        await w.until_pods(lambda pods: images(pods) == ["v1", "v2"])


async def test_parallel_pods_do_not_wait_for_each_other(tmp_path):
    async with world(tmp_path) as w:
        w.runs = lambda pod: running(ready=False)
        await w.apply(STATEFUL_SET, workload(replicas=3, podManagementPolicy="Parallel"))

        await w.until_pods(lambda pods: names(pods) == ["web-0", "web-1", "web-2"])


async def test_a_pod_that_failed_is_made_anew(tmp_path):
    async with world(tmp_path) as w:
        failed = []

        def runs(pod):
            if pod["metadata"]["name"] == "web-0" and not failed:
                failed.append(pod["metadata"]["uid"])
            return ended(1) if pod["metadata"]["uid"] in failed else running()

        w.runs = runs
        await w.apply(STATEFUL_SET, workload(replicas=1))

        await w.until(STATEFUL_SET, settled(1))

        assert await w.events("RecreatingFailedPod") == [
            "StatefulSet default/web is recreating failed Pod web-0"
        ]


@pytest.mark.parametrize("limit", [0, 1])
async def test_revisions_are_kept_to_the_limit(tmp_path, limit):
    async with world(tmp_path) as w:
        await w.apply(STATEFUL_SET, workload(replicas=1, revisionHistoryLimit=limit))
        for image in ("v2", "v3", "v1"):
            await w.until(STATEFUL_SET, settled(1))
            await w.patch(STATEFUL_SET, set_image(image))
        await w.until(STATEFUL_SET, settled(1))

        while len(await w.all(CONTROLLER_REVISION)) != limit + 1:
            await w.idle()
        # What came back has the highest number.
        numbers = [one["revision"] for one in await w.all(CONTROLLER_REVISION)]
        assert max(numbers) >= 3


async def test_a_second_start_writes_nothing(tmp_path):
    async with living_cluster(tmp_path) as cluster:
        status = {"conditions": [{"type": "Ready", "status": "True"}]}
        await cluster.apply(NODE, {"metadata": {"name": "node"}, "status": status})
        async with at_work(cluster) as w:
            await w.apply(STATEFUL_SET, workload(replicas=2))
            await w.until(STATEFUL_SET, settled(2))
            await w.idle()
        before = await cluster.everything()

        async with at_work(cluster) as w:
            await w.idle()

        assert await cluster.everything() == before


def test_a_set_of_a_billion_pods_is_begun_with_some():
    owner = workload(STATEFUL_SET, replicas=10**9, podManagementPolicy="Parallel")

    steps = next_steps(owner, {}, "new", datetime(2026, 1, 1, tzinfo=UTC))

    assert steps.create == list(range(BURST))
