"""Deployments on the real API server."""

import pytest
from living_cluster import living_cluster
from workload_world import at_work, condition, images, is_ready, running, workload, world

from cn2.api.kinds import DEPLOYMENT, NODE, POD, REPLICA_SET
from cn2.api.kubernetes.mirror import MIRROR


def complete(replicas):
    """A test of a Deployment whose rollout has come to its end."""

    def test(obj):
        status = obj.get("status") or {}
        counts = ("replicas", "updatedReplicas", "availableReplicas")
        return (
            all(status.get(name, 0) == replicas for name in counts)
            and status.get("observedGeneration") == obj["metadata"]["generation"]
            and (condition(obj, "Progressing") or {}).get("reason") == "NewReplicaSetAvailable"
        )

    return test


def set_image(image):
    containers = [{"name": "c", "image": image}]
    return {"spec": {"template": {"spec": {"containers": containers}}}}


def revision(obj):
    return obj["metadata"]["annotations"]["deployment.kubernetes.io/revision"]


async def test_a_deployment_comes_up_with_conditions_events_and_revision(tmp_path):
    async with world(tmp_path) as w:
        await w.apply(DEPLOYMENT, workload(replicas=2))

        found = await w.until(DEPLOYMENT, complete(2))

        (only,) = await w.all(REPLICA_SET)
        name = only["metadata"]["name"]
        assert name == "web-" + only["metadata"]["labels"]["pod-template-hash"]
        assert revision(found) == revision(only) == "1"
        available, progressing = condition(found, "Available"), condition(found, "Progressing")
        assert available["reason"] == "MinimumReplicasAvailable"
        assert available["message"] == "Deployment has minimum availability."
        assert progressing["message"] == f'ReplicaSet "{name}" has successfully progressed.'
        assert await w.events("ScalingReplicaSet") == [f"Scaled up replica set {name} from 0 to 2"]


async def test_a_rolling_update_never_lacks_pods_and_never_has_too_many(tmp_path):
    async with world(tmp_path) as w:
        strategy = {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
        await w.apply(DEPLOYMENT, workload(replicas=3, strategy=strategy))
        await w.until(DEPLOYMENT, complete(3))

        await w.patch(DEPLOYMENT, set_image("v2"))
        seen = []

        async def sizes(obj):
            pods = await w.pods()
            seen.append((len(pods), sum(map(is_ready, pods))))

        while not complete(3)(await w.get(DEPLOYMENT)):
            await sizes(None)

        assert max(total for total, _ in seen) <= 4
        assert min(ready for _, ready in seen) >= 3
        assert images(await w.pods()) == ["v2"] * 3
        assert revision(await w.get(DEPLOYMENT)) == "2"


async def test_recreate_ends_the_old_before_the_new_begin(tmp_path):
    async with world(tmp_path) as w:
        await w.apply(DEPLOYMENT, workload(replicas=2, strategy={"type": "Recreate"}))
        await w.until(DEPLOYMENT, complete(2))

        await w.patch(DEPLOYMENT, set_image("v2"))
        while not complete(2)(await w.get(DEPLOYMENT)):
            assert len(set(images(await w.all(POD)))) < 2

        assert images(await w.pods()) == ["v2"] * 2


async def test_a_rollout_that_does_not_get_ready_stalls_is_late_and_can_be_undone(tmp_path):
    async with world(tmp_path) as w:
        w.runs = lambda pod: running(ready=images([pod]) == ["v1"])
        await w.apply(DEPLOYMENT, workload(replicas=3, progressDeadlineSeconds=1))
        await w.until(DEPLOYMENT, complete(3))
        await w.patch(DEPLOYMENT, set_image("bad"))

        found = await w.until(
            DEPLOYMENT,
            lambda obj: condition(obj, "Progressing")["reason"] == "ProgressDeadlineExceeded",
        )
        progressing = condition(found, "Progressing")
        assert progressing["status"] == "False"
        assert progressing["message"].endswith('" has timed out progressing.')
        assert found["status"]["availableReplicas"] == 3

        await w.patch(DEPLOYMENT, set_image("v1"))
        back = await w.until(DEPLOYMENT, complete(3))
        assert images(await w.pods()) == ["v1"] * 3
        assert revision(back) == "3"
        assert len(await w.all(REPLICA_SET)) == 2


async def test_paused_nothing_rolls_but_scaling_works(tmp_path):
    async with world(tmp_path) as w:
        await w.apply(DEPLOYMENT, workload(replicas=2))
        await w.until(DEPLOYMENT, complete(2))
        await w.patch(DEPLOYMENT, {"spec": {"paused": True}})
        await w.until(
            DEPLOYMENT, lambda obj: condition(obj, "Progressing")["reason"] == "DeploymentPaused"
        )

        await w.patch(DEPLOYMENT, {**set_image("v2"), "spec": {"replicas": 4}})
        await w.patch(DEPLOYMENT, set_image("v2"))
        await w.until(DEPLOYMENT, lambda obj: obj["status"].get("availableReplicas") == 4)
        assert images(await w.pods()) == ["v1"] * 4

        await w.patch(DEPLOYMENT, {"spec": {"paused": False}})
        await w.until(DEPLOYMENT, complete(4))
        assert images(await w.pods()) == ["v2"] * 4


async def test_history_is_kept_to_its_limit(tmp_path):
    async with world(tmp_path) as w:
        await w.apply(DEPLOYMENT, workload(replicas=1, revisionHistoryLimit=1))
        for image in ("v2", "v3", "v4"):
            await w.until(DEPLOYMENT, complete(1))
            await w.patch(DEPLOYMENT, set_image(image))
        await w.until(DEPLOYMENT, complete(1))

        async def kept():
            return sorted(map(revision, await w.all(REPLICA_SET)))

        while await kept() != ["3", "4"]:
            await w.idle()


async def test_scaled_in_the_middle_of_a_rollout_both_generations_share(tmp_path):
    async with world(tmp_path) as w:
        w.runs = lambda pod: running(ready=images([pod]) == ["v1"])
        strategy = {"rollingUpdate": {"maxSurge": 3, "maxUnavailable": 2}}
        await w.apply(DEPLOYMENT, workload(replicas=10, strategy=strategy))
        await w.until(DEPLOYMENT, complete(10))
        await w.patch(DEPLOYMENT, set_image("bad"))
        # The documentation's example: 8 old and 5 new, then scaled to 15.
        await w.until(DEPLOYMENT, lambda obj: obj["status"].get("updatedReplicas") == 5)
        await w.until_pods(lambda pods: images(pods).count("v1") == 8)

        await w.patch(DEPLOYMENT, {"spec": {"replicas": 15}})

        await w.until_pods(
            lambda pods: (images(pods).count("v1"), images(pods).count("bad")) == (11, 7)
        )


async def test_a_name_that_is_taken_is_counted_as_a_collision(tmp_path):
    async with world(tmp_path) as w:
        await w.apply(DEPLOYMENT, workload(replicas=1))
        await w.until(DEPLOYMENT, complete(1))
        (own,) = await w.all(REPLICA_SET)
        await w.admin.delete(DEPLOYMENT, "web", "default", propagation="Orphan")
        await w.until(
            REPLICA_SET,
            lambda obj: not obj["metadata"].get("ownerReferences"),
            own["metadata"]["name"],
        )
        while await w.get(DEPLOYMENT):
            await w.idle()
        labels = {"labels": {"app": None}}
        await w.patch(REPLICA_SET, {"metadata": labels}, own["metadata"]["name"])

        await w.apply(DEPLOYMENT, workload(replicas=1))

        found = await w.until(DEPLOYMENT, complete(1))
        assert found["status"]["collisionCount"] == 1
        assert len(await w.all(REPLICA_SET)) == 2


async def test_what_only_shows_a_process_is_left_alone(tmp_path):
    async with world(tmp_path) as w:
        shown = workload("shown")
        shown["metadata"]["annotations"] = {MIRROR: "true"}
        await w.apply(DEPLOYMENT, shown)
        await w.apply(DEPLOYMENT, workload(replicas=1))
        await w.until(DEPLOYMENT, complete(1))

        assert "status" not in await w.get(DEPLOYMENT, "shown")
        assert len(await w.all(REPLICA_SET)) == 1


@pytest.mark.parametrize("propagation", ["Background", "Foreground"])
async def test_it_goes_with_everything_below_it(tmp_path, propagation):
    async with world(tmp_path) as w:
        await w.apply(DEPLOYMENT, workload(replicas=2))
        await w.until(DEPLOYMENT, complete(2))

        await w.admin.delete(DEPLOYMENT, "web", "default", propagation=propagation)

        await w.until_pods(lambda pods: not pods)
        while await w.all(REPLICA_SET) or await w.get(DEPLOYMENT):
            await w.idle()


async def test_a_second_start_writes_nothing(tmp_path):
    async with living_cluster(tmp_path) as cluster:
        status = {"conditions": [{"type": "Ready", "status": "True"}]}
        await cluster.apply(NODE, {"metadata": {"name": "node"}, "status": status})
        async with at_work(cluster) as w:
            await w.apply(DEPLOYMENT, workload(replicas=2))
            await w.until(DEPLOYMENT, complete(2))
            await w.patch(DEPLOYMENT, set_image("v2"))
            await w.until(DEPLOYMENT, complete(2))
            await w.until_pods(lambda pods: len(pods) == 2)
            await w.idle()
        before = await cluster.everything()

        async with at_work(cluster) as w:
            await w.idle()

        assert await cluster.everything() == before
