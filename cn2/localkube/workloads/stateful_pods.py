"""The pods of a StatefulSet: who they are, and what to do next. Pure.

Ordinals are made in order and taken away in reverse; with OrderedReady each step waits for the
one before. An update replaces pods from the highest ordinal down to the partition, one at a time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from cn2.api.access import at, mapping, name_of, text
from cn2.api.kind import Object
from cn2.localkube.pods import is_finished, is_pod_ready
from cn2.localkube.workloads.ownership import is_deleting
from cn2.localkube.workloads.pod_state import BURST, is_available
from cn2.localkube.workloads.revisions import HASH_LABEL, template_of
from cn2.localkube.workloads.templates import pod_of

NAME_LABEL = "statefulset.kubernetes.io/pod-name"
INDEX_LABEL = "apps.kubernetes.io/pod-index"


@dataclass(slots=True)
class Steps:
    """What to do now, and in this order."""

    recreate: list[Object] = field(default_factory=list)
    """Pods that have ended: deleted, and made again once they are gone."""
    create: list[int] = field(default_factory=list)
    """Ordinals."""
    delete: list[Object] = field(default_factory=list)


def ordinal_of(owner: Object, pod: Object) -> int | None:
    """The ordinal in a pod's name; None for a name that is not the set's."""
    parent, dash, number = name_of(pod).rpartition("-")
    return int(number) if dash and parent == name_of(owner) and number.isdigit() else None


def is_member(owner: Object, pod: Object) -> bool:
    return ordinal_of(owner, pod) is not None


def wanted_ordinals(owner: Object) -> range:
    start = at(owner, "spec", "ordinals", "start", default=0)
    return range(start, start + at(owner, "spec", "replicas", default=1))


def first_updated(owner: Object) -> int:
    """The ordinal from which on pods have the new template: the partition."""
    start = at(owner, "spec", "ordinals", "start", default=0)
    partition = at(owner, "spec", "updateStrategy", "rollingUpdate", "partition", default=0)
    return int(start + partition) if is_rolling(owner) else int(start)


def is_rolling(owner: Object) -> bool:
    return text(owner, "spec", "updateStrategy", "type") != "OnDelete"


def stateful_pod(owner: Object, ordinal: int, revision: Object, reference: Object) -> Object:
    """The pod of this ordinal, from the template that a revision keeps."""
    pod = pod_of(template_of(revision), owner, reference)
    name = f"{name_of(owner)}-{ordinal}"
    metadata = pod["metadata"]
    metadata.pop("generateName")
    metadata["name"] = name
    metadata.setdefault("labels", {}).update(
        {HASH_LABEL: name_of(revision), NAME_LABEL: name, INDEX_LABEL: str(ordinal)}
    )
    pod["spec"]["hostname"] = name
    subdomain = text(owner, "spec", "serviceName")
    if subdomain:
        pod["spec"]["subdomain"] = subdomain
    return pod


def by_ordinal(owner: Object, pods: Iterable[Object]) -> dict[int, Object]:
    found = {ordinal: pod for pod in pods if (ordinal := ordinal_of(owner, pod)) is not None}
    return dict(sorted(found.items()))


def has_revision(pod: Object, revision: str) -> bool:
    return text(pod, "metadata", "labels", HASH_LABEL) == revision


def next_steps(owner: Object, pods: Mapping[int, Object], update: str, now: datetime) -> Steps:
    """What follows for the set; `pods` by ordinal, `update` the name of the newest revision."""
    ordered = text(owner, "spec", "podManagementPolicy") != "Parallel"
    min_ready = at(owner, "spec", "minReadySeconds", default=0)
    wanted = wanted_ordinals(owner)
    steps = Steps()
    for ordinal in wanted:
        pod = pods.get(ordinal)
        if pod is None:
            steps.create.append(ordinal)
        elif is_finished(pod) and not is_deleting(pod):
            steps.recreate.append(pod)
        elif not ordered or is_healthy(pod, min_ready, now):
            continue
        if ordered or len(steps.create) >= BURST:
            return steps
    if _condemn(pods, wanted, ordered, min_ready, now, steps) or steps.create or steps.recreate:
        return steps
    if is_rolling(owner):
        _update(owner, pods, update, min_ready, now, steps)
    return steps


def is_healthy(pod: Object, min_ready: int, now: datetime) -> bool:
    running = text(pod, "status", "phase") == "Running" and is_pod_ready(pod)
    return running and not is_deleting(pod) and is_available(pod, min_ready, now)


def _condemn(
    pods: Mapping[int, Object],
    wanted: range,
    ordered: bool,
    min_ready: int,
    now: datetime,
    steps: Steps,
) -> bool:
    """Takes away pods beyond the wanted ones from the highest down; whether there were any."""
    condemned = [pods[ordinal] for ordinal in sorted(pods, reverse=True) if ordinal not in wanted]
    leaving = [pod for pod in condemned if not is_deleting(pod)]
    if not ordered:
        steps.delete += leaving
        return bool(leaving)
    if condemned:
        sick = [pods[o] for o in sorted(pods) if not is_healthy(pods[o], min_ready, now)]
        last = condemned[0]
        # It goes when everybody before it is well, or when it is itself the first that is not.
        if not is_deleting(last) and (not sick or sick[0] is last):
            steps.delete.append(last)
    return bool(condemned)


def _update(
    owner: Object,
    pods: Mapping[int, Object],
    update: str,
    min_ready: int,
    now: datetime,
    steps: Steps,
) -> None:
    for ordinal in reversed(wanted_ordinals(owner)):
        if ordinal < first_updated(owner):
            return
        pod = pods[ordinal]
        if not has_revision(pod, update) and not is_deleting(pod):
            steps.delete.append(pod)
            return
        if not is_healthy(pod, min_ready, now):
            return


def stateful_set_status(
    owner: Object, pods: Iterable[Object], current: str, update: str, now: datetime
) -> Object:
    """The whole status. `current` and `update` are the names of revisions."""
    pods = [pod for pod in pods if not is_finished(pod)]
    min_ready = at(owner, "spec", "minReadySeconds", default=0)
    replicas = at(owner, "spec", "replicas", default=1)
    staying = [pod for pod in pods if not is_deleting(pod)]
    ready = [pod for pod in pods if text(pod, "status", "phase") == "Running" and is_pod_ready(pod)]
    updated = sum(has_revision(pod, update) for pod in staying)
    if is_rolling(owner) and len(pods) == updated == replicas == len(ready):
        current = update
    counts = {
        "availableReplicas": sum(is_available(pod, min_ready, now) for pod in ready),
        "currentReplicas": sum(has_revision(pod, current) for pod in staying),
        "readyReplicas": len(ready),
        "updatedReplicas": updated,
        "collisionCount": at(owner, "status", "collisionCount", default=0),
    }
    conditions = mapping(owner, "status").get("conditions")
    return {
        "observedGeneration": at(owner, "metadata", "generation", default=0),
        "replicas": len(pods),
        # As in Kubernetes it is there even when it is 0.
        "availableReplicas": counts.pop("availableReplicas"),
        **{name: number for name, number in counts.items() if number},
        "currentRevision": current,
        "updateRevision": update,
        **({"conditions": conditions} if conditions else {}),
    }
