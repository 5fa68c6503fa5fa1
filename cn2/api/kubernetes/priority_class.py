"""PriorityClass (scheduling.k8s.io/v1)."""

from __future__ import annotations

from cn2.api import schema as s
from cn2.api.access import name_of, text
from cn2.api.checks import forbidden, immutable
from cn2.api.columns import AGE, NAME
from cn2.api.kind import Column, FieldError, Kind, Object
from cn2.api.schema_checks import required

HIGHEST_OF_USERS = 1_000_000_000
PREEMPT_LOWER = "PreemptLowerPriority"
_SYSTEM_PREFIX = "system-"
SYSTEM_CLASSES = {
    "system-cluster-critical": 2_000_000_000,
    "system-node-critical": 2_000_001_000,
}
"""The classes that every cluster has, with their values."""
SYSTEM_DESCRIPTIONS = {
    "system-cluster-critical": (
        "Used for system critical pods that must run in the cluster, but can be moved to another"
        " node if necessary."
    ),
    "system-node-critical": (
        "Used for system critical pods that must not be moved from their current node."
    ),
}


def _validate(new: Object, old: Object | None) -> list[FieldError]:
    errors = []
    name = name_of(new)
    if name.startswith(_SYSTEM_PREFIX):
        if new.get("value") != SYSTEM_CLASSES.get(name):
            errors.append(
                forbidden(
                    "metadata.name",
                    "priority class names with 'system-' prefix are reserved for system use only",
                )
            )
    elif new.get("value", 0) > HIGHEST_OF_USERS:
        errors.append(
            forbidden(
                "value",
                f"maximum allowed value of a user defined priority is {HIGHEST_OF_USERS}",
            )
        )
    if new.get("value") is None:
        errors.append(required("value"))
    if old is not None and new.get("value") != old.get("value"):
        errors.append(forbidden("value", "may not be changed in an update."))
    return errors + immutable(new, old, "preemptionPolicy")


PRIORITY_CLASS = Kind(
    group="scheduling.k8s.io",
    version="v1",
    kind="PriorityClass",
    plural="priorityclasses",
    short_names=("pc",),
    namespaced=False,
    description=(
        "PriorityClass defines mapping from a priority class name to the priority integer value."
        " The value can be any valid integer."
    ),
    schema=s.whole(
        description=s.string("When this priority class should be used."),
        globalDefault=s.boolean("Whether this class is the default of pods that name none."),
        preemptionPolicy=s.string(
            "The policy for preempting pods with lower priority.",
            enum=("Never", PREEMPT_LOWER),
            default=PREEMPT_LOWER,
        ),
        value=s.integer("The actual priority that pods have which name this class."),
    ),
    columns=(
        NAME,
        Column(name="Value", path=".value", type="integer", description="The priority."),
        Column(
            name="Global-Default",
            cell=lambda obj: bool(obj.get("globalDefault")),
            type="boolean",
            description="Whether it is the default.",
        ),
        AGE,
        Column(
            name="PreemptionPolicy",
            cell=lambda obj: text(obj, "preemptionPolicy"),
            description="Whom pods of this class may preempt.",
        ),
    ),
    validate=_validate,
)
