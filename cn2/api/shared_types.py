"""Types of Kubernetes that kinds of several groups contain."""

from __future__ import annotations

from cn2.api import schema as s
from cn2.api.kind import Schema


def label_selector(description: str) -> Schema:
    """metav1.LabelSelector."""
    requirement = s.object(
        "A label selector requirement is a selector that contains values, a key, and an operator"
        " that relates the key and values.",
        {
            "key": s.string("key is the label key that the selector applies to."),
            "operator": s.string(
                "operator represents a key's relationship to a set of values.",
                enum=("In", "NotIn", "Exists", "DoesNotExist"),
            ),
            "values": s.strings("values is an array of string values."),
        },
        required=("key", "operator"),
    )
    return s.object(
        description,
        {
            "matchExpressions": s.array(
                requirement, "matchExpressions is a list of label selector requirements."
            ),
            "matchLabels": s.map_of(s.string(), "matchLabels is a map of {key,value} pairs."),
        },
        atomic=True,
    )


def object_reference(description: str) -> Schema:
    """core/v1 ObjectReference."""
    return s.object(
        description,
        {
            "apiVersion": s.string("API version of the referent."),
            "fieldPath": s.string("Part of the referent that is meant."),
            "kind": s.string("Kind of the referent."),
            "name": s.string("Name of the referent."),
            "namespace": s.string("Namespace of the referent."),
            "resourceVersion": s.string("Specific resourceVersion of the referent."),
            "uid": s.string("UID of the referent."),
        },
        atomic=True,
    )


LOCAL_OBJECT_REFERENCE = s.object(
    "A reference to an object in the same namespace.",
    {"name": s.string("Name of the referent.", default="")},
    atomic=True,
)


def conditions(description: str, **more: Schema) -> Schema:
    """A list of conditions, merged by type; `more` are fields beyond the usual ones."""
    condition = s.object(
        "A condition: one aspect of the observed state.",
        {
            "lastTransitionTime": s.time("Last time the condition changed its status."),
            "message": s.string("Human-readable details."),
            "observedGeneration": s.integer("Generation that the condition is about.", bits=64),
            "reason": s.string("One word for the last change."),
            "status": s.string("True, False or Unknown."),
            "type": s.string("Type of the condition."),
            **more,
        },
        required=("type", "status"),
    )
    return s.list_map(condition, ("type",), description)
