"""LimitRange (core/v1)."""

from __future__ import annotations

from cn2.api import schema as s
from cn2.api.access import items
from cn2.api.columns import NAME
from cn2.api.kind import Column, FieldError, Kind, Object
from cn2.api.kubernetes.pod_limits import complete_limits
from cn2.api.quantity import amount
from cn2.api.schema_checks import invalid

_BOUNDS = ("default", "defaultRequest", "max", "min")


def _check_order(path: str, entry: Object) -> list[FieldError]:
    """min <= defaultRequest <= default <= max, resource by resource."""
    errors = []
    for low, high in (
        ("min", "max"),
        ("min", "defaultRequest"),
        ("min", "default"),
        ("defaultRequest", "default"),
        ("default", "max"),
        ("defaultRequest", "max"),
    ):
        below, above = entry.get(low) or {}, entry.get(high) or {}
        for name in sorted(below.keys() & above.keys()):
            if amount(below[name]) > amount(above[name]):
                what = f"{low} value {below[name]} is greater than {high} value {above[name]}"
                errors.append(invalid(f"{path}.{low}[{name}]", str(below[name]), what))
    return errors


def _validate(new: Object, old: Object | None) -> list[FieldError]:
    return [
        error
        for index, entry in enumerate(items(new, "spec", "limits"))
        for error in _check_order(f"spec.limits[{index}]", entry)
    ]


def _complete(new: Object, old: Object | None) -> None:
    for entry in items(new, "spec", "limits"):
        complete_limits(entry)


_AMOUNTS = s.map_of(s.quantity(), "Amounts by resource.")

LIMIT_RANGE = Kind(
    group="",
    version="v1",
    kind="LimitRange",
    plural="limitranges",
    short_names=("limits",),
    namespaced=True,
    description=("LimitRange sets resource usage limits for each kind of resource in a Namespace."),
    schema=s.whole(
        s.object(
            "Spec defines the limits enforced.",
            {
                "limits": s.array(
                    s.object(
                        "LimitRangeItem defines a min/max usage limit.",
                        {
                            **{name: {**_AMOUNTS, "description": name} for name in _BOUNDS},
                            "maxLimitRequestRatio": _AMOUNTS,
                            "type": s.string("Container, Pod or PersistentVolumeClaim."),
                        },
                        required=("type",),
                    ),
                    "The limits.",
                )
            },
            required=("limits",),
        )
    ),
    columns=(
        NAME,
        Column(
            name="Created At", path=".metadata.creationTimestamp", description="When it was made."
        ),
    ),
    complete=_complete,
    validate=_validate,
)
