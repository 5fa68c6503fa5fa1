"""What follows for a Job from its pods. Pure.

A pod that has ended keeps a finalizer until it is counted, so that one which is deleted is
counted too, and never twice (batch.kubernetes.io/job-tracking). Counting takes two status writes:
its uid goes into uncountedTerminatedPods, the finalizer goes, then the number goes up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from cn2.api.access import at, items, mapping, text
from cn2.api.kind import Object
from cn2.localkube.pods import is_finished, is_pod_ready
from cn2.localkube.workloads import job_indexes
from cn2.localkube.workloads.backoff import delay
from cn2.localkube.workloads.ownership import is_deleting
from cn2.localkube.workloads.pod_state import is_active, restarts
from cn2.localkube.workloads.times import seconds_since

TRACKING = "batch.kubernetes.io/job-tracking"
_FIRST_DELAY, _LAST_DELAY = 10.0, 600.0
"""Seconds before a failed pod is replaced, doubled with each failure: Kubernetes' own."""


@dataclass(slots=True)
class Tally:
    """What is known of a Job's pods, those counted before included."""

    succeeded: int = 0
    failed: int = 0
    ended: list[Object] = field(default_factory=list)
    """Pods that have ended and still carry the finalizer."""
    active: list[Object] = field(default_factory=list)
    terminating: int = 0
    completed: set[int] = field(default_factory=set)
    """Indexes, of an Indexed Job."""
    latest_failure: float | None = None
    """Age in seconds of the latest failure that can be seen."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a Job ends: the condition's type, reason and message."""

    type: str
    reason: str
    message: str


def is_indexed(job: Object) -> bool:
    return text(job, "spec", "completionMode") == "Indexed"


def is_suspended(job: Object) -> bool:
    return at(job, "spec", "suspend") is True


def finished(job: Object) -> Object:
    """The condition Complete or Failed, {} while the Job goes on."""
    for condition in items(job, "status", "conditions"):
        ended = text(condition, "type") in ("Complete", "Failed")
        if ended and text(condition, "status") == "True":
            return mapping(condition)
    return {}


def tracked(pod: Object) -> bool:
    return TRACKING in items(pod, "metadata", "finalizers")


def has_failed(pod: Object) -> bool:
    """It failed, or it is being deleted before it could succeed."""
    return text(pod, "status", "phase") == "Failed" or (is_deleting(pod) and not has_succeeded(pod))


def has_succeeded(pod: Object) -> bool:
    return text(pod, "status", "phase") == "Succeeded"


def tally(job: Object, pods: Sequence[Object], now: datetime) -> Tally:
    """Counts. What was counted before is in the status; what is in uncountedTerminatedPods and
    has lost its finalizer counts as well."""
    status = mapping(job, "status")
    uncounted = mapping(status, "uncountedTerminatedPods")
    known = {uid for name in ("succeeded", "failed") for uid in items(uncounted, name)}
    found = Tally(
        succeeded=status.get("succeeded", 0) + len(items(uncounted, "succeeded")),
        failed=status.get("failed", 0) + len(items(uncounted, "failed")),
        completed=job_indexes.parse(text(status, "completedIndexes")),
    )
    ages = []
    for pod in pods:
        if is_active(pod):
            found.active.append(pod)
            continue
        if is_deleting(pod) and not is_finished(pod):
            found.terminating += 1
            if at(job, "spec", "podReplacementPolicy") == "Failed":
                continue
        if has_failed(pod):
            ages.append(seconds_since(_end_of(pod), now))
        if not tracked(pod):
            continue
        found.ended.append(pod)
        if text(pod, "metadata", "uid") not in known:
            _add(job, found, pod)
    found.latest_failure = min(ages, default=None)
    return found


def _add(job: Object, found: Tally, pod: Object) -> None:
    if not has_succeeded(pod):
        found.failed += 1
        return
    index = job_indexes.index_of(pod)
    if not is_indexed(job):
        found.succeeded += 1
        return
    wanted = range(at(job, "spec", "completions", default=0))
    if index is not None and index in wanted and index not in found.completed:
        found.completed.add(index)
        found.succeeded += 1


def _end_of(pod: Object) -> str:
    """The latest end of its containers, else its own beginning."""
    ends = [
        text(status, "state", "terminated", "finishedAt")
        for status in items(pod, "status", "containerStatuses")
    ]
    return max(ends, default="") or text(pod, "metadata", "creationTimestamp")


def verdict(job: Object, found: Tally, now: datetime) -> Verdict | None:
    """Whether the Job is over, and how."""
    spec = mapping(job, "spec")
    limit = spec.get("backoffLimit", 6)
    deadline = spec.get("activeDeadlineSeconds")
    if found.failed > limit or _restarted_too_often(job, found, limit):
        message = "Job has reached the specified backoff limit"
        return Verdict("Failed", "BackoffLimitExceeded", message)
    if deadline is not None and seconds_to_deadline(job, now) == 0 and not is_suspended(job):
        message = "Job was active longer than specified deadline"
        return Verdict("Failed", "DeadlineExceeded", message)
    if _is_complete(spec, found):
        message = "Reached expected number of succeeded pods"
        return Verdict("Complete", "CompletionsReached", message)
    return None


def seconds_to_deadline(job: Object, now: datetime) -> float | None:
    """Until activeDeadlineSeconds are over; None without a deadline or before the start."""
    deadline, start = at(job, "spec", "activeDeadlineSeconds"), text(job, "status", "startTime")
    if deadline is None or not start:
        return None
    return max(0.0, float(deadline) - seconds_since(start, now))


def _restarted_too_often(job: Object, found: Tally, limit: int) -> bool:
    """Containers restarted in place count as well, where pods restart on failure."""
    if at(job, "spec", "template", "spec", "restartPolicy") != "OnFailure":
        return False
    running = [pod for pod in found.active if text(pod, "status", "phase") == "Running"]
    total = sum(restarts(pod) for pod in running)
    return total > 0 and total >= max(limit, 1)


def _is_complete(spec: Object, found: Tally) -> bool:
    completions = spec.get("completions")
    if completions is None:
        # A work queue is done when one pod has succeeded and all have ended.
        return found.succeeded > 0 and not found.active and not found.terminating
    return found.succeeded >= int(completions)


def wanted_active(job: Object, found: Tally) -> int:
    """How many pods should run now."""
    spec = mapping(job, "spec")
    if is_suspended(job):
        return 0
    parallelism = int(spec.get("parallelism", 1))
    completions = spec.get("completions")
    if completions is None:
        return len(found.active) if found.succeeded else parallelism
    return min(parallelism, max(0, int(completions) - found.succeeded))


def seconds_to_retry(job: Object, found: Tally) -> float:
    """How long failed pods are not replaced yet."""
    if not found.failed or found.latest_failure is None:
        return 0.0
    return max(0.0, delay(found.failed, _FIRST_DELAY, _LAST_DELAY) - found.latest_failure)


def surplus(job: Object, active: Sequence[Object], number: int) -> list[Object]:
    """Pods to be taken away, the least useful first."""
    ordered = sorted(
        active,
        key=lambda pod: (
            bool(text(pod, "spec", "nodeName")),
            is_pod_ready(pod),
            _reversed(text(pod, "metadata", "creationTimestamp")),
        ),
    )
    if is_indexed(job):
        ordered = sorted(active, key=lambda pod: -(job_indexes.index_of(pod) or 0))
    return ordered[:number]


def _reversed(stamp: str) -> tuple[int, ...]:
    return tuple(-ord(letter) for letter in stamp)


def taken_indexes(found: Tally) -> set[int]:
    """Indexes that need no pod: completed, or at work."""
    at_work = {job_indexes.index_of(pod) for pod in found.active}
    return found.completed | {index for index in at_work if index is not None}


def seconds_to_live(job: Object, now: datetime) -> float | None:
    """Until a finished Job is deleted; None when it is kept or still goes on."""
    ttl, end = at(job, "spec", "ttlSecondsAfterFinished"), finished(job)
    if ttl is None or not end:
        return None
    return max(0.0, float(ttl) - seconds_since(text(end, "lastTransitionTime"), now))
