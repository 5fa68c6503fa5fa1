"""ConfigMap (core/v1)."""

from __future__ import annotations

from collections.abc import Iterable

from cn2.api import schema as s
from cn2.api.access import at, mapping
from cn2.api.checks import forbidden
from cn2.api.columns import AGE, NAME
from cn2.api.kind import Column, FieldError, Kind, Object


def count_data(obj: Object) -> int:
    """How many keys an object's data and binaryData have."""
    return len(mapping(obj, "data")) + len(mapping(obj, "binaryData"))


MAX_DATA = 1 << 20
"""Bytes that the values of a ConfigMap or a Secret may have together."""


def check_size(sizes: Iterable[int]) -> list[FieldError]:
    """An error when the values are too large together."""
    if sum(sizes) <= MAX_DATA:
        return []
    return [
        FieldError("[]", f"Too long: may not be more than {MAX_DATA} bytes", "FieldValueTooLong")
    ]


def base64_size(value: str) -> int:
    """Bytes that base64 text stands for."""
    return len(value) * 3 // 4 - value[-2:].count("=")


def _validate(new: Object, old: Object | None) -> list[FieldError]:
    sizes = [
        *(len(value.encode()) for value in mapping(new, "data").values()),
        *map(base64_size, mapping(new, "binaryData").values()),
    ]
    return check_immutable(new, old) + check_size(sizes)


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
    validate=_validate,
)
