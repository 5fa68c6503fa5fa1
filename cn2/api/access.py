"""Reading nested fields of an object that may lack any of them."""

from __future__ import annotations

from typing import Any

from cn2.api.kind import Object


def at(obj: Any, *path: str, default: Any = None) -> Any:
    """The value at `path`, or `default` when a step is missing, null or not an object."""
    for key in path:
        if not isinstance(obj, dict):
            return default
        obj = obj.get(key)
    return default if obj is None else obj


def text(obj: Any, *path: str) -> str:
    """The string at `path`; "" when there is none."""
    value = at(obj, *path)
    return value if isinstance(value, str) else ""


def items(obj: Any, *path: str) -> list[Any]:
    """The list at `path`; [] when there is none."""
    value = at(obj, *path)
    return value if isinstance(value, list) else []


def mapping(obj: Any, *path: str) -> dict[str, Any]:
    """The object at `path`; {} when there is none."""
    value = at(obj, *path)
    return value if isinstance(value, dict) else {}


def name_of(obj: Object) -> str:
    """metadata.name, or ""."""
    return text(obj, "metadata", "name")


def namespace_of(obj: Object) -> str:
    """metadata.namespace, or "" for cluster-scoped objects."""
    return text(obj, "metadata", "namespace")


def annotation(obj: Object, key: str) -> str:
    """One annotation's value, or ""."""
    return text(obj, "metadata", "annotations", key)


def label(obj: Object, key: str) -> str:
    """One label's value, or ""."""
    return text(obj, "metadata", "labels", key)
