"""ConfigMap (core/v1)."""

from __future__ import annotations

from cn2.api import schema as s
from cn2.api.access import at, mapping
from cn2.api.checks import forbidden
from cn2.api.columns import AGE, NAME
from cn2.api.kind import Column, FieldError, Kind, Object


def count_data(obj: Object) -> int:
    """How many keys an object's data and binaryData have."""
    return len(mapping(obj, "data")) + len(mapping(obj, "binaryData"))


def check_immutable(new: Object, old: Object | None) -> list[FieldError]:
    """An object that was declared immutable stays as it is, and stays immutable."""
    if not at(old, "immutable"):
        return []
    message = "field is immutable when `immutable` is set"
    return [
        forbidden(key, message)
        for key in ("immutable", "data", "binaryData")
        if (new.get(key) or None) != ((old or {}).get(key) or None)
    ]


CONFIG_MAP = Kind(
    group="",
    version="v1",
    kind="ConfigMap",
    plural="configmaps",
    short_names=("cm",),
    namespaced=True,
    description="ConfigMap holds configuration data for pods to consume.",
    schema=s.whole(
        binaryData=s.map_of(s.string(format="byte"), "BinaryData contains the binary data."),
        data=s.map_of(s.string(), "Data contains the configuration data."),
        immutable=s.boolean("Data stored in the ConfigMap cannot be updated."),
    ),
    columns=(
        NAME,
        Column(name="Data", cell=count_data, type="integer", description="Number of keys."),
        AGE,
    ),
    validate=check_immutable,
)
