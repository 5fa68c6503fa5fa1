"""Which field paths differ between two objects, and which an object sets.

The rules are those of structured-merge-diff: a node that appears is a path of its own besides
what is below it, so the one who creates a map owns the map.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from cn2.apiserver.fieldset import Path
from cn2.apiserver.fieldset import field as field_element
from cn2.apiserver.shape import Form, Shape

ABSENT: Any = object()


@dataclass(slots=True)
class Changes:
    """Paths that a write touches."""

    added: list[Path] = field(default_factory=list)
    modified: list[Path] = field(default_factory=list)
    removed: list[Path] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.added or self.modified or self.removed)

    def note(self, path: Path, old: Any, new: Any) -> None:
        """File a leaf that differs."""
        if old is ABSENT:
            self.added.append(path)
        elif new is ABSENT:
            self.removed.append(path)
        else:
            self.modified.append(path)


def compare(old: Any, new: Any, shape: Shape) -> Changes:
    """What is different in `new`."""
    changes = Changes()
    _compare((), old, new, shape, changes)
    return changes


def _compare(path: Path, old: Any, new: Any, shape: Shape, changes: Changes) -> None:
    if old is not ABSENT and new is not ABSENT and old == new:
        return
    form = shape.form_of(old if new is ABSENT else new)
    if form is Form.MAP and _fits(old, dict) and _fits(new, dict):
        _compare_maps(path, old, new, shape, changes)
    elif form is Form.LIST and _fits(old, list) and _fits(new, list):
        _compare_lists(path, old, new, shape, changes)
    else:
        changes.note(path, old, new)


def _fits(value: Any, container: type) -> bool:
    return value is ABSENT or value is None or isinstance(value, container)


def _content(value: Any) -> Any:
    return () if value is ABSENT or value is None else value


def _compare_maps(path: Path, old: Any, new: Any, shape: Shape, changes: Changes) -> None:
    before, after = _content(old) or {}, _content(new) or {}
    if not before and not after:
        changes.note(path, old, new)
        return
    if old is ABSENT or new is ABSENT:
        changes.note(path, old, new)
    for key in {**before, **after}:
        child = shape.child(key)
        was, becomes = before.get(key, ABSENT), after.get(key, ABSENT)
        if child.zero is not None:
            # Only a parent that is there has members that are never absent.
            was = child.zero if was is ABSENT and old is not ABSENT else was
            becomes = child.zero if becomes is ABSENT and new is not ABSENT else becomes
        _compare((*path, field_element(key)), was, becomes, child, changes)


def _compare_lists(path: Path, old: Any, new: Any, shape: Shape, changes: Changes) -> None:
    before, after = _content(old), _content(new)
    if not before and not after:
        changes.note(path, old, new)
        return
    if old is ABSENT or new is ABSENT:
        changes.note(path, old, new)
    was, becomes = _by_element(before, shape), _by_element(after, shape)
    for element in {**was, **becomes}:
        ours, theirs = was.get(element, ()), becomes.get(element, ())
        below = (*path, element)
        if len(ours) > 1 or len(theirs) > 1:
            if ours != theirs:
                changes.note(below, ours or ABSENT, theirs or ABSENT)
        else:
            first = ours[0] if ours else ABSENT
            second = theirs[0] if theirs else ABSENT
            _compare(below, first, second, shape.items or shape, changes)


def _by_element(items: Any, shape: Shape) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for item in items:
        found.setdefault(shape.element(item), []).append(item)
    return found


def paths_set_by(value: Any, shape: Shape, path: Path = ()) -> Iterator[Path]:
    """The paths that an applied configuration owns: its leaves, list items and map entries."""
    form = shape.form_of(value)
    if form is Form.MAP:
        if isinstance(value, dict):
            yield from _paths_of_map(value, shape, path)
    elif form is Form.LIST:
        if isinstance(value, list):
            for item in value:
                below = (*path, shape.element(item))
                yield from paths_set_by(item, shape.items or shape, below)
                yield below
    else:
        yield path


def _paths_of_map(value: dict[str, Any], shape: Shape, path: Path) -> Iterator[Path]:
    for key, member in value.items():
        below = (*path, field_element(key))
        yield from paths_set_by(member, shape.child(key), below)
        if member is None or member == {} or key not in shape.fields:
            yield below
