"""The status of a ReplicaSet, from its pods. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from cn2.api.access import at, items, mapping
from cn2.api.kind import Object
from cn2.localkube.pods import is_pod_ready
from cn2.localkube.workloads.conditions import with_condition, without_condition
from cn2.localkube.workloads.pod_state import is_available
from cn2.localkube.workloads.times import stamp

FAILURE = "ReplicaFailure"


def replica_set_status(
    replica_set: Object, pods: Sequence[Object], failure: tuple[str, str] | None, now: datetime
) -> Object:
    """The whole status; `pods` are the active ones, `failure` a reason and a message."""
    template = mapping(replica_set, "spec", "template", "metadata", "labels")
    min_ready = at(replica_set, "spec", "minReadySeconds", default=0)
    counts = {
        "replicas": len(pods),
        "fullyLabeledReplicas": sum(_carries(pod, template) for pod in pods),
        "readyReplicas": sum(is_pod_ready(pod) for pod in pods),
        "availableReplicas": sum(is_available(pod, min_ready, now) for pod in pods),
    }
    status: Object = {
        "observedGeneration": at(replica_set, "metadata", "generation", default=0),
        "replicas": counts.pop("replicas"),
        **{name: number for name, number in counts.items() if number},
    }
    conditions = items(replica_set, "status", "conditions")
    if failure is None:
        conditions = without_condition(conditions, FAILURE)
    else:
        wanted = {"type": FAILURE, "status": "True", "reason": failure[0], "message": failure[1]}
        conditions = with_condition(conditions, wanted, stamp(now))
    if conditions:
        status["conditions"] = conditions
    return status


def _carries(pod: Object, labels: dict[str, str]) -> bool:
    have = mapping(pod, "metadata", "labels")
    return all(have.get(key) == value for key, value in labels.items())
