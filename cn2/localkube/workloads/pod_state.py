"""What workload controllers ask of pods: active, ready, available, and which one goes first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from cn2.api.access import annotation, at, items, text
from cn2.api.kind import Object
from cn2.localkube.pods import is_finished, is_pod_ready
from cn2.localkube.workloads.ownership import is_deleting
from cn2.localkube.workloads.times import parsed

BURST = 500
"""Most pods that one look at a workload creates or deletes."""
DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"
_PHASES = {"Pending": 0, "Unknown": 1, "Running": 2}


def is_active(pod: Object) -> bool:
    """It has not ended and is not being deleted."""
    return not is_finished(pod) and not is_deleting(pod)


def ready_since(pod: Object) -> datetime | None:
    """When the pod became ready; None while it is not."""
    for condition in items(pod, "status", "conditions"):
        if text(condition, "type") == "Ready" and text(condition, "status") == "True":
            return parsed(text(condition, "lastTransitionTime"))
    return None


def is_available(pod: Object, min_ready: int, now: datetime) -> bool:
    """Ready for `min_ready` seconds."""
    if not is_pod_ready(pod):
        return False
    since = ready_since(pod)
    return not min_ready or (since is not None and (now - since).total_seconds() >= min_ready)


def seconds_to_available(pods: Iterable[Object], min_ready: int, now: datetime) -> float | None:
    """How long until the next ready pod becomes available; None when there is none to wait for."""
    waits = [
        min_ready - (now - since).total_seconds()
        for pod in pods
        if not is_available(pod, min_ready, now) and (since := ready_since(pod)) is not None
    ]
    return max(0.0, min(waits)) if waits else None


def by_deletion(pods: Sequence[Object], related: Iterable[Object]) -> list[Object]:
    """Pods in the order in which they go when there are too many: Kubernetes' ActivePodsWithRanks.

    Unassigned first, then pending, not ready, cheap (pod-deletion-cost), those that share their
    node with most of the `related` pods, ready for the shortest time, restarted most, youngest.
    """
    crowd = Counter(text(pod, "spec", "nodeName") for pod in related if is_active(pod))

    def rank(pod: Object) -> tuple[float, ...]:
        node = text(pod, "spec", "nodeName")
        since, born = ready_since(pod), parsed(text(pod, "metadata", "creationTimestamp"))
        return (
            bool(node),
            _PHASES.get(text(pod, "status", "phase"), 0),
            is_pod_ready(pod),
            deletion_cost(pod),
            -crowd[node],
            -since.timestamp() if since else -float("inf"),
            -restarts(pod),
            -born.timestamp() if born else -float("inf"),
        )

    return sorted(pods, key=rank)


def deletion_cost(pod: Object) -> int:
    """The annotation pod-deletion-cost; 0 when it is absent or no number."""
    try:
        return int(annotation(pod, DELETION_COST) or 0)
    except ValueError:
        return 0


def restarts(pod: Object) -> int:
    """The most restarts of any of its containers."""
    counts = [
        at(status, "restartCount", default=0)
        for status in items(pod, "status", "containerStatuses")
    ]
    return max(counts, default=0)
