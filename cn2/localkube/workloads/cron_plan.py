"""When a CronJob starts a Job, and which of its Jobs are kept. Pure."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from cn2.api import cron
from cn2.api.access import at, items, mapping, name_of, namespace_of, text
from cn2.api.kind import Object
from cn2.api.kinds import CRON_JOB, JOB
from cn2.localkube.workloads.job_plan import finished
from cn2.localkube.workloads.ownership import controller_reference, is_deleting
from cn2.localkube.workloads.times import parsed, stamp

SCHEDULED_AT = "batch.kubernetes.io/cronjob-scheduled-timestamp"
FORBID, REPLACE = "Forbid", "Replace"


def due(cron_job: Object, now: datetime) -> datetime | None:
    """The latest time of the schedule that has come and has not been served; None when there is
    none. Raises ValueError for a schedule or zone that cannot be read."""
    last = text(cron_job, "status", "lastScheduleTime")
    since = parsed(last or text(cron_job, "metadata", "creationTimestamp")) or now
    deadline = at(cron_job, "spec", "startingDeadlineSeconds")
    if deadline is not None and (now - since).total_seconds() > deadline:
        since = now - timedelta(seconds=deadline)
    # With microseconds, so that a time which is this very second counts as past.
    local = _local(cron_job, now).replace(microsecond=max(1, now.microsecond))
    latest = next(cron.times_before(text(cron_job, "spec", "schedule"), local), None)
    if latest is None:
        return None
    latest = latest.astimezone(UTC)
    return latest if latest > since else None


def seconds_to_next(cron_job: Object, now: datetime) -> float:
    """Until the schedule's next time. Raises ValueError as `due` does."""
    schedule = text(cron_job, "spec", "schedule")
    following = next(cron.times_after(schedule, _local(cron_job, now)))
    return max(0.0, (following - now).total_seconds()) + 0.1


def _local(cron_job: Object, now: datetime) -> datetime:
    name = text(cron_job, "spec", "timeZone")
    return now.astimezone(cron.zone(name) if name else UTC)


def job_for(cron_job: Object, when: datetime) -> Object:
    """The Job of one time of the schedule; its name is that of the minute, so that no time is
    served twice."""
    template = mapping(cron_job, "spec", "jobTemplate")
    given = mapping(template, "metadata")
    annotations = {**mapping(given, "annotations"), SCHEDULED_AT: _zoned(cron_job, when)}
    return {
        "apiVersion": JOB.api_version,
        "kind": JOB.kind,
        "metadata": {
            "name": f"{name_of(cron_job)}-{int(when.timestamp()) // 60}",
            "namespace": namespace_of(cron_job),
            "labels": dict(mapping(given, "labels")),
            "annotations": annotations,
            "ownerReferences": [controller_reference(CRON_JOB, cron_job)],
        },
        "spec": copy.deepcopy(mapping(template, "spec")),
    }


def _zoned(cron_job: Object, when: datetime) -> str:
    local = _local(cron_job, when)
    return stamp(local) if local.utcoffset() == timedelta() else local.isoformat()


def reference(job: Object) -> Object:
    """How status.active names a Job."""
    return {
        "apiVersion": JOB.api_version,
        "kind": JOB.kind,
        "name": name_of(job),
        "namespace": namespace_of(job),
        "uid": text(job, "metadata", "uid"),
        "resourceVersion": text(job, "metadata", "resourceVersion"),
    }


def running(cron_job: Object, jobs: Iterable[Object]) -> list[Object]:
    """status.active without what is over or gone."""
    alive = {text(job, "metadata", "uid") for job in jobs if not finished(job)}
    return [one for one in items(cron_job, "status", "active") if text(one, "uid") in alive]


def last_success(cron_job: Object, jobs: Iterable[Object]) -> str:
    """status.lastSuccessfulTime; "" when nothing has succeeded yet."""
    ends = [
        text(job, "status", "completionTime")
        for job in jobs
        if text(finished(job), "type") == "Complete"
    ]
    return max([text(cron_job, "status", "lastSuccessfulTime"), *ends])


def superfluous(cron_job: Object, jobs: Sequence[Object]) -> list[Object]:
    """Finished Jobs beyond the history's limits, the oldest."""
    found = []
    for type_, limit in (
        ("Complete", at(cron_job, "spec", "successfulJobsHistoryLimit", default=3)),
        ("Failed", at(cron_job, "spec", "failedJobsHistoryLimit", default=1)),
    ):
        ended = [
            job for job in jobs if text(finished(job), "type") == type_ and not is_deleting(job)
        ]
        ended.sort(key=lambda job: (text(job, "status", "startTime"), name_of(job)))
        found += ended[: max(0, len(ended) - limit)]
    return found
