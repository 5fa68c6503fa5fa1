"""Checks of label selectors, in Kubernetes' words (metav1.LabelSelector)."""

from __future__ import annotations

import re
from typing import Any

from cn2.api.access import items, mapping, text
from cn2.api.kind import FieldError, Object
from cn2.api.schema_checks import invalid, required

_NAME = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_PREFIX = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_WITH_VALUES = ("In", "NotIn")


def selector(path: str, value: Any) -> list[FieldError]:
    """Errors unless the value is absent or a selector that can match labels."""
    if not isinstance(value, dict):
        return []
    errors = []
    for key, wanted in mapping(value, "matchLabels").items():
        errors += _key(f"{path}.matchLabels", key) + _value(f"{path}.matchLabels", wanted)
    for index, one in enumerate(items(value, "matchExpressions")):
        errors += _expression(f"{path}.matchExpressions[{index}]", one)
    return errors


def _expression(path: str, expression: Object) -> list[FieldError]:
    values, operator = items(expression, "values"), text(expression, "operator")
    errors = _key(f"{path}.key", text(expression, "key"))
    if operator in _WITH_VALUES and not values:
        need = required(f"{path}.values")
        why = "must be specified when `operator` is 'In' or 'NotIn'"
        errors.append(FieldError(need.field, f"{need.message}: {why}", need.reason, ""))
    elif operator not in _WITH_VALUES and values:
        why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
        errors.append(FieldError(f"{path}.values", f"Forbidden: {why}", "FieldValueForbidden"))
    for index, value in enumerate(values):
        errors += _value(f"{path}.values[{index}]", value)
    return errors


def _key(path: str, key: str) -> list[FieldError]:
    prefix, slash, name = key.rpartition("/")
    if _NAME.fullmatch(name) and (not slash or _PREFIX.fullmatch(prefix)):
        return []
    return [invalid(path, key, "is not a label key: want name or domain/name, such as app")]


def _value(path: str, value: str) -> list[FieldError]:
    if not value or _NAME.fullmatch(value):
        return []
    detail = (
        "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or"
        " '.', and must start and end with an alphanumeric character"
    )
    return [invalid(path, value, detail)]
