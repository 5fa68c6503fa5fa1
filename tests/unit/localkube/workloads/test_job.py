"""Jobs on the real API server."""

from datetime import UTC, datetime, timedelta

import pytest
from living_cluster import living_cluster
from workload_world import at_work, condition, ended, running, world

from cn2.api.kinds import JOB, NODE, POD, RESOURCE_QUOTA
from cn2.localkube.workloads import job_indexes

TRACKING = "batch.kubernetes.io/job-tracking"


def job(name="pi", policy="Never", **spec):
    template = {
        "spec": {"containers": [{"name": "c", "image": "v1"}], "restartPolicy": policy},
    }
    return {
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"template": template, **spec},
    }


def has(type_):
    return lambda obj: (condition(obj, type_) or {}).get("status") == "True"


async def test_a_job_completes_and_counts_and_lets_its_pods_go(tmp_path):
    async with world(tmp_path) as w:
        w.runs = lambda pod: ended(0)
        await w.apply(JOB, job(completions=3, parallelism=2))

        done = await w.until(JOB, has("Complete"), "pi")

        status = done["status"]
        assert (status["succeeded"], status.get("active"), status.get("failed")) == (3, None, None)
        assert status["uncountedTerminatedPods"] == {}
        assert status["completionTime"] and status["startTime"]
        complete = condition(done, "Complete")
        assert complete["reason"] == "CompletionsReached"
        pods = await w.pods()
        assert len(pods) == 3
        assert all(TRACKING not in pod["metadata"].get("finalizers", ()) for pod in pods)
        assert await w.events("Completed") == ["Job completed"]
        assert len(await w.events("SuccessfulCreate", 3)) == 3


async def test_a_job_of_a_billion_pods_is_begun_with_some(tmp_path):
    async with world(tmp_path) as w:
        await w.apply(
            RESOURCE_QUOTA,
            {
                "metadata": {"name": "two", "namespace": "default"},
                "spec": {"hard": {"pods": "2"}},
            },
        )
        await w.apply(JOB, job(completions=10**9, parallelism=10**9))

        await w.until_pods(lambda pods: len(pods) == 2)

        assert "exceeded quota" in (await w.events("FailedCreate"))[0]


async def test_a_job_whose_pods_fail_fails_at_its_limit(tmp_path):
    async with world(tmp_path) as w:
        w.runs = lambda pod: ended(1)
        await w.apply(JOB, job(backoffLimit=0))

        failed = await w.until(JOB, has("Failed"), "pi")

        verdict = condition(failed, "Failed")
        assert verdict["reason"] == "BackoffLimitExceeded"
        assert verdict["message"] == "Job has reached the specified backoff limit"
        assert failed["status"]["failed"] == 1
        assert await w.events("BackoffLimitExceeded") == [verdict["message"]]
        await w.idle()
        assert len(await w.all(POD)) == 1


async def test_a_pod_that_is_deleted_after_it_succeeded_is_counted_and_not_repeated(tmp_path):
    async with world(tmp_path) as w:
        w.runs = lambda pod: running()
        await w.apply(JOB, job(completions=2, parallelism=1))
        (first,) = await w.until_pods(
            lambda pods: len(pods) == 1 and pods[0]["spec"].get("nodeName")
        )
        w.runs = lambda pod: (
            ended(0) if pod["metadata"]["uid"] == first["metadata"]["uid"] else None
        )

        await w.until(JOB, lambda obj: obj.get("status", {}).get("succeeded") == 1, "pi")
        await w.admin.delete(POD, first["metadata"]["name"], "default")
        await w.until_pods(lambda pods: len(pods) == 1)
        await w.idle()

        found = await w.get(JOB, "pi")
        assert found["status"]["succeeded"] == 1
        assert len(await w.pods()) == 1


async def test_after_its_deadline_a_job_fails_and_its_pods_go(tmp_path):
    async with world(tmp_path) as w:
        await w.apply(JOB, job(activeDeadlineSeconds=1))

        failed = await w.until(JOB, has("Failed"), "pi")

        assert condition(failed, "Failed")["reason"] == "DeadlineExceeded"
        await w.until_pods(lambda pods: not pods)


async def test_suspended_nothing_runs_and_nothing_counts_as_failed(tmp_path):
    async with world(tmp_path) as w:
        await w.apply(JOB, job(parallelism=2))
        await w.until(JOB, lambda obj: obj.get("status", {}).get("ready") == 2, "pi")

        await w.patch(JOB, {"spec": {"suspend": True}}, "pi")
        await w.until(JOB, has("Suspended"), "pi")
        await w.until_pods(lambda pods: not pods)
        found = await w.until(JOB, lambda obj: not obj["status"].get("active"), "pi")
        assert "failed" not in found["status"]
        assert "startTime" not in found["status"]

        await w.patch(JOB, {"spec": {"suspend": False}}, "pi")
        found = await w.until(JOB, lambda obj: obj.get("status", {}).get("ready") == 2, "pi")
        assert condition(found, "Suspended")["reason"] == "JobResumed"
        assert await w.events("Suspended") == ["Job suspended"]
        assert await w.events("Resumed") == ["Job resumed"]


async def test_every_index_completes_once(tmp_path):
    async with world(tmp_path) as w:
        w.runs = lambda pod: ended(0)
        await w.apply(JOB, job(completions=5, parallelism=2, completionMode="Indexed"))

        done = await w.until(JOB, has("Complete"), "pi")

        assert done["status"]["completedIndexes"] == "0-4"
        pods = await w.pods()
        key = "batch.kubernetes.io/job-completion-index"
        assert sorted(pod["metadata"]["annotations"][key] for pod in pods) == list("01234")
        spec = pods[0]["spec"]
        assert spec["hostname"].startswith("pi-")
        assert spec["containers"][0]["env"][0]["name"] == "JOB_COMPLETION_INDEX"


async def test_a_finished_job_goes_after_its_time(tmp_path):
    now = [datetime.now(UTC)]
    async with world(tmp_path, clock=lambda: now[0]) as w:
        w.runs = lambda pod: ended(0)
        await w.apply(JOB, job(ttlSecondsAfterFinished=100))
        await w.until(JOB, has("Complete"), "pi")
        await w.idle()
        assert await w.get(JOB, "pi")

        now[0] += timedelta(seconds=101)
        await w.patch(JOB, {"metadata": {"annotations": {"look": "again"}}}, "pi")

        while await w.get(JOB, "pi") or await w.all(POD):
            await w.idle()


@pytest.mark.parametrize("propagation", ["Background", "Orphan"])
async def test_a_job_that_is_deleted_holds_no_pod(tmp_path, propagation):
    async with world(tmp_path) as w:
        await w.apply(JOB, job())
        await w.until(JOB, lambda obj: obj.get("status", {}).get("ready") == 1, "pi")

        await w.admin.delete(JOB, "pi", "default", propagation=propagation)

        kept = int(propagation == "Orphan")
        await w.until_pods(
            lambda pods: (
                len(pods) == kept and not any(p["metadata"].get("finalizers") for p in pods)
            )
        )
        if not kept:
            while await w.all(POD):
                await w.idle()


async def test_a_job_with_pods_that_nobody_counted_is_finished_after_a_restart(tmp_path):
    async with living_cluster(tmp_path) as cluster:
        status = {"conditions": [{"type": "Ready", "status": "True"}]}
        await cluster.apply(NODE, {"metadata": {"name": "node"}, "status": status})
        async with at_work(cluster) as w:
            await w.apply(JOB, job())
            await w.until(JOB, lambda obj: obj.get("status", {}).get("ready") == 1, "pi")
            (pod,) = await w.pods()
        name = pod["metadata"]["name"]
        await cluster.admin.patch(POD, name, {"status": ended(0)}, "default", subresource="status")
        await cluster.admin.delete(POD, name, "default")

        async with at_work(cluster) as w:
            done = await w.until(JOB, has("Complete"), "pi")
            assert done["status"]["succeeded"] == 1
            await w.until_pods(lambda pods: not pods)
            await w.idle()
        before = await cluster.everything()
        async with at_work(cluster) as w:
            await w.idle()
        assert await cluster.everything() == before


@pytest.mark.parametrize(
    ("text", "indexes"), [("", []), ("1,3-5,7", [1, 3, 4, 5, 7]), ("0,1", [0, 1])]
)
def test_indexes_are_read_and_written_as_kubernetes_has_them(text, indexes):
    assert job_indexes.parse(text) == set(indexes)
    assert job_indexes.shown(indexes) == text
