"""Namespace (core/v1)."""

from __future__ import annotations

from cn2.api import schema as s
from cn2.api.access import at, items, name_of
from cn2.api.columns import AGE, NAME
from cn2.api.kind import Column, Kind, NameRule, Object
from cn2.api.shared_types import conditions

NAME_LABEL = "kubernetes.io/metadata.name"
FINALIZER = "kubernetes"


def _complete(new: Object, old: Object | None) -> None:
    labels = new["metadata"].get("labels") or {}
    new["metadata"]["labels"] = {**labels, NAME_LABEL: name_of(new)}
    if old is None:
        new["spec"] = {"finalizers": [FINALIZER]}
        new["status"] = {"phase": "Active"}
    elif not at(new, "spec", "finalizers") and not at(new, "metadata", "deletionTimestamp"):
        new["spec"] = {"finalizers": items(old, "spec", "finalizers")}


NAMESPACE = Kind(
    group="",
    version="v1",
    kind="Namespace",
    plural="namespaces",
    short_names=("ns",),
    namespaced=False,
    name_rule=NameRule.LABEL,
    description="Namespace provides a scope for Names. Use of multiple namespaces is optional.",
    schema=s.whole(
        s.object(
            "Spec defines the behavior of the Namespace.",
            {
                "finalizers": s.array(
                    s.string(), "Values that must be empty to permanently remove object."
                )
            },
        ),
        s.object(
            "Status describes the current status of a Namespace.",
            {
                "conditions": conditions("Latest observations of a namespace's current state."),
                "phase": s.string("Phase is the current lifecycle phase of the namespace."),
            },
        ),
    ),
    columns=(
        NAME,
        Column(name="Status", path=".status.phase", description="The status of the namespace."),
        AGE,
    ),
    status=True,
    verbs=("create", "delete", "get", "list", "patch", "update", "watch"),
    subresources=("finalize",),
    selectable_fields=("status.phase",),
    complete=_complete,
)
