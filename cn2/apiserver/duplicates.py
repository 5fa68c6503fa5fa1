"""Keys that stand twice in one object of a JSON body: JSON keeps the last and says nothing."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

Pairs = list[tuple[str, Any]]


class _Object(dict[str, Any]):
    """A decoded object that remembers the keys it was given more than once."""

    twice: tuple[str, ...] = ()


def _object(pairs: Pairs) -> _Object:
    found = _Object(pairs)
    if len(found) != len(pairs):
        counts = Counter(key for key, _ in pairs)
        found.twice = tuple(key for key, count in counts.items() if count > 1)
    return found


def duplicate_fields(body: bytes) -> list[str]:
    """`duplicate field "PATH"` for each, in Kubernetes' words; [] for what is no JSON."""
    try:
        document = json.loads(body, object_pairs_hook=_object)
    except (ValueError, RecursionError):
        return []
    return [f'duplicate field "{path}"' for path in _paths(document, "")]


def _paths(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, _Object):
        for key in value.twice:
            yield f"{path}.{key}".lstrip(".")
        for key, child in value.items():
            yield from _paths(child, f"{path}.{key}")
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from _paths(child, f"{path}[{index}]")
