"""The status of a Deployment, from its ReplicaSets, with Kubernetes' reasons and words. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from cn2.api.access import at, items, name_of, text
from cn2.api.kind import Object
from cn2.localkube.workloads.conditions import condition_of, with_condition, without_condition
from cn2.localkube.workloads.replica_set_status import FAILURE
from cn2.localkube.workloads.rolling import count, limits, replicas_of, total
from cn2.localkube.workloads.times import seconds_since, stamp

PROGRESSING = "Progressing"
_AVAILABLE = "Available"
_COMPLETE = "NewReplicaSetAvailable"
_TIMED_OUT = "ProgressDeadlineExceeded"
_PAUSED, _RESUMED = "DeploymentPaused", "DeploymentResumed"


def counted(deployment: Object, new: Object | None, old: Sequence[Object]) -> Object:
    """The status without conditions."""
    sets = [*old, *([new] if new else [])]
    available = _sum(sets, "availableReplicas")
    counts = {
        "replicas": _sum(sets, "replicas"),
        "updatedReplicas": count(new, "replicas") if new else 0,
        "readyReplicas": _sum(sets, "readyReplicas"),
        "availableReplicas": available,
        "unavailableReplicas": max(0, total(sets) - available),
        "collisionCount": count(deployment, "collisionCount"),
    }
    return {
        "observedGeneration": at(deployment, "metadata", "generation", default=0),
        **{name: number for name, number in counts.items() if number},
    }


def availability(deployment: Object, counts: Object) -> Object:
    """The condition Available."""
    least = replicas_of(deployment) - limits(deployment)[1]
    good = counts.get("availableReplicas", 0) >= least
    return {
        "type": _AVAILABLE,
        "status": "True" if good else "False",
        "reason": "MinimumReplicasAvailable" if good else "MinimumReplicasUnavailable",
        "message": f"Deployment {'has' if good else 'does not have'} minimum availability.",
    }


def deployment_status(
    deployment: Object,
    new: Object | None,
    old: Sequence[Object],
    conditions: list[Object],
    now: datetime,
    *,
    progress: bool,
) -> Object:
    """The whole status. `conditions` are those so far; with `progress` the rollout is judged too
    (not while the Deployment is only scaled, paused or deleted)."""
    counts = counted(deployment, new, old)
    moment = stamp(now)
    wanted = availability(deployment, counts)
    conditions = _set(conditions, wanted, moment)
    if progress:
        conditions = _with_progress(deployment, new, counts, conditions, now)
        conditions = _with_failure(new, old, conditions, moment)
    return {**counts, **({"conditions": conditions} if conditions else {})}


def is_complete(deployment: Object, counts: Object) -> bool:
    """Everything is new, everything is available, and nothing old is left."""
    wanted = replicas_of(deployment)
    return all(
        counts.get(name, 0) == wanted
        for name in ("updatedReplicas", "replicas", "availableReplicas")
    ) and counts.get("observedGeneration", 0) >= deployment["metadata"].get("generation", 0)


def progress_deadline(deployment: Object) -> int | None:
    """Seconds; None when the Deployment never gives up."""
    seconds = at(deployment, "spec", "progressDeadlineSeconds")
    return None if seconds is None or seconds == 2**31 - 1 else int(seconds)


def seconds_to_deadline(deployment: Object, status: Object, now: datetime) -> float | None:
    """When to look again whether a rollout is stuck; None when there is nothing to see."""
    deadline = progress_deadline(deployment)
    condition = condition_of(items(status, "conditions"), PROGRESSING)
    if deadline is None or not condition or is_complete(deployment, status):
        return None
    if text(condition, "reason") in (_TIMED_OUT, _COMPLETE):
        return None
    left = deadline - seconds_since(text(condition, "lastUpdateTime"), now)
    return max(0.0, left) + 1.0


def found(new: Object) -> Object:
    """Progressing, as the ReplicaSet for the template is there already."""
    return _progressing("True", "FoundNewReplicaSet", f'Found new replica set "{name_of(new)}"')


def created(new: Object) -> Object:
    return _progressing("True", "NewReplicaSetCreated", f'Created new replica set "{name_of(new)}"')


def refused(name: str, why: str) -> Object:
    """Progressing no more, as the ReplicaSet could not be made."""
    return _progressing(
        "False", "ReplicaSetCreateError", f'Failed to create new replica set "{name}": {why}'
    )


def paused(deployment: Object, conditions: list[Object]) -> Object | None:
    """What pausing and resuming say of progress; None when it is said already."""
    have = condition_of(conditions, PROGRESSING)
    reason = text(have, "reason")
    if progress_deadline(deployment) is None or reason == _TIMED_OUT:
        return None
    stops = at(deployment, "spec", "paused") is True
    if stops and reason != _PAUSED:
        return _progressing("Unknown", _PAUSED, "Deployment is paused")
    if not stops and reason == _PAUSED:
        return _progressing("Unknown", _RESUMED, "Deployment is resumed")
    return None


def with_progressing(conditions: list[Object], wanted: Object, now: datetime) -> list[Object]:
    return _set(conditions, wanted, stamp(now))


def _progressing(status: str, reason: str, message: str) -> Object:
    return {"type": PROGRESSING, "status": status, "reason": reason, "message": message}


def _with_progress(
    deployment: Object, new: Object | None, counts: Object, conditions: list[Object], now: datetime
) -> list[Object]:
    if progress_deadline(deployment) is None:
        return without_condition(conditions, PROGRESSING)
    have = condition_of(conditions, PROGRESSING)
    settled = counts.get("replicas", 0) == counts.get("updatedReplicas", 0)
    if have and text(have, "reason") == _COMPLETE and settled:
        return conditions
    who = f'ReplicaSet "{name_of(new)}"' if new else f'Deployment "{name_of(deployment)}"'
    if is_complete(deployment, counts):
        wanted = _progressing("True", _COMPLETE, f"{who} has successfully progressed.")
        return _set(conditions, wanted, stamp(now))
    if _moves(deployment, counts):
        wanted = _progressing("True", "ReplicaSetUpdated", f"{who} is progressing.")
        # Anew even if it says the same: its lastUpdateTime is what the deadline counts from.
        since = have if text(have, "status") == "True" else {}
        rest = without_condition(conditions, PROGRESSING)
        entry = _set([], wanted, stamp(now))[0]
        kept = text(since, "lastTransitionTime")
        return [*rest, {**entry, **({"lastTransitionTime": kept} if kept else {})}]
    if _is_late(deployment, have, now):
        wanted = _progressing("False", _TIMED_OUT, f"{who} has timed out progressing.")
        return _set(conditions, wanted, stamp(now))
    return conditions


def _moves(deployment: Object, counts: Object) -> bool:
    """More updated, ready or available pods than before, or fewer old ones."""

    def grown(name: str) -> bool:
        return int(counts.get(name, 0)) > count(deployment, name)

    old_before = count(deployment, "replicas") - count(deployment, "updatedReplicas")
    old_now = counts.get("replicas", 0) - counts.get("updatedReplicas", 0)
    names = ("updatedReplicas", "readyReplicas", "availableReplicas")
    return any(grown(name) for name in names) or old_now < old_before


def _is_late(deployment: Object, have: Object, now: datetime) -> bool:
    deadline = progress_deadline(deployment)
    if deadline is None or not have or text(have, "reason") == _COMPLETE:
        return False
    if text(have, "reason") == _TIMED_OUT:
        return True
    return seconds_since(text(have, "lastUpdateTime"), now) > deadline


def _with_failure(
    new: Object | None, old: Sequence[Object], conditions: list[Object], now: str
) -> list[Object]:
    """The failure of the newest ReplicaSet, else of an old one, is the Deployment's."""
    for one in [*([new] if new else []), *old]:
        failure = condition_of(items(one, "status", "conditions"), FAILURE)
        if failure:
            wanted = {key: text(failure, key) for key in ("type", "status", "reason", "message")}
            return _set(conditions, wanted, now)
    return without_condition(conditions, FAILURE)


def _set(conditions: list[Object], wanted: Object, now: str) -> list[Object]:
    """As `with_condition`, with the time of the last update that Deployments have besides."""
    after = with_condition(conditions, wanted, now)
    if after is conditions:
        return conditions
    return [*after[:-1], {**after[-1], "lastUpdateTime": now}]


def _sum(sets: Sequence[Object], name: str) -> int:
    return sum(count(one, name) for one in sets)
