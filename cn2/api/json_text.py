"""JSON that people write into strings: annotations, CNI configurations."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

_SHOWN = 200


def parse(text: str) -> Any:
    """The value that a text says. ValueError is a sentence for its author: not JSON, a key that
    stands twice in one object (one of the two would be lost), no finite number, too deep."""
    try:
        return json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise ValueError(f"is not valid JSON: {error}") from None
    except RecursionError:
        raise ValueError("is not valid JSON: too many levels of nesting") from None


def shown(text: str) -> str:
    """A text as an error message quotes it: not all of it when it is long."""
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        times = Counter(key for key, _ in pairs)
        twice = next(key for key, number in times.items() if number > 1)
        raise ValueError(f"has the key {twice!r} twice")
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"is not valid JSON: {name} is no number")
