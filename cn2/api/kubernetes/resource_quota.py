"""ResourceQuota (core/v1)."""

from __future__ import annotations

from cn2.api import schema as s
from cn2.api.access import mapping
from cn2.api.checks import immutable
from cn2.api.columns import AGE, NAME
from cn2.api.kind import Column, FieldError, Kind, Object
from cn2.api.quantity import amount
from cn2.api.schema_checks import invalid

SCOPES = (
    "BestEffort",
    "CrossNamespacePodAffinity",
    "NotBestEffort",
    "NotTerminating",
    "PriorityClass",
    "Terminating",
)


def _validate(new: Object, old: Object | None) -> list[FieldError]:
    errors = [
        invalid(f"spec.hard[{name}]", str(value), "must be greater than or equal to 0")
        for name, value in mapping(new, "spec", "hard").items()
        if amount(value) < 0
    ]
    return errors + immutable(new, old, "spec.scopes")


def _shown(obj: Object, limits: bool) -> str:
    used = mapping(obj, "status", "used")
    hard = mapping(obj, "status", "hard")
    return ", ".join(
        f"{name}: {used.get(name, '0')}/{hard[name]}"
        for name in sorted(hard)
        if name.startswith("limits.") == limits
    )


_AMOUNTS = s.map_of(s.quantity())
_SCOPE = s.string(enum=SCOPES)

RESOURCE_QUOTA = Kind(
    group="",
    version="v1",
    kind="ResourceQuota",
    plural="resourcequotas",
    short_names=("quota",),
    namespaced=True,
    description="ResourceQuota sets aggregate quota restrictions enforced per namespace",
    schema=s.whole(
        s.object(
            "Spec defines the desired quota.",
            {
                "hard": {**_AMOUNTS, "description": "The hard limits, by resource."},
                "scopeSelector": s.object(
                    "Filters like scopes, with values.",
                    {
                        "matchExpressions": s.array(
                            s.object(
                                "",
                                {
                                    "operator": s.string(
                                        enum=("DoesNotExist", "Exists", "In", "NotIn")
                                    ),
                                    "scopeName": _SCOPE,
                                    "values": s.strings("Values of the scope."),
                                },
                                required=("operator", "scopeName"),
                            ),
                            "Selector requirements by scope.",
                        )
                    },
                    atomic=True,
                ),
                "scopes": s.array(_SCOPE, "Filters that each object must match to be counted."),
            },
        ),
        s.object(
            "Status defines the actual enforced quota and its current usage.",
            {
                "hard": {**_AMOUNTS, "description": "The enforced hard limits."},
                "used": {**_AMOUNTS, "description": "The current observed usage."},
            },
        ),
    ),
    columns=(
        NAME,
        Column(
            name="Request",
            cell=lambda obj: _shown(obj, False),
            description="Requests used.",
        ),
        Column(name="Limit", cell=lambda obj: _shown(obj, True), description="Limits used."),
        AGE,
    ),
    status=True,
    validate=_validate,
)
