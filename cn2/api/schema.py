"""Small builders of OpenAPI v3 structural schema nodes.

Each returns a plain dict that CRDs, OpenAPI documents, validation, patches and field ownership
read. Besides Kubernetes' own extensions there are two of ours: `x-cn2-reference` marks a node that
holds a reference to another object (cn2-api.md 3.3); `x-cn2-struct` one that CN2's server holds by
value, so that no field manager owns the node itself (`default={}` says so too).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cn2.api.kind import Schema

REFERENCE = "x-cn2-reference"
STRUCT = "x-cn2-struct"
PRESERVE_UNKNOWN = "x-kubernetes-preserve-unknown-fields"
INT_OR_STRING = "x-kubernetes-int-or-string"
LIST_TYPE = "x-kubernetes-list-type"
LIST_MAP_KEYS = "x-kubernetes-list-map-keys"
MAP_TYPE = "x-kubernetes-map-type"
PATCH_STRATEGY = "x-kubernetes-patch-strategy"
PATCH_MERGE_KEY = "x-kubernetes-patch-merge-key"


def _node(type_: str, description: str, **more: Any) -> Schema:
    node: Schema = {"type": type_}
    if description:
        node["description"] = description
    node.update({key: value for key, value in more.items() if value is not None})
    return node


def string(
    description: str = "",
    *,
    default: str | None = None,
    enum: Sequence[str] = (),
    format: str | None = None,
    pattern: str | None = None,
) -> Schema:
    """A string; `format` is informative (`date-time`, `byte`)."""
    node = _node("string", description, default=default, format=format, pattern=pattern)
    if enum:
        node["enum"] = list(enum)
    return node


def time(description: str = "") -> Schema:
    """An RFC 3339 time in UTC, whole seconds."""
    return string(description, format="date-time")


def integer(
    description: str = "",
    *,
    bits: int = 32,
    minimum: int | None = None,
    maximum: int | None = None,
    default: int | None = None,
) -> Schema:
    """A signed integer of 32 or 64 bits."""
    return _node(
        "integer",
        description,
        format=f"int{bits}",
        minimum=minimum,
        maximum=maximum,
        default=default,
    )


def boolean(description: str = "", *, default: bool | None = None) -> Schema:
    """True or false."""
    return _node("boolean", description, default=default)


def int_or_string(description: str = "") -> Schema:
    """An integer or a string, e.g. a port's number or name."""
    node: Schema = {"description": description} if description else {}
    node[INT_OR_STRING] = True
    return node


def quantity(description: str = "") -> Schema:
    """A resource amount such as `500m` or `128Mi`."""
    node = int_or_string(description)
    node["format"] = "quantity"
    return node


def object(
    description: str = "",
    properties: Mapping[str, Schema] | None = None,
    *,
    required: Sequence[str] = (),
    default: Mapping[str, Any] | None = None,
    atomic: bool = False,
) -> Schema:
    """An object with named fields. `default={}` is a struct that is always serialized; `atomic`
    means that one field manager owns it as a whole."""
    node = _node("object", description)
    if properties:
        node["properties"] = dict(properties)
    if required:
        node["required"] = list(required)
    if default is not None:
        node["default"] = dict(default)
    if atomic:
        node[MAP_TYPE] = "atomic"
    return node


def map_of(values: Schema, description: str = "") -> Schema:
    """An object with free keys."""
    return _node("object", description, additionalProperties=values)


def any_object(description: str = "") -> Schema:
    """An object of which nothing is checked and nothing is pruned."""
    return {**_node("object", description), PRESERVE_UNKNOWN: True}


def array(items: Schema, description: str = "") -> Schema:
    """A list that is owned and replaced as a whole."""
    return _node("array", description, items=items, **{LIST_TYPE: "atomic"})


def set_of(items: Schema, description: str = "", *, merge: bool = False) -> Schema:
    """A list of distinct scalars, owned one by one; `merge` for strategic merge patch."""
    node = _node("array", description, items=items, **{LIST_TYPE: "set"})
    if merge:
        node[PATCH_STRATEGY] = "merge"
    return node


def list_map(
    items: Schema,
    keys: Sequence[str],
    description: str = "",
    *,
    merge_key: str = "",
    strategy: str = "merge",
) -> Schema:
    """A list of objects identified by `keys`, owned one by one. Strategic merge patch joins
    elements by one key only, `merge_key` (the first of `keys` unless given)."""
    return _node(
        "array",
        description,
        items=items,
        **{
            LIST_TYPE: "map",
            LIST_MAP_KEYS: list(keys),
            PATCH_STRATEGY: strategy,
            PATCH_MERGE_KEY: merge_key or keys[0],
        },
    )


def strings(description: str = "") -> Schema:
    """A list of strings, owned as a whole."""
    return array(string(), description)


def reference(
    description: str,
    properties: Mapping[str, Schema],
    *,
    required: Sequence[str] = (),
    default: Mapping[str, Any] | None = None,
) -> Schema:
    """A reference to another object: it gets an fqName and a back-reference label."""
    return {
        **object(description, properties, required=required, default=default),
        REFERENCE: True,
    }


def whole(spec: Schema | None = None, status: Schema | None = None, **more: Schema) -> Schema:
    """The schema of a kind: spec, status and what else stands at the top level."""
    properties: dict[str, Schema] = {}
    if spec is not None:
        properties["spec"] = spec
    if status is not None:
        properties["status"] = status
    return object("", {**properties, **more})
