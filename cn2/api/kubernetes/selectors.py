"""Label selectors: as text in printer columns, and as a predicate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cn2.api.access import items, mapping, text

_TEXT = {"In": "in", "NotIn": "notin"}


def _requirement(expression: Any) -> str:
    key, operator = text(expression, "key"), text(expression, "operator")
    if operator == "Exists":
        return key
    if operator == "DoesNotExist":
        return f"!{key}"
    values = ",".join(sorted(str(value) for value in items(expression, "values")))
    return f"{key} {_TEXT.get(operator, operator)} ({values})"


def selector_text(selector: Any) -> str:
    """A LabelSelector as kubectl prints it; `<none>` when it selects everything."""
    labels = [f"{key}={value}" for key, value in sorted(mapping(selector, "matchLabels").items())]
    more = [_requirement(expression) for expression in items(selector, "matchExpressions")]
    return ",".join(labels + more) or "<none>"


def selector_matches(selector: Any, labels: Mapping[str, str]) -> bool:
    """Whether a LabelSelector selects an object with these labels; an empty one selects all."""
    wanted = mapping(selector, "matchLabels")
    if any(labels.get(key) != value for key, value in wanted.items()):
        return False
    return all(_holds(expression, labels) for expression in items(selector, "matchExpressions"))


def _holds(expression: Any, labels: Mapping[str, str]) -> bool:
    key, values = text(expression, "key"), items(expression, "values")
    match text(expression, "operator"):
        case "In":
            return key in labels and labels[key] in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
    return False
