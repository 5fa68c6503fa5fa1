"""Schema nodes compiled into check closures: `check(value, path, errors)`.

Wording and order follow kube-openapi's validation as kube-apiserver reports it for custom
resources.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from cn2.api.formats import INTEGER_BOUNDS, STRING_FORMATS
from cn2.api.kind import FieldError, Schema
from cn2.api.quantity import is_quantity

Check = Callable[[Any, str, list[FieldError]], None]

INT_OR_STRING = "x-kubernetes-int-or-string"

_INVALID = "FieldValueInvalid"


def quote(value: Any) -> str:
    """A value as error messages show it: strings quoted, the rest as JSON."""
    return json.dumps(value, ensure_ascii=False, default=str)


def invalid(path: str, value: Any, detail: str) -> FieldError:
    """An `Invalid value` error with kube-apiserver's complete message."""
    return FieldError(path, f"Invalid value: {quote(value)}: {detail}", _INVALID, value)


def without_value(message: str, value: str) -> str:
    """A parser's message without the value that it begins with: `invalid` has said it already."""
    return message.removeprefix(repr(value)).removeprefix(":").strip()


def required(path: str) -> FieldError:
    """A `Required value` error."""
    return FieldError(path, "Required value", "FieldValueRequired", "")


def not_supported(path: str, value: Any, supported: Iterable[Any]) -> FieldError:
    """An `Unsupported value` error that lists what is supported."""
    choices = ", ".join(quote(choice) for choice in supported)
    message = f"Unsupported value: {quote(value)}: supported values: {choices}"
    return FieldError(path, message, "FieldValueNotSupported", value)


def duplicate(path: str, value: Any) -> FieldError:
    """A `Duplicate value` error."""
    return FieldError(path, f"Duplicate value: {quote(value)}", "FieldValueDuplicate", value)


def type_name(value: Any) -> str:
    """The JSON type of a value, in JSON schema's words."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
        case _:
            return "object"


def _wrong_type(path: str, value: Any, expected: str) -> FieldError:
    name = type_name(value)
    where = f"{path} in body" if path else "in body"
    return invalid(path, name, f'{where} must be of type {expected}: "{name}"')


def compile_check(schema: Schema) -> Check:
    """Compile one schema node with all below it."""
    by_type = _typed(schema)
    enum = schema.get("enum")
    nullable = bool(schema.get("nullable"))
    combined = _combined(schema)

    def check(value: Any, path: str, errors: list[FieldError]) -> None:
        if value is None and nullable:
            return
        before = len(errors)
        by_type(value, path, errors)
        if enum is not None and len(errors) == before and value not in enum:
            errors.append(not_supported(path, value, enum))
        for check_more in combined:
            check_more(value, path, errors)

    return check if enum is not None or nullable or combined else by_type


def _typed(schema: Schema) -> Check:
    if schema.get(INT_OR_STRING):
        return _quantity if schema.get("format") == "quantity" else _int_or_string
    match schema.get("type"):
        case "string":
            return _string(schema)
        case "integer":
            return _number(schema, "integer")
        case "number":
            return _number(schema, "number")
        case "boolean":
            return _boolean
        case "array":
            return _array(schema)
        case "object":
            return _object(schema)
        case _:
            return _any_type(schema)


def _any_type(schema: Schema) -> Check:
    """A node without a type: what it says of objects and numbers holds where it fits."""
    if "properties" in schema or "required" in schema:
        check_object = _object(schema)

        def check(value: Any, path: str, errors: list[FieldError]) -> None:
            if isinstance(value, dict):
                check_object(value, path, errors)

        return check
    checks = {"string": _string(schema), "integer": _number(schema, "number")}
    checks["number"] = checks["integer"]

    def check_scalar(value: Any, path: str, errors: list[FieldError]) -> None:
        fitting = checks.get(type_name(value))
        if fitting is not None:
            fitting(value, path, errors)

    return check_scalar


def _int_or_string(value: Any, path: str, errors: list[FieldError]) -> None:
    if isinstance(value, bool) or not isinstance(value, int | str):
        errors.append(_wrong_type(path, value, "integer,string"))


def _quantity(value: Any, path: str, errors: list[FieldError]) -> None:
    if not is_quantity(value):
        errors.append(
            invalid(
                path,
                value,
                "quantities must match the regular expression"
                " '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
            )
        )


def _boolean(value: Any, path: str, errors: list[FieldError]) -> None:
    if not isinstance(value, bool):
        errors.append(_wrong_type(path, value, "boolean"))


def _string(schema: Schema) -> Check:
    longest = schema.get("maxLength")
    shortest = schema.get("minLength", 0)
    pattern = re.compile(schema["pattern"]) if "pattern" in schema else None
    format_name = schema.get("format", "")
    fits = STRING_FORMATS.get(format_name)

    def check(value: Any, path: str, errors: list[FieldError]) -> None:
        if not isinstance(value, str):
            errors.append(_wrong_type(path, value, "string"))
            return
        if longest is not None and len(value) > longest:
            message = f"Too long: may not be more than {longest} bytes"
            errors.append(FieldError(path, message, "FieldValueTooLong", value))
        if len(value) < shortest:
            detail = f"{path} in body should be at least {shortest} chars long"
            errors.append(invalid(path, value, detail))
        if pattern is not None and not pattern.search(value):
            errors.append(invalid(path, value, f"{path} in body should match '{pattern.pattern}'"))
        if fits is not None and not fits(value):
            detail = f"{path} in body must be of type {format_name}: {quote(value)}"
            errors.append(invalid(path, value, detail))

    return check


def _is_number(value: Any, wanted: str) -> bool:
    if isinstance(value, bool):
        return False
    if wanted == "integer":
        return isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    return isinstance(value, int | float)


def _number(schema: Schema, wanted: str) -> Check:
    limits = list(_limits(schema))

    def check(value: Any, path: str, errors: list[FieldError]) -> None:
        if not _is_number(value, wanted):
            errors.append(_wrong_type(path, value, wanted))
            return
        for holds, detail in limits:
            if not holds(value):
                errors.append(invalid(path, value, f"{path} in body {detail}"))

    return check


def _limits(schema: Schema) -> Iterable[tuple[Callable[[Any], bool], str]]:
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and schema.get("exclusiveMinimum"):
        yield lambda value: value > low, f"should be greater than {low}"
    elif low is not None:
        yield lambda value: value >= low, f"should be greater than or equal to {low}"
    if high is not None and schema.get("exclusiveMaximum"):
        yield lambda value: value < high, f"should be less than {high}"
    elif high is not None:
        yield lambda value: value <= high, f"should be less than or equal to {high}"
    factor = schema.get("multipleOf")
    if factor is not None:
        yield lambda value: value % factor == 0, f"should be a multiple of {factor}"
    format_name = schema.get("format", "")
    bounds = INTEGER_BOUNDS.get(format_name)
    if bounds is not None:
        least, most = bounds
        yield lambda value: least <= value <= most, f"must be of type {format_name}"


def _sized(schema: Schema, noun: str) -> Check:
    least, most = schema.get(f"min{noun}", 0), schema.get(f"max{noun}")

    def check(value: Any, path: str, errors: list[FieldError]) -> None:
        size = len(value)
        if size < least:
            detail = f"{path} in body should have at least {least} {noun.lower()}"
            errors.append(invalid(path, size, detail))
        if most is not None and size > most:
            message = f"Too many: {size}: must have at most {most} items"
            errors.append(FieldError(path, message, "FieldValueTooMany", size))

    return check


def _array(schema: Schema) -> Check:
    check_item = compile_check(schema["items"]) if schema.get("items") else None
    check_size = _sized(schema, "Items")
    list_type = schema.get("x-kubernetes-list-type")
    map_keys = schema.get("x-kubernetes-list-map-keys", ())
    unique = list_type == "set" or bool(schema.get("uniqueItems"))

    def check(value: Any, path: str, errors: list[FieldError]) -> None:
        if not isinstance(value, list):
            errors.append(_wrong_type(path, value, "array"))
            return
        check_size(value, path, errors)
        if check_item is not None:
            for index, item in enumerate(value):
                check_item(item, f"{path}[{index}]", errors)
        if unique:
            _unique(value, path, errors)
        elif list_type == "map":
            _unique_keys(value, map_keys, path, errors)

    return check


def _unique(items: list[Any], path: str, errors: list[FieldError]) -> None:
    seen: set[bytes] = set()
    for index, item in enumerate(items):
        text = _text(item)
        if text in seen:
            errors.append(duplicate(f"{path}[{index}]", item))
        seen.add(text)


def _unique_keys(
    items: list[Any], keys: Iterable[str], path: str, errors: list[FieldError]
) -> None:
    seen: set[bytes] = set()
    for index, item in enumerate(items):
        if not isinstance(item, dict):
            continue
        identity = {key: item[key] for key in keys if key in item}
        text = _text(identity)
        if text in seen:
            errors.append(duplicate(f"{path}[{index}]", identity))
        seen.add(text)


def _text(value: Any) -> bytes:
    """Equal for values that are equal as JSON."""
    return msgspec.json.encode(value, order="sorted")


def _object(schema: Schema) -> Check:
    children = {name: compile_check(child) for name, child in schema.get("properties", {}).items()}
    additional = schema.get("additionalProperties")
    check_other = compile_check(additional) if isinstance(additional, dict) else None
    needed = tuple(schema.get("required", ()))
    check_size = None
    if "minProperties" in schema or "maxProperties" in schema:
        check_size = _sized(schema, "Properties")

    def check(value: Any, path: str, errors: list[FieldError]) -> None:
        if not isinstance(value, dict):
            errors.append(_wrong_type(path, value, "object"))
            return
        prefix = f"{path}." if path else ""
        if check_size is not None:
            check_size(value, path, errors)
        for name in needed:
            if name not in value:
                errors.append(required(prefix + name))
        for name, item in value.items():
            check_child = children.get(name, check_other)
            if check_child is not None:
                check_child(item, prefix + name, errors)

    return check


def _combined(schema: Schema) -> list[Check]:
    checks: list[Check] = []
    if schema.get(INT_OR_STRING):
        return checks
    checks.extend(compile_check(part) for part in schema.get("allOf", ()))
    if "anyOf" in schema:
        checks.append(_count(schema["anyOf"], "anyOf", lambda fitting: fitting >= 1))
    if "oneOf" in schema:
        checks.append(_count(schema["oneOf"], "oneOf", lambda fitting: fitting == 1))
    if "not" in schema:
        checks.append(_not(schema["not"]))
    return checks


def _fits(check: Check, value: Any, path: str) -> bool:
    found: list[FieldError] = []
    check(value, path, found)
    return not found


def _count(parts: list[Schema], word: str, holds: Callable[[int], bool]) -> Check:
    checks = [compile_check(part) for part in parts]
    wanted = "one and only one schema (oneOf)" if word == "oneOf" else "at least one schema (anyOf)"

    def check(value: Any, path: str, errors: list[FieldError]) -> None:
        fitting = sum(_fits(part, value, path) for part in checks)
        if not holds(fitting):
            found = "none" if fitting == 0 else f"{fitting}"
            detail = f'"{path}" must validate {wanted}'
            if word == "oneOf":
                detail += f". Found {found} valid"
            errors.append(invalid(path, value, detail))

    return check


def _not(part: Schema) -> Check:
    inner = compile_check(part)

    def check(value: Any, path: str, errors: list[FieldError]) -> None:
        if _fits(inner, value, path):
            errors.append(invalid(path, value, f'"{path}" must not validate the schema (not)'))

    return check
