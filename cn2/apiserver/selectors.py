"""Label and field selectors (Kubernetes labels.Parse and fields.ParseSelector)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from cn2.api.kind import Kind, Object
from cn2.apiserver.errors import ApiError, bad_request

Matches = Callable[[Mapping[str, str]], bool]

_KEY = r"[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?(?:/[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?)?"
_VALUE = r"(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?)?"
_EXISTS = re.compile(rf"\s*({_KEY})\s*$")
_MISSING = re.compile(rf"\s*!\s*({_KEY})\s*$")
_EQUALS = re.compile(rf"\s*({_KEY})\s*(==|=|!=)\s*({_VALUE})\s*$")
_SET = re.compile(rf"\s*({_KEY})\s+(in|notin)\s*\(([^()]*)\)\s*$")
_NUMBER = re.compile(rf"\s*({_KEY})\s*([<>])\s*(-?\d+)\s*$")
_COMMA = re.compile(r",(?![^(]*\))")
_VALUE_ONLY = re.compile(rf"{_VALUE}$")


def labels(text: str) -> Matches | None:
    """A test of an object's labels; None when everything matches."""
    if not text.strip():
        return None
    return _all([_requirement(part) for part in _COMMA.split(text)])


def fields(kind: Kind, text: str) -> Matches | None:
    """A test of an object's fields as `field_values` gives them; None when everything matches."""
    if not text.strip():
        return None
    return _all([_field_requirement(kind, part) for part in re.split(r"(?<!\\),", text) if part])


def selectable(kind: Kind) -> tuple[str, ...]:
    return ("metadata.name", "metadata.namespace", *kind.selectable_fields)


def field_values(kind: Kind, obj: Object) -> dict[str, str]:
    """The fields of an object that can be selected by, as text; absent is empty."""
    return {path: _text(_dig(obj, path)) for path in selectable(kind)}


def _requirement(text: str) -> Matches:
    if match := _EQUALS.match(text):
        key, operator, value = match.groups()
        if operator == "!=":
            return lambda labels: labels.get(key) != value
        return lambda labels: labels.get(key) == value
    if match := _SET.match(text):
        return _member(match[1], match[2], match[3], text)
    if match := _NUMBER.match(text):
        return _compare(match[1], match[2], int(match[3]))
    if match := _EXISTS.match(text):
        key = match[1]
        return lambda labels: key in labels
    if match := _MISSING.match(text):
        key = match[1]
        return lambda labels: key not in labels
    raise _unparsable(text)


def _member(key: str, operator: str, listed: str, text: str) -> Matches:
    values = frozenset(value.strip() for value in listed.split(","))
    if not all(_VALUE_ONLY.match(value) for value in values):
        raise _unparsable(text)
    if operator == "in":
        return lambda labels: labels.get(key) in values
    return lambda labels: labels.get(key) not in values


def _compare(key: str, operator: str, bound: int) -> Matches:
    def matches(labels: Mapping[str, str]) -> bool:
        try:
            value = int(labels.get(key, ""))
        except ValueError:
            return False
        return value > bound if operator == ">" else value < bound

    return matches


def _field_requirement(kind: Kind, text: str) -> Matches:
    match = re.match(r"\s*([A-Za-z0-9_.\-/]+)\s*(==|=|!=)(.*)$", text, re.DOTALL)
    if match is None:
        raise bad_request(f"invalid selector: '{text}'; can't understand '{text}'")
    path, operator, value = match[1], match[2], re.sub(r"\\(.)", r"\1", match[3])
    if path not in selectable(kind):
        raise bad_request(f"field label not supported: {path}")
    if operator == "!=":
        return lambda values: values[path] != value
    return lambda values: values[path] == value


def _all(tests: list[Matches]) -> Matches:
    if len(tests) == 1:
        return tests[0]
    return lambda values: all(test(values) for test in tests)


def _dig(obj: Any, path: str) -> Any:
    for step in path.split("."):
        obj = obj.get(step) if isinstance(obj, dict) else None
    return obj


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _unparsable(text: str) -> ApiError:
    return bad_request(f"unable to parse requirement: found '{text.strip()}', expected a selector")
