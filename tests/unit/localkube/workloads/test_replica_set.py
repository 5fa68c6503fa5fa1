"""ReplicaSets on the real API server."""

from living_cluster import living_cluster
from workload_world import at_work, condition, running, template, workload, world

from cn2.api.kinds import NODE, POD, REPLICA_SET, REPLICATION_CONTROLLER
from cn2.client.errors import Unavailable


def ready(number):
    return lambda obj: (obj.get("status") or {}).get("readyReplicas", 0) == number


async def test_it_makes_as_many_pods_as_asked_for_and_tells_so(tmp_path):
    async with world(tmp_path) as w:
        await w.apply(REPLICA_SET, workload(replicas=3))

        found = await w.until(REPLICA_SET, ready(3))

        assert found["status"] == {
            "observedGeneration": 1,
            "replicas": 3,
            "fullyLabeledReplicas": 3,
            "readyReplicas": 3,
            "availableReplicas": 3,
        }
        pods = await w.pods()
        (owner,) = pods[0]["metadata"]["ownerReferences"]
        assert owner == {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "name": "web",
            "uid": found["metadata"]["uid"],
            "controller": True,
            "blockOwnerDeletion": True,
        }
        names = {pod["metadata"]["name"] for pod in pods}
        told = await w.events("SuccessfulCreate", 3)
        assert set(told) == {f"Created pod: {name}" for name in names}


async def test_a_replication_controller_does_the_same_with_a_map_of_labels(tmp_path):
    async with world(tmp_path) as w:
        spec = workload(replicas=2)["spec"] | {"selector": {"app": "web"}}
        await w.apply(REPLICATION_CONTROLLER, {**workload(), "spec": spec})

        found = await w.until(REPLICATION_CONTROLLER, ready(2))

        assert found["spec"]["selector"] == {"app": "web"}
        owners = [pod["metadata"]["ownerReferences"][0] for pod in await w.pods()]
        assert {(owner["apiVersion"], owner["kind"]) for owner in owners} == {
            ("v1", "ReplicationController")
        }


async def test_a_pod_that_goes_is_replaced(tmp_path):
    async with world(tmp_path) as w:
        await w.apply(REPLICA_SET, workload(replicas=2))
        await w.until(REPLICA_SET, ready(2))
        gone = (await w.pods())[0]["metadata"]

        await w.admin.delete(POD, gone["name"], "default")

        await w.until_pods(
            lambda pods: len(pods) == 2 and all(p["metadata"]["uid"] != gone["uid"] for p in pods)
        )


async def test_scaled_down_the_least_useful_go_first(tmp_path):
    async with world(tmp_path) as w:
        w.runs = lambda pod: running(ready=pod["metadata"]["name"] != "web-idle")
        idle = {"name": "web-idle", "namespace": "default", "labels": {"app": "web"}}
        await w.apply(POD, {**template(), "metadata": idle})
        await w.apply(REPLICA_SET, workload(replicas=3))
        await w.until(REPLICA_SET, ready(2))

        await w.patch(REPLICA_SET, {"spec": {"replicas": 2}})
        found = await w.until(REPLICA_SET, lambda obj: obj["status"]["replicas"] == 2)

        assert found["status"]["readyReplicas"] == 2
        assert await w.events("SuccessfulDelete") == ["Deleted pod: web-idle"]


async def test_a_pod_that_loses_its_label_is_let_go_and_taken_back(tmp_path):
    async with world(tmp_path) as w:
        await w.apply(REPLICA_SET, workload(replicas=1))
        await w.until(REPLICA_SET, ready(1))
        name = (await w.pods())[0]["metadata"]["name"]

        await w.patch(POD, {"metadata": {"labels": {"app": "other"}}}, name)
        freed = await w.until(POD, lambda pod: not pod["metadata"].get("ownerReferences"), name)
        assert freed
        await w.until_pods(lambda pods: len(pods) == 2)

        await w.patch(POD, {"metadata": {"labels": {"app": "web"}}}, name)
        await w.until_pods(lambda pods: len(pods) == 1)


async def test_what_another_controls_is_not_taken(tmp_path):
    async with world(tmp_path) as w:
        node = await w.admin.get(NODE, "node")
        owner = {
            "apiVersion": "v1",
            "kind": "Node",
            "name": "node",
            "uid": node["metadata"]["uid"],
            "controller": True,
        }
        metadata = {"name": "static", "namespace": "default", "labels": {"app": "web"}}
        await w.apply(POD, {**template(), "metadata": {**metadata, "ownerReferences": [owner]}})

        await w.apply(REPLICA_SET, workload(replicas=1))
        await w.until(REPLICA_SET, ready(1))

        static = await w.get(POD, "static")
        assert [ref["kind"] for ref in static["metadata"]["ownerReferences"]] == ["Node"]
        assert len(await w.pods()) == 2


async def test_what_is_refused_is_told_in_condition_and_event_and_tried_again(tmp_path):
    async with world(tmp_path) as w:
        broken = workload(replicas=5, template_spec={"nodeSelector": {"x": "y"}})
        broken["spec"]["template"]["metadata"]["annotations"] = {"bad key": "x"}
        await w.apply(REPLICA_SET, broken)

        found = await w.until(REPLICA_SET, lambda obj: condition(obj, "ReplicaFailure"))
        failure = condition(found, "ReplicaFailure")
        assert (failure["status"], failure["reason"]) == ("True", "FailedCreate")
        assert "metadata.annotations: Invalid value" in failure["message"]
        assert "Error creating: " + failure["message"] in await w.events("FailedCreate")

        await w.patch(
            REPLICA_SET, {"spec": {"template": {"metadata": {"annotations": {"bad key": None}}}}}
        )
        await w.until_pods(lambda pods: len(pods) == 5)
        await w.until(REPLICA_SET, lambda obj: not condition(obj, "ReplicaFailure"))


async def test_answers_that_are_lost_make_no_pod_twice(tmp_path):
    async with world(tmp_path) as w:
        create, lost = w.client.create, []

        async def lossy(kind, obj, **more):
            made = await create(kind, obj, **more)
            if kind is POD and len(lost) < 3:
                lost.append(made["metadata"]["name"])
                raise Unavailable(0, "Unreachable", "the connection was cut")
            return made

        w.client.create = lossy
        await w.apply(REPLICA_SET, workload(replicas=4))

        await w.until(REPLICA_SET, ready(4))

        assert len(lost) == 3
        assert len(await w.all(POD)) == 4


async def test_ready_pods_are_available_after_their_seconds(tmp_path):
    async with world(tmp_path) as w:
        w.runs = lambda pod: running(since="2999-01-01T00:00:00Z")
        await w.apply(REPLICA_SET, workload(replicas=1, minReadySeconds=60))

        found = await w.until(REPLICA_SET, ready(1))

        assert "availableReplicas" not in found["status"]


async def test_a_second_start_writes_nothing(tmp_path):
    async with living_cluster(tmp_path) as cluster:
        status = {"conditions": [{"type": "Ready", "status": "True"}]}
        await cluster.apply(NODE, {"metadata": {"name": "node"}, "status": status})
        async with at_work(cluster) as w:
            await w.apply(REPLICA_SET, workload(replicas=3))
            await w.until(REPLICA_SET, ready(3))
            await w.idle()
        before = await cluster.everything()

        async with at_work(cluster) as w:
            await w.idle()

        assert await cluster.everything() == before
