"""Structural schemas compiled into closures that check, prune and default objects.

A schema is compiled once per kind; on each write the server calls `prune`, `default` and `check`
in this order, as kube-apiserver does. The words of the errors are kube-apiserver's.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cn2.api.kind import FieldError, Kind, Object, Schema
from cn2.api.object_meta import whole_schema
from cn2.api.schema_checks import Check, compile_check, required

Prune = Callable[[Any, str, list[str]], None]
Default = Callable[[Any], None]

PRESERVE = "x-kubernetes-preserve-unknown-fields"
EMBEDDED = "x-kubernetes-embedded-resource"

_ACROSS = frozenset(
    ("allOf", "anyOf", "oneOf", "not", "additionalProperties", "minProperties", "maxProperties")
)
"""What a schema says of an object as a whole."""


@dataclass(frozen=True, slots=True)
class Checker:
    """A compiled schema of one kind's whole object."""

    _check: Check
    _parts: Mapping[str, Check] | None
    """The checks of single members, where these are all there is to check."""
    _required: tuple[str, ...]
    _prune: Prune | None
    _default: Default | None

    def check(self, obj: Object, old: Object | None = None) -> list[FieldError]:
        """What is wrong with `obj`, in document order; [] when nothing is. What is the same in
        `old` was checked when that was written: a write to the status leaves the spec alone.

        Each error's message is complete, as in a cause of a Kubernetes Status, e.g.
        `Invalid value: "integer": spec.x in body must be of type string: "integer"`.
        """
        errors: list[FieldError] = []
        if old is None or self._parts is None:
            self._check(obj, "", errors)
            return errors
        errors.extend(required(name) for name in self._required if name not in obj)
        for name, value in obj.items():
            check = self._parts.get(name)
            if check is not None and (name not in old or old[name] != value):
                check(value, name, errors)
        return errors

    def prune(self, obj: Object) -> list[str]:
        """Remove the fields that the schema does not know, and nulls that may not be, in place.

        Returns the unknown fields' paths, e.g. `spec.foo` and `spec.ports[0].bar`: strict
        validation answers `unknown field "spec.foo"` for each, warning validation puts that in
        a Warning header.
        """
        unknown: list[str] = []
        if self._prune is not None:
            self._prune(obj, "", unknown)
        return unknown

    def default(self, obj: Object) -> None:
        """Fill in the schema's defaults, in place; a null that may not be null counts as absent."""
        if self._default is not None:
            self._default(obj)


def compile_schema(schema: Schema) -> Checker:
    """Compile a kind's schema; apiVersion, kind and metadata are added to it."""
    whole = whole_schema(schema)
    parts = {name: compile_check(child) for name, child in whole["properties"].items()}
    return Checker(
        compile_check(whole),
        None if _ACROSS & whole.keys() else parts,
        tuple(whole.get("required", ())),
        _compile_prune(whole),
        _compile_default(whole),
    )


_checkers: dict[tuple[str, str], tuple[Schema, Checker]] = {}


def checker(kind: Kind) -> Checker:
    """The checker of a kind, compiled when first asked for."""
    key = kind.api_version, kind.kind
    cached = _checkers.get(key)
    if cached is None or cached[0] is not kind.schema:
        cached = kind.schema, compile_schema(kind.schema)
        _checkers[key] = cached
    return cached[1]


def unknown_field(path: str) -> str:
    """The words in which kube-apiserver reports a field that the schema does not know."""
    return f'unknown field "{path}"'


# Pruning ----------------------------------------------------------------------------------------


def _compile_prune(schema: Schema) -> Prune | None:
    if "items" in schema:
        return _prune_items(schema["items"])
    if schema.get(EMBEDDED):
        schema = whole_schema(schema)
    properties = schema.get("properties")
    additional = schema.get("additionalProperties")
    if additional is not None and additional is not False and not properties:
        return _prune_map(additional) if isinstance(additional, dict) else None
    if properties is None and schema.get("type") != "object":
        return None
    return _prune_object(properties or {}, additional, bool(schema.get(PRESERVE)))


def _prune_items(items: Schema) -> Prune | None:
    prune_item = _compile_prune(items)
    if prune_item is None:
        return None

    def prune(value: Any, path: str, unknown: list[str]) -> None:
        if isinstance(value, list):
            for index, item in enumerate(value):
                prune_item(item, f"{path}[{index}]", unknown)

    return prune


def _prune_map(values: Schema) -> Prune | None:
    prune_value = _compile_prune(values)
    if prune_value is None:
        return None

    def prune(value: Any, path: str, unknown: list[str]) -> None:
        if isinstance(value, dict):
            for key, item in value.items():
                prune_value(item, f"{path}.{key}" if path else key, unknown)

    return prune


def _prune_object(properties: dict[str, Schema], additional: Any, preserve: bool) -> Prune | None:
    known = frozenset(properties)
    nullable = frozenset(name for name, child in properties.items() if child.get("nullable"))
    children = {
        name: prune_child
        for name, child in properties.items()
        if (prune_child := _compile_prune(child)) is not None
    }
    if preserve and not children:
        return None
    keep_all = preserve or bool(additional)
    prune_other = _compile_prune(additional) if isinstance(additional, dict) else None

    def prune(value: Any, path: str, unknown: list[str]) -> None:
        if not isinstance(value, dict):
            return
        prefix = f"{path}." if path else ""
        for name in list(value):
            if name not in known:
                if not keep_all:
                    unknown.append(prefix + name)
                    del value[name]
                elif prune_other is not None:
                    prune_other(value[name], prefix + name, unknown)
            elif value[name] is None and name not in nullable:
                # Go's decoders read an explicit null as absence.
                del value[name]
            elif (prune_child := children.get(name)) is not None:
                prune_child(value[name], prefix + name, unknown)

    return prune


# Defaulting -------------------------------------------------------------------------------------


def _compile_default(schema: Schema) -> Default | None:
    if "items" in schema:
        return _default_items(schema["items"])
    properties = schema.get("properties")
    if properties:
        return _default_object(properties)
    additional = schema.get("additionalProperties")
    if isinstance(additional, dict):
        return _default_map(additional)
    return None


def _default_items(items: Schema) -> Default | None:
    default_item = _compile_default(items)
    if default_item is None:
        return None

    def default(value: Any) -> None:
        if isinstance(value, list):
            for item in value:
                default_item(item)

    return default


def _default_map(values: Schema) -> Default | None:
    default_value = _compile_default(values)
    if default_value is None:
        return None

    def default(value: Any) -> None:
        if isinstance(value, dict):
            for item in value.values():
                default_value(item)

    return default


def _default_object(properties: dict[str, Schema]) -> Default | None:
    values = {
        name: (child["default"], bool(child.get("nullable")))
        for name, child in properties.items()
        if "default" in child
    }
    children = {
        name: default_child
        for name, child in properties.items()
        if (default_child := _compile_default(child)) is not None
    }
    if not values and not children:
        return None

    def default(value: Any) -> None:
        if not isinstance(value, dict):
            return
        for name, (initial, nullable) in values.items():
            if name not in value or (value[name] is None and not nullable):
                value[name] = copy.deepcopy(initial)
        for name, default_child in children.items():
            if name in value:
                default_child(value[name])

    return default
