"""The status of a Job, before and after its ended pods are let go. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from cn2.api.access import items, mapping, text
from cn2.api.kind import Object
from cn2.localkube.pods import is_pod_ready
from cn2.localkube.workloads import job_indexes
from cn2.localkube.workloads.conditions import condition_of, with_condition
from cn2.localkube.workloads.job_plan import (
    Tally,
    Verdict,
    has_succeeded,
    is_indexed,
    is_suspended,
)
from cn2.localkube.workloads.times import stamp

_SUSPENDED = "Suspended"
_BEFORE = {"Complete": "SuccessCriteriaMet", "Failed": "FailureTarget"}


def noted(job: Object, found: Tally) -> Object:
    """The status that names the pods which have ended, before they lose their finalizer."""
    status = dict(mapping(job, "status"))
    uncounted = mapping(status, "uncountedTerminatedPods")
    uids = {name: set(items(uncounted, name)) for name in ("succeeded", "failed")}
    for pod in found.ended:
        good = has_succeeded(pod)
        if not (good and is_indexed(job)):
            uids["succeeded" if good else "failed"].add(text(pod, "metadata", "uid"))
    status["uncountedTerminatedPods"] = {name: sorted(some) for name, some in uids.items() if some}
    if is_indexed(job) and found.completed:
        status["completedIndexes"] = job_indexes.shown(found.completed)
        status["succeeded"] = found.succeeded
    return status


def job_status(
    job: Object, found: Tally, active: Sequence[Object], end: Verdict | None, now: datetime
) -> Object:
    """The whole status; `active` are the pods that go on."""
    status, moment = mapping(job, "status"), stamp(now)
    conditions = _conditions(job, end, moment)
    start = None if is_suspended(job) and not end else text(status, "startTime") or moment
    counts = {
        "active": len(active),
        "failed": found.failed,
        "succeeded": found.succeeded,
    }
    return {
        **{name: number for name, number in counts.items() if number},
        "ready": sum(is_pod_ready(pod) for pod in active),
        "terminating": found.terminating,
        "uncountedTerminatedPods": {},
        **({"completedIndexes": job_indexes.shown(found.completed)} if found.completed else {}),
        **({"conditions": conditions} if conditions else {}),
        **({"startTime": start} if start else {}),
        **({"completionTime": moment} if end and end.type == "Complete" else {}),
    }


def _conditions(job: Object, end: Verdict | None, now: str) -> list[Object]:
    conditions = items(job, "status", "conditions")
    have = text(condition_of(conditions, _SUSPENDED), "status")
    if is_suspended(job) and not end:
        conditions = _with(conditions, _SUSPENDED, "True", "JobSuspended", "Job suspended", now)
    elif have == "True":
        conditions = _with(conditions, _SUSPENDED, "False", "JobResumed", "Job resumed", now)
    if end:
        for type_ in (_BEFORE[end.type], end.type):
            conditions = _with(conditions, type_, "True", end.reason, end.message, now)
    return conditions


def _with(
    conditions: list[Object], type_: str, status: str, reason: str, message: str, now: str
) -> list[Object]:
    wanted = {"type": type_, "status": status, "reason": reason, "message": message}
    after = with_condition(conditions, wanted, now)
    if after is conditions:
        return conditions
    return [*after[:-1], {**after[-1], "lastProbeTime": now}]


def was_resumed(before: Object, after: Object) -> bool | None:
    """True when a status says that the Job goes on again, False that it was suspended, None
    neither."""
    old, new = (
        text(condition_of(items(one, "conditions"), _SUSPENDED), "status")
        for one in (before, after)
    )
    if new == old or not new:
        return None
    return new == "False"
