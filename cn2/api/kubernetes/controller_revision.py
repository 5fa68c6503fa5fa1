"""ControllerRevision (apps/v1)."""

from __future__ import annotations

from cn2.api import schema as s
from cn2.api.access import items, text
from cn2.api.checks import immutable
from cn2.api.columns import AGE, NAME
from cn2.api.kind import Column, FieldError, Kind, Object
from cn2.api.kubernetes.workload import GROUP


def _controller(obj: Object) -> str:
    for owner in items(obj, "metadata", "ownerReferences"):
        if owner.get("controller"):
            group = text(owner, "apiVersion").rpartition("/")[0]
            kind = text(owner, "kind").lower() + (f".{group}" if group else "")
            return f"{kind}/{text(owner, 'name')}"
    return "<none>"


def _validate(new: Object, old: Object | None) -> list[FieldError]:
    return immutable(new, old, "data")


CONTROLLER_REVISION = Kind(
    group=GROUP,
    version="v1",
    kind="ControllerRevision",
    plural="controllerrevisions",
    namespaced=True,
    description="ControllerRevision implements an immutable snapshot of state data.",
    schema=s.object(
        "",
        {
            "data": s.any_object("The serialized representation of the state."),
            "revision": s.integer("The revision of the state that data represents.", bits=64),
        },
        required=("revision",),
    ),
    columns=(
        NAME,
        Column(name="Controller", cell=_controller, description="Controller of the object."),
        Column(
            name="Revision", path=".revision", type="integer", description="Revision of the state."
        ),
        AGE,
    ),
    validate=_validate,
)
