"""JSON patch (RFC 6902) with JSON pointers (RFC 6901)."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from cn2.apiserver.patch_error import PatchError

_INDEX = re.compile(r"^(0|[1-9][0-9]*)$")
_MOST_OPERATIONS = 10_000
_MOST_COPIED = 3 << 20
"""Bytes of JSON that the copies of one patch add up to at most, as in kube-apiserver: each copy
could double the document."""
_MISSING: Any = object()


def json_patch(doc: Any, ops: Any) -> Any:
    """Apply `ops` one after the other to a copy of `doc`. Raises PatchError; all or nothing."""
    if not isinstance(ops, list):
        raise PatchError("a JSON patch must be a list of operations")
    if len(ops) > _MOST_OPERATIONS:
        raise PatchError(f"the JSON patch has {len(ops)} operations, at most {_MOST_OPERATIONS}")
    doc = copy.deepcopy(doc)
    copied = 0
    for op in ops:
        copied += _copied(doc, op)
        if copied > _MOST_COPIED:
            raise PatchError(f"the JSON patch copies more than {_MOST_COPIED} bytes")
        doc = _apply(doc, op)
    return doc


def _copied(doc: Any, op: Any) -> int:
    """Bytes that an operation copies."""
    if not isinstance(op, dict) or op.get("op") != "copy":
        return 0
    return len(msgspec.json.encode(_find(doc, _pointer(op, "from"))))


def _apply(doc: Any, op: Any) -> Any:
    if not isinstance(op, dict):
        raise PatchError("a JSON patch operation must be an object")
    name = op.get("op")
    apply = _OPERATIONS.get(name) if isinstance(name, str) else None
    if apply is None:
        raise PatchError(f"Unexpected kind: {name}")
    return apply(doc, op)


def _pointer(op: Mapping[str, Any], key: str) -> list[str]:
    text = op.get(key)
    if not isinstance(text, str) or (text and not text.startswith("/")):
        raise PatchError(f"{op['op']} operation: bad {key} {text!r}")
    return [part.replace("~1", "/").replace("~0", "~") for part in text.split("/")[1:]]


def _value(op: Mapping[str, Any]) -> Any:
    if "value" not in op:
        raise PatchError(f"{op['op']} operation: no value")
    return copy.deepcopy(op["value"])


def _index(items: list[Any], part: str, most: int) -> int:
    if not _INDEX.match(part) or int(part) > most:
        raise PatchError(f"index {part!r} is not in a list of {len(items)}")
    return int(part)


def _find(doc: Any, pointer: list[str]) -> Any:
    for part in pointer:
        if isinstance(doc, dict):
            doc = doc.get(part, _MISSING)
        elif isinstance(doc, list):
            doc = doc[_index(doc, part, len(doc) - 1)]
        else:
            doc = _MISSING
        if doc is _MISSING:
            raise PatchError(f"path /{'/'.join(pointer)} does not exist")
    return doc


def _put(doc: Any, pointer: list[str], value: Any) -> Any:
    """RFC 6902 `add`: set a member, insert into a list, or replace the whole document."""
    if not pointer:
        return value
    parent, last = _find(doc, pointer[:-1]), pointer[-1]
    if isinstance(parent, dict):
        parent[last] = value
    elif isinstance(parent, list):
        parent.insert(len(parent) if last == "-" else _index(parent, last, len(parent)), value)
    else:
        raise PatchError(f"path /{'/'.join(pointer)} does not exist")
    return doc


def _take(doc: Any, pointer: list[str]) -> Any:
    """Remove and return what stands at `pointer`."""
    if not pointer:
        raise PatchError("the whole document can't be removed")
    value, parent = _find(doc, pointer), _find(doc, pointer[:-1])
    if isinstance(parent, dict):
        del parent[pointer[-1]]
    else:
        del parent[int(pointer[-1])]
    return value


def _add(doc: Any, op: Mapping[str, Any]) -> Any:
    return _put(doc, _pointer(op, "path"), _value(op))


def _remove(doc: Any, op: Mapping[str, Any]) -> Any:
    _take(doc, _pointer(op, "path"))
    return doc


def _replace(doc: Any, op: Mapping[str, Any]) -> Any:
    pointer, value = _pointer(op, "path"), _value(op)
    if not pointer:
        return value
    _find(doc, pointer)
    parent = _find(doc, pointer[:-1])
    parent[pointer[-1] if isinstance(parent, dict) else int(pointer[-1])] = value
    return doc


def _move(doc: Any, op: Mapping[str, Any]) -> Any:
    source, target = _pointer(op, "from"), _pointer(op, "path")
    if target[: len(source)] == source and len(target) > len(source):
        raise PatchError("a value can't be moved into itself")
    return doc if source == target else _put(doc, target, _take(doc, source))


def _copy(doc: Any, op: Mapping[str, Any]) -> Any:
    value = copy.deepcopy(_find(doc, _pointer(op, "from")))
    return _put(doc, _pointer(op, "path"), value)


def _test(doc: Any, op: Mapping[str, Any]) -> Any:
    path = op.get("path")
    if not same(_find(doc, _pointer(op, "path")), _value(op)):
        raise PatchError(f"testing value {path} failed")
    return doc


_OPERATIONS: Mapping[str, Callable[[Any, Mapping[str, Any]], Any]] = {
    "add": _add,
    "remove": _remove,
    "replace": _replace,
    "move": _move,
    "copy": _copy,
    "test": _test,
}


def same(left: Any, right: Any) -> bool:
    """JSON equality: numbers by value, and true is no 1."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    return bool(left == right)
