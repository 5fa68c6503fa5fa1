"""Label selectors as they stand in objects (metav1.LabelSelector)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from cn2.api.access import items, mapping


def matches(selector: Mapping[str, Any] | None, labels: Mapping[str, str]) -> bool:
    """Whether `labels` satisfy the selector; an empty one takes everything, None nothing."""
    if not isinstance(selector, dict):
        return False
    if any(labels.get(key) != value for key, value in mapping(selector, "matchLabels").items()):
        return False
    return all(_expression(one, labels) for one in items(selector, "matchExpressions"))


def check_named(text: str) -> None:
    """Raise ValueError unless `text` is JSON of named pairs of selectors, as a Kubemanager's
    externalNetworkSelectors: {name: {networkSelector, namespaceSelector}}."""
    try:
        named = json.loads(text)
    except ValueError as error:
        raise ValueError(f"not valid JSON: {error}") from None
    if not isinstance(named, dict):
        raise ValueError("not an object of selectors by name")
    for name, pair in named.items():
        if not isinstance(pair, dict) or set(pair) - {"networkSelector", "namespaceSelector"}:
            raise ValueError(f"{name} is not an object of networkSelector and namespaceSelector")
        for key, selector in pair.items():
            _check(f"{name}.{key}", selector)


_OPERATORS = {"In": True, "NotIn": True, "Exists": False, "DoesNotExist": False}
"""Whether an operator takes values."""


def _check(where: str, selector: Any) -> None:
    if not isinstance(selector, dict) or set(selector) - {"matchLabels", "matchExpressions"}:
        raise ValueError(f"{where} is not a label selector")
    labels, expressions = selector.get("matchLabels"), selector.get("matchExpressions")
    if labels is not None and not (
        isinstance(labels, dict) and all(isinstance(one, str) for one in labels.values())
    ):
        raise ValueError(f"{where}.matchLabels is not an object of strings")
    if expressions is not None and not isinstance(expressions, list):
        raise ValueError(f"{where}.matchExpressions is not a list")
    for one in expressions or ():
        if not isinstance(one, dict) or not isinstance(one.get("key"), str):
            raise ValueError(f"{where}.matchExpressions: an element has no key")
        takes = _OPERATORS.get(one.get("operator", ""))
        if takes is None or takes != bool(one.get("values")):
            raise ValueError(f"{where}.matchExpressions: operator and values of {one['key']}")


def _expression(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    key, values = expression.get("key", ""), expression.get("values") or ()
    match expression.get("operator"):
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
    return False
