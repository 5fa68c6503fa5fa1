"""Sets of field paths, in the form of Kubernetes' FieldsV1.

A path is a tuple of elements: `f:NAME` (a field or map key), `k:{...}` (a list item by its keys),
`v:VALUE` (an item of a set). In FieldsV1 the elements are nested; `.` marks a node that is a member
itself while it also has children, and a node without children is a member.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

Path = tuple[str, ...]
Fields = dict[str, Any]

SELF = "."


def field(name: str) -> str:
    """The path element of a field or map key."""
    return f"f:{name}"


def item_by_keys(keys: dict[str, Any]) -> str:
    """The path element of a list item that is identified by some of its fields."""
    return "k:" + msgspec.json.encode(keys, order="sorted").decode()


def item_by_value(value: Any) -> str:
    """The path element of an item of a set."""
    return "v:" + msgspec.json.encode(value).decode()


def paths(fields: Fields, prefix: Path = ()) -> Iterator[Path]:
    """All member paths of `fields`."""
    for element, below in fields.items():
        if element == SELF:
            continue
        path = (*prefix, element)
        if not below or SELF in below:
            yield path
        if below:
            yield from paths(below, path)


def fields_of(members: Iterable[Path]) -> Fields:
    """FieldsV1 of a set of paths, sorted."""
    fields: Fields = {}
    for path in members:
        insert(fields, path)
    return sorted_fields(fields)


def sorted_fields(fields: Fields) -> Fields:
    """The same set with its elements in order: `.` first, then fields, keys, values."""
    # Elements are unique, so that sorting never compares what is below them.
    return {
        element: sorted_fields(below) if below else {} for element, below in sorted(fields.items())
    }


def has(fields: Fields, path: Path) -> bool:
    """Whether `path` is a member."""
    for element in path:
        below = fields.get(element)
        if below is None:
            return False
        fields = below
    return not fields or SELF in fields


def insert(fields: Fields, path: Path) -> None:
    """Make `path` a member, in place."""
    *parents, last = path
    for element in parents:
        below = fields.get(element)
        if below is None:
            below = fields[element] = {}
        elif not below:
            below[SELF] = {}
        fields = below
    if last not in fields:
        fields[last] = {}
    elif fields[last]:
        fields[last][SELF] = {}


def remove(fields: Fields, path: Path) -> bool:
    """Take `path` out of the members, in place; whether it was one."""
    if not has(fields, path):
        return False
    nodes = [fields]
    for element in path[:-1]:
        nodes.append(nodes[-1][element])
    below = nodes[-1][path[-1]]
    if below:
        del below[SELF]
        return True
    del nodes[-1][path[-1]]
    for depth in range(len(nodes) - 1, 0, -1):
        node = nodes[depth]
        if node:
            # Only its own mark is left: a leaf that is a member.
            if len(node) == 1 and SELF in node:
                del node[SELF]
            break
        del nodes[depth - 1][path[depth - 1]]
    return True


def text(path: Path) -> str:
    """A path as conflicts show it: `.spec.containers[name="web"].image`."""
    return "".join(_element_text(element) for element in path)


def _element_text(element: str) -> str:
    form, value = element[:2], element[2:]
    if form == "f:":
        return "." + value
    if form == "k:":
        keys = json.loads(value)
        return "[" + ",".join(f"{key}={json.dumps(keys[key])}" for key in sorted(keys)) + "]"
    return f"[={value}]"
