"""DaemonSets on the real API server."""

from living_cluster import living_cluster, until
from workload_world import at_work, ended, images, running, workload, world

from cn2.api.kinds import CONTROLLER_REVISION, DAEMON_SET, NODE, POD

READY = {"conditions": [{"type": "Ready", "status": "True"}]}


def settled(number):
    """A test of a DaemonSet that is everywhere, updated and available."""

    def test(obj):
        status = obj.get("status") or {}
        counts = ("desiredNumberScheduled", "updatedNumberScheduled", "numberAvailable")
        return (
            all(status.get(name, 0) == number for name in counts)
            and status.get("observedGeneration") == obj["metadata"]["generation"]
        )

    return test


def set_image(image):
    containers = [{"name": "c", "image": image}]
    return {"spec": {"template": {"spec": {"containers": containers}}}}


async def add_node(w, name, **spec):
    await w.apply(NODE, {"metadata": {"name": name}, "spec": spec, "status": READY})


def places(pods):
    return sorted(pod["spec"].get("nodeName", "") for pod in pods)


async def test_every_node_has_one_pod_also_those_that_come_later(tmp_path):
    async with world(tmp_path) as w:
        await w.apply(DAEMON_SET, workload())
        await w.until(DAEMON_SET, settled(1))

        await add_node(w, "second")
        found = await w.until(DAEMON_SET, settled(2))

        assert places(await w.pods()) == ["node", "second"]
        assert found["status"]["currentNumberScheduled"] == 2
        (revision,) = await w.all(CONTROLLER_REVISION)
        labels = (await w.pods())[0]["metadata"]["labels"]
        assert revision["metadata"]["name"] == "web-" + labels["controller-revision-hash"]


async def test_a_tainted_node_is_left_out_and_a_cordoned_one_is_not(tmp_path):
    async with world(tmp_path) as w:
        taint = {"key": "dedicated", "value": "db", "effect": "NoSchedule"}
        await add_node(w, "tainted", taints=[taint])
        cordon = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
        await add_node(w, "cordoned", unschedulable=True, taints=[cordon])

        await w.apply(DAEMON_SET, workload())

        await w.until(DAEMON_SET, settled(2))
        assert places(await w.pods()) == ["cordoned", "node"]


async def test_an_update_replaces_one_pod_at_a_time(tmp_path):
    async with world(tmp_path) as w:
        await add_node(w, "second")
        await w.apply(DAEMON_SET, workload())
        await w.until(DAEMON_SET, settled(2))
        seen = []

        await w.patch(DAEMON_SET, set_image("v2"))
        while not settled(2)(await w.get(DAEMON_SET)):
            seen.append(len(await w.pods()))

        assert images(await w.pods()) == ["v2", "v2"]
        assert min(seen) >= 1


async def test_with_a_surge_the_new_pod_is_ready_before_the_old_one_goes(tmp_path):
    async with world(tmp_path) as w:
        rolling = {"maxSurge": 1, "maxUnavailable": 0}
        await w.apply(DAEMON_SET, workload(updateStrategy={"rollingUpdate": rolling}))
        await w.until(DAEMON_SET, settled(1))
        w.runs = lambda pod: running(ready=images([pod]) == ["v1"])

        await w.patch(DAEMON_SET, set_image("v2"))
        await w.until_pods(lambda pods: images(pods) == ["v1", "v2"])
        await w.idle()
        assert images(await w.pods()) == ["v1", "v2"]

        w.runs = lambda pod: running()
        await w.until_pods(lambda pods: images(pods) == ["v2"])


async def test_on_delete_nothing_is_replaced_unasked(tmp_path):
    async with world(tmp_path) as w:
        await w.apply(DAEMON_SET, workload(updateStrategy={"type": "OnDelete"}))
        await w.until(DAEMON_SET, settled(1))
        await w.patch(DAEMON_SET, set_image("v2"))
        await w.idle()
        (old,) = await w.pods()
        assert images([old]) == ["v1"]

        await w.admin.delete(POD, old["metadata"]["name"], "default")

        await w.until_pods(lambda pods: images(pods) == ["v2"])


async def test_a_pod_that_failed_is_told_of_and_replaced(tmp_path):
    async with world(tmp_path) as w:
        failed = []

        def runs(pod):
            if not failed:
                failed.append(pod["metadata"]["uid"])
            return ended(1) if pod["metadata"]["uid"] in failed else running()

        w.runs = runs
        await w.apply(DAEMON_SET, workload())

        await w.until(DAEMON_SET, settled(1))

        (message,) = await w.events("FailedDaemonPod")
        assert message.startswith("Found failed daemon pod default/web-")
        assert message.endswith(" on node node, will try to kill it")


async def test_where_the_selector_of_nodes_fits_nothing_nothing_runs(tmp_path):
    async with world(tmp_path) as w:
        await w.apply(DAEMON_SET, workload(template_spec={"nodeSelector": {"disk": "ssd"}}))
        await w.until(DAEMON_SET, settled(0))
        assert await w.pods() == []

        await w.admin.patch(NODE, "node", {"metadata": {"labels": {"disk": "ssd"}}})

        await w.until(DAEMON_SET, settled(1))
        await w.admin.patch(NODE, "node", {"metadata": {"labels": {"disk": None}}})
        await until(lambda: _none(w))


async def _none(w):
    return not await w.pods()


async def test_a_second_start_writes_nothing(tmp_path):
    async with living_cluster(tmp_path) as cluster:
        await cluster.apply(NODE, {"metadata": {"name": "node"}, "status": READY})
        async with at_work(cluster) as w:
            await w.apply(DAEMON_SET, workload())
            await w.until(DAEMON_SET, settled(1))
            await w.idle()
        before = await cluster.everything()

        async with at_work(cluster) as w:
            await w.idle()

        assert await cluster.everything() == before
