"""A Deployment's ReplicaSets: which one is new, their revisions, and what they carry. Pure."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Sequence

from cn2.api.access import annotation, at, mapping, name_of, namespace_of, text
from cn2.api.kind import Object
from cn2.api.kinds import DEPLOYMENT, REPLICA_SET
from cn2.localkube.workloads.ownership import controller_reference, is_deleting
from cn2.localkube.workloads.rolling import DESIRED, MAXIMUM, count, limits, replicas_of
from cn2.localkube.workloads.templates import HASH_LABEL, same_template, template_hash, with_hash

REVISION = "deployment.kubernetes.io/revision"
HISTORY = "deployment.kubernetes.io/revision-history"
_LONGEST_HISTORY = 2000
"""Characters: kube-controller-manager's."""
_REVISION = re.compile(r"[0-9]{1,18}")
_OWN = frozenset(
    {
        "kubectl.kubernetes.io/last-applied-configuration",
        REVISION,
        HISTORY,
        DESIRED,
        MAXIMUM,
        "deprecated.deployment.rollback.to",
    }
)
"""Annotations that a Deployment and its ReplicaSets each have for themselves."""


def newest(deployment: Object, sets: Iterable[Object]) -> Object | None:
    """The ReplicaSet that has the Deployment's template; the oldest of several."""
    template = mapping(deployment, "spec", "template")
    same = [one for one in sets if same_template(mapping(one, "spec", "template"), template)]
    return min(same, key=_age, default=None)


def revision_of(obj: Object) -> int:
    """The revision that an object carries, 0 when it carries none. People can write it, too."""
    said = annotation(obj, REVISION)
    return int(said) if _REVISION.fullmatch(said) else 0


def next_revision(old: Iterable[Object]) -> int:
    return max((revision_of(one) for one in old), default=0) + 1


def new_replica_set(deployment: Object, old: Sequence[Object], replicas: int) -> Object:
    """The ReplicaSet of the Deployment's template, to be created."""
    template = mapping(deployment, "spec", "template")
    value = template_hash(template, at(deployment, "status", "collisionCount", default=0))
    hashed = copy.deepcopy(with_hash(template, value))
    selector = copy.deepcopy(mapping(deployment, "spec", "selector"))
    selector["matchLabels"] = {**mapping(selector, "matchLabels"), HASH_LABEL: value}
    annotations = {**_shared(deployment), REVISION: str(next_revision(old)), **sizes(deployment)}
    return {
        "apiVersion": REPLICA_SET.api_version,
        "kind": REPLICA_SET.kind,
        "metadata": {
            "name": f"{name_of(deployment)}-{value}",
            "namespace": namespace_of(deployment),
            "labels": dict(hashed["metadata"]["labels"]),
            "annotations": annotations,
            "ownerReferences": [controller_reference(DEPLOYMENT, deployment)],
        },
        "spec": {
            "replicas": replicas,
            "minReadySeconds": at(deployment, "spec", "minReadySeconds", default=0),
            "selector": selector,
            "template": hashed,
        },
    }


def updated(deployment: Object, new: Object, old: Sequence[Object]) -> Object:
    """The newest ReplicaSet with what the Deployment says of it: annotations, revision,
    minReadySeconds. Equal to `new` when it says so already."""
    annotations = dict(mapping(new, "metadata", "annotations"))
    annotations.update(_shared(deployment))
    wanted = next_revision(old)
    if revision_of(new) < wanted:
        before = annotation(new, REVISION)
        if before:
            past = [part for part in annotation(new, HISTORY).split(",") if part]
            annotations[HISTORY] = _joined([*past, *([before] if before not in past else [])])
        annotations[REVISION] = str(wanted)
    spec = dict(mapping(new, "spec"))
    min_ready = at(deployment, "spec", "minReadySeconds", default=0)
    if (spec.get("minReadySeconds") or 0) != min_ready:
        spec["minReadySeconds"] = min_ready
    return {**new, "metadata": {**new["metadata"], "annotations": annotations}, "spec": spec}


def _joined(revisions: list[str]) -> str:
    """The latest of them that there is room for."""
    while len(said := ",".join(revisions)) > _LONGEST_HISTORY:
        revisions = revisions[1:]
    return said


def sizes(deployment: Object) -> dict[str, str]:
    """The annotations by which a ReplicaSet remembers how large its Deployment was."""
    replicas = replicas_of(deployment)
    return {DESIRED: str(replicas), MAXIMUM: str(replicas + limits(deployment)[0])}


def superfluous(deployment: Object, old: Iterable[Object]) -> list[Object]:
    """Old ReplicaSets beyond the history's limit: the oldest revisions that have no pods."""
    limit = at(deployment, "spec", "revisionHistoryLimit")
    if limit is None:
        return []
    alive = sorted((one for one in old if not is_deleting(one)), key=revision_of)
    return [one for one in alive[: max(0, len(alive) - limit)] if _is_empty(one)]


def _is_empty(one: Object) -> bool:
    generation = at(one, "metadata", "generation", default=0)
    return (
        not replicas_of(one)
        and not count(one, "replicas")
        and (generation <= count(one, "observedGeneration"))
    )


def _shared(deployment: Object) -> dict[str, str]:
    annotations = mapping(deployment, "metadata", "annotations")
    return {key: value for key, value in annotations.items() if key not in _OWN}


def _age(one: Object) -> tuple[str, str]:
    return text(one, "metadata", "creationTimestamp"), name_of(one)
