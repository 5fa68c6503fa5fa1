"""Scale (autoscaling/v1): the size of a workload, as its `/scale` subresource shows it.

No kind of the table: nobody stores one.
"""

from __future__ import annotations

from cn2.api import schema as s
from cn2.api.access import at, mapping
from cn2.api.kind import Kind, Object
from cn2.api.kubernetes.selectors import selector_text

_SHOWN = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")

SCALE = Kind(
    group="autoscaling",
    version="v1",
    kind="Scale",
    plural="scales",
    namespaced=True,
    description="Scale represents a scaling request for a resource.",
    schema=s.whole(
        s.object(
            "Defines the behavior of the scale.",
            {"replicas": s.integer("The desired number of instances.", minimum=0)},
        ),
        s.object(
            "Current status of the scale. Read-only.",
            {
                "replicas": s.integer("The actual number of observed instances."),
                "selector": s.string("Label query over pods that should match the count."),
            },
        ),
    ),
    verbs=("get", "patch", "update"),
)


def scale_of(obj: Object) -> Object:
    """The Scale of a workload. Numbers that are 0 are left out of spec, as Go does."""
    metadata = mapping(obj, "metadata")
    replicas = at(obj, "spec", "replicas", default=0)
    selector = at(obj, "spec", "selector")
    if obj.get("kind") == "ReplicationController":
        selector = {"matchLabels": selector}
    return {
        "kind": SCALE.kind,
        "apiVersion": SCALE.api_version,
        "metadata": {key: metadata[key] for key in _SHOWN if key in metadata},
        "spec": {"replicas": replicas} if replicas else {},
        "status": {
            "replicas": at(obj, "status", "replicas", default=0),
            "selector": selector_text(selector),
        },
    }
