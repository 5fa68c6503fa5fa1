"""How ownership of fields sees a schema: what is owned as one leaf, what item by item.

Lists are atomic unless their list type says otherwise, maps granular unless theirs does. What no
schema describes is a granular map or a leaf, as the value is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from cn2.api.kind import Schema
from cn2.api.object_meta import whole_schema
from cn2.apiserver.fieldset import item_by_keys, item_by_value


class Form(Enum):
    """What a node is."""

    LEAF = "leaf"
    MAP = "map"
    LIST = "list"
    """A list with items that are owned one by one."""
    ANY = "any"
    """Nothing is known of it."""


@dataclass(slots=True)
class Shape:
    """One node of a schema."""

    form: Form
    fields: Mapping[str, Shape] = field(default_factory=dict)
    """Named fields of a map."""
    values: Shape | None = None
    """What the other keys of a map hold."""
    items: Shape | None = None
    keys: tuple[str, ...] = ()
    """Fields that identify an item; () for a set of values."""
    key_defaults: Mapping[str, Any] = field(default_factory=dict)
    zero: Any = None
    """What the node is when nobody sets it ({} of a Go struct, [] of a required list); None when
    it is absent then."""

    def child(self, key: str) -> Shape:
        """The shape of a map's member."""
        return self.fields.get(key) or self.values or ANY

    def form_of(self, value: Any) -> Form:
        """The form that `value` has here."""
        if self.form is Form.ANY:
            return Form.MAP if isinstance(value, dict) else Form.LEAF
        return self.form

    def element(self, item: Any) -> str:
        """The path element of a list's item."""
        if not self.keys or not isinstance(item, dict):
            return item_by_value(item)
        found = {**self.key_defaults, **{key: item[key] for key in self.keys if key in item}}
        return item_by_keys(found)


ANY = Shape(Form.ANY)
_LEAF = Shape(Form.LEAF)

_shapes: dict[tuple[int, bool], tuple[Schema, Shape]] = {}


def shape_of(schema: Schema, *, typed: bool) -> Shape:
    """The shape of a kind's whole object, made once per schema.

    `typed` kinds are Go structs to their server: spec and status are there from the start, so
    nobody owns them as such. Custom resources are not.
    """
    key = id(schema), typed
    if key not in _shapes:
        shape = _shape(whole_schema(schema), typed)
        if typed:
            for name in ("spec", "status"):
                if name in shape.fields and shape.fields[name].form is Form.MAP:
                    shape.fields[name].zero = {}
        _shapes[key] = schema, shape
    return _shapes[key][1]


def _shape(schema: Schema, typed: bool) -> Shape:
    kind = schema.get("type")
    if kind == "array":
        return _list(schema, typed)
    if kind == "object" or "properties" in schema or "additionalProperties" in schema:
        return _map(schema, typed)
    return _LEAF if kind or schema.get("x-kubernetes-int-or-string") else ANY


def _list(schema: Schema, typed: bool) -> Shape:
    list_type = schema.get("x-kubernetes-list-type")
    if list_type not in ("set", "map"):
        return Shape(Form.LEAF)
    items = schema.get("items", {})
    properties = items.get("properties", {})
    keys = tuple(schema.get("x-kubernetes-list-map-keys", ())) if list_type == "map" else ()
    defaults = {
        key: properties[key]["default"] for key in keys if "default" in properties.get(key, {})
    }
    return Shape(Form.LIST, items=_shape(items, typed), keys=keys, key_defaults=defaults)


def _map(schema: Schema, typed: bool) -> Shape:
    if schema.get("x-kubernetes-map-type") == "atomic":
        return Shape(Form.LEAF)
    fields = {name: _shape(child, typed) for name, child in schema.get("properties", {}).items()}
    additional = schema.get("additionalProperties")
    values = _shape(additional, typed) if isinstance(additional, dict) else None
    shape = Shape(Form.MAP, fields=fields, values=values)
    if typed:
        _zeros(schema, fields)
        shape.zero = {} if _is_struct(schema) else None
    return shape


def _is_struct(schema: Schema) -> bool:
    return isinstance(schema.get("default"), dict) or bool(schema.get("x-cn2-struct"))


def _zeros(schema: Schema, fields: Mapping[str, Shape]) -> None:
    """A required list is serialized also when it is empty, so nobody owns the list as such."""
    for name in schema.get("required", ()):
        if name in fields and fields[name].form is Form.LIST:
            fields[name].zero = []
