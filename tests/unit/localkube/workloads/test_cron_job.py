"""CronJobs on the real API server, with a clock of the test's own."""

from datetime import UTC, datetime, timedelta

from workload_world import condition, ended, running, world

from cn2.api.kinds import CRON_JOB, JOB
from cn2.localkube.workloads import cron_plan


class Clock:
    """Stands still until it is told to move."""

    def __init__(self):
        self.now = datetime(2020, 1, 1, tzinfo=UTC)

    def __call__(self):
        return self.now


def cron_job(**spec):
    template = {
        "spec": {"containers": [{"name": "c", "image": "v1"}], "restartPolicy": "Never"},
    }
    return {
        "metadata": {"name": "nightly", "namespace": "default"},
        "spec": {
            "schedule": "* * * * *",
            "jobTemplate": {"spec": {"template": template}},
            **spec,
        },
    }


async def begin(w, clock, **spec):
    """Makes the CronJob, and puts the clock into the minute of its creation."""
    made = await w.apply(CRON_JOB, cron_job(**spec))
    born = datetime.fromisoformat(made["metadata"]["creationTimestamp"])
    clock.now = born.replace(second=30)
    await look(w)


async def minute_passes(w, clock):
    """The next minute comes, and the controller looks."""
    clock.now += timedelta(minutes=1)
    await look(w)


async def look(w):
    stamp = {"annotations": {"seen": str(await _looks(w))}}
    await w.patch(CRON_JOB, {"metadata": stamp}, "nightly")
    await w.idle()


async def _looks(w):
    found = await w.get(CRON_JOB, "nightly")
    return int(found["metadata"].get("annotations", {}).get("seen", "0")) + 1


def job_name(clock):
    return f"nightly-{int(clock.now.timestamp()) // 60}"


async def jobs(w):
    return sorted(job["metadata"]["name"] for job in await w.all(JOB))


async def until_jobs(w, count):
    while len(found := await jobs(w)) != count:
        await w.idle()
    return found


async def test_a_job_starts_at_its_time_and_is_told_of(tmp_path):
    clock = Clock()
    async with world(tmp_path, clock=clock) as w:
        w.runs = lambda pod: running()
        await begin(w, clock)
        await minute_passes(w, clock)
        first = job_name(clock)

        found = await w.until(
            CRON_JOB, lambda obj: obj.get("status", {}).get("lastScheduleTime"), "nightly"
        )
        assert [one["name"] for one in found["status"]["active"]] == [first]
        assert f"Created job {first}" in await w.events("SuccessfulCreate")

        w.runs = lambda pod: ended(0)
        found = await w.until(
            CRON_JOB, lambda obj: obj["status"].get("lastSuccessfulTime"), "nightly"
        )
        assert "active" not in found["status"]
        assert await w.events("SawCompletedJob") == [
            f"Saw completed job: {first}, condition: Complete"
        ]


async def test_where_runs_may_not_overlap_the_next_one_waits(tmp_path):
    clock = Clock()
    async with world(tmp_path, clock=clock) as w:
        await begin(w, clock, concurrencyPolicy="Forbid")
        await minute_passes(w, clock)
        first = await until_jobs(w, 1)

        await minute_passes(w, clock)

        assert await jobs(w) == first
        (message,) = await w.events("JobAlreadyActive")
        assert message.startswith("Not starting job because prior execution is running")
        w.runs = lambda pod: ended(0)
        await until_jobs(w, 2)


async def test_where_runs_replace_each_other_the_old_one_goes(tmp_path):
    clock = Clock()
    async with world(tmp_path, clock=clock) as w:
        await begin(w, clock, concurrencyPolicy="Replace")
        await minute_passes(w, clock)
        (first,) = await until_jobs(w, 1)

        await minute_passes(w, clock)

        while await jobs(w) != [job_name(clock)]:
            await w.idle()
        assert f"Deleted job {first}" in await w.events("SuccessfulDelete")


async def test_only_the_latest_of_missed_times_is_made_up_for_and_none_while_suspended(tmp_path):
    clock = Clock()
    async with world(tmp_path, clock=clock) as w:
        await begin(w, clock, suspend=True)
        clock.now += timedelta(minutes=7)
        await look(w)
        assert await jobs(w) == []

        await w.patch(CRON_JOB, {"spec": {"suspend": False}}, "nightly")

        assert await until_jobs(w, 1) == [job_name(clock)]


async def test_ended_jobs_are_kept_to_the_limits(tmp_path):
    clock = Clock()
    async with world(tmp_path, clock=clock) as w:
        w.runs = lambda pod: ended(0)
        await begin(w, clock, successfulJobsHistoryLimit=1)
        for _ in range(3):
            await minute_passes(w, clock)
            last = job_name(clock)
            await w.until(JOB, lambda obj: condition(obj, "Complete"), last)

        while await jobs(w) != [last]:
            await w.idle()


def stored(since, **spec):
    return {
        "metadata": {"name": "x", "namespace": "default", "creationTimestamp": since},
        "spec": {"schedule": "30 2 * * *", **spec},
    }


def test_a_time_is_due_once_it_has_come_and_not_after_its_deadline():
    cron = stored("2026-01-01T00:00:00Z")
    on_time = datetime(2026, 1, 1, 2, 30, tzinfo=UTC)

    assert cron_plan.due(cron, on_time - timedelta(seconds=1)) is None
    assert cron_plan.due(cron, on_time) == on_time
    assert cron_plan.due(cron, on_time + timedelta(hours=5)) == on_time
    strict = stored("2026-01-01T00:00:00Z", startingDeadlineSeconds=60)
    assert cron_plan.due(strict, on_time + timedelta(seconds=59)) == on_time
    assert cron_plan.due(strict, on_time + timedelta(seconds=61)) is None
    endless = stored("2026-01-01T00:00:00Z", startingDeadlineSeconds=10**12)
    assert cron_plan.due(endless, on_time) == on_time
    served = {**cron, "status": {"lastScheduleTime": "2026-01-01T02:30:00Z"}}
    assert cron_plan.due(served, on_time + timedelta(hours=5)) is None


def test_a_schedule_is_in_its_own_time_zone():
    cron = stored("2026-01-01T00:00:00Z", timeZone="America/New_York")

    due = cron_plan.due(cron, datetime(2026, 1, 1, 12, tzinfo=UTC))

    assert due == datetime(2026, 1, 1, 7, 30, tzinfo=UTC)
    job = cron_plan.job_for({**cron, "spec": {**cron["spec"], "jobTemplate": {}}}, due)
    annotations = job["metadata"]["annotations"]
    assert annotations[cron_plan.SCHEDULED_AT] == "2026-01-01T02:30:00-05:00"
