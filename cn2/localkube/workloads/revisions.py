"""The history of a DaemonSet or StatefulSet: ControllerRevisions, each a template. Pure.

`data` is the patch that brings the template back, in the form that kubectl's rollout history and
undo read: {"spec": {"template": {..., "$patch": "replace"}}}.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence

from cn2.api.access import at, mapping, name_of, namespace_of, text
from cn2.api.kind import Kind, Object
from cn2.api.kinds import CONTROLLER_REVISION
from cn2.localkube.workloads.ownership import controller_reference
from cn2.localkube.workloads.templates import significant, template_hash

HASH_LABEL = "controller-revision-hash"
_DEPRECATED_GENERATION = "deprecated.daemonset.template.generation"
_OWN = frozenset({"kubectl.kubernetes.io/last-applied-configuration", _DEPRECATED_GENERATION})


def template_of(revision: Object) -> Object:
    """The pod template that a revision keeps."""
    template = mapping(revision, "data", "spec", "template")
    return {key: value for key, value in template.items() if key != "$patch"}


def hash_of(revision: Object) -> str:
    """The value of the label by which the pods of a revision are known."""
    return text(revision, "metadata", "labels", HASH_LABEL)


def number_of(revision: Object) -> int:
    return int(at(revision, "revision", default=0))


def by_number(revisions: Iterable[Object]) -> list[Object]:
    """Revisions, oldest first."""
    return sorted(revisions, key=lambda one: (number_of(one), name_of(one)))


def same_revision(owner: Object, revisions: Iterable[Object]) -> Object | None:
    """The newest revision that has the owner's template."""
    wanted = significant(mapping(owner, "spec", "template"))
    equal = [one for one in by_number(revisions) if significant(template_of(one)) == wanted]
    return equal[-1] if equal else None


def new_revision(kind: Kind, owner: Object, revisions: Sequence[Object], collisions: int) -> Object:
    """The revision of the owner's template, to be created."""
    template = mapping(owner, "spec", "template")
    value = template_hash(template, collisions)
    annotations = {
        key: value
        for key, value in mapping(owner, "metadata", "annotations").items()
        if key not in _OWN
    }
    labels = {**mapping(owner, "spec", "selector", "matchLabels"), HASH_LABEL: value}
    return {
        "apiVersion": CONTROLLER_REVISION.api_version,
        "kind": CONTROLLER_REVISION.kind,
        "metadata": {
            "name": f"{name_of(owner)}-{value}",
            "namespace": namespace_of(owner),
            "labels": {**mapping(template, "metadata", "labels"), **labels},
            "annotations": annotations,
            "ownerReferences": [controller_reference(kind, owner)],
        },
        "data": {"spec": {"template": {**copy.deepcopy(template), "$patch": "replace"}}},
        "revision": next_number(revisions),
    }


def next_number(revisions: Iterable[Object]) -> int:
    return max((number_of(one) for one in revisions), default=0) + 1


def superfluous(owner: Object, revisions: Iterable[Object], in_use: Iterable[str]) -> list[Object]:
    """Revisions beyond spec.revisionHistoryLimit that no pod has, the oldest ones; `in_use` are
    the hashes or names of those that stay in any case and do not count."""
    limit = at(owner, "spec", "revisionHistoryLimit", default=10)
    used = set(in_use)
    idle = [one for one in by_number(revisions) if not used & {hash_of(one), name_of(one)}]
    return idle[: max(0, len(idle) - limit)]
