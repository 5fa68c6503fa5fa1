"""Merging an applied configuration into an object, and taking paths out of one."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from typing import Any

from cn2.apiserver.field_compare import ABSENT
from cn2.apiserver.fieldset import SELF, Fields, Path
from cn2.apiserver.fieldset import field as field_element
from cn2.apiserver.shape import Form, Shape


def merge(live: Any, applied: Any, shape: Shape) -> Any:
    """`live` with everything that `applied` says; shares nothing with either."""
    form = shape.form_of(applied)
    if form is Form.MAP and isinstance(live, dict) and isinstance(applied, dict):
        merged = {key: value for key, value in live.items() if key not in applied}
        merged = copy.deepcopy(merged)
        for key, value in applied.items():
            merged[key] = merge(live.get(key, ABSENT), value, shape.child(key))
        return merged
    if form is Form.LIST and isinstance(live, list) and isinstance(applied, list):
        return list(_merge_lists(live, applied, shape))
    return copy.deepcopy(applied)


def _merge_lists(live: list[Any], applied: list[Any], shape: Shape) -> Iterator[Any]:
    """Applied items in their order; items that only the object has keep their place among them."""
    theirs = {shape.element(item): item for item in live}
    ours = {shape.element(item): item for item in applied}
    left, right = list(theirs), list(ours)
    shared = [element for element in right if element in theirs]
    merged: set[str] = set()
    at_left = at_right = 0
    while at_left < len(left) or at_right < len(right):
        if at_left < len(left):
            element = left[at_left]
            if element not in ours:
                at_left += 1
                yield copy.deepcopy(theirs[element])
                continue
            if element in merged or element != shared[0]:
                # It comes, or came, where the applied order wants it.
                at_left += 1
                continue
        element = right[at_right]
        at_right += 1
        merged.add(element)
        if shared and shared[0] == element:
            shared.pop(0)
        yield merge(theirs.get(element, ABSENT), ours[element], shape.items or shape)


def without(value: Any, fields: Fields, shape: Shape) -> Any:
    """`value` without the members of `fields`; ABSENT when nothing is left of it."""
    form = shape.form_of(value)
    if form is Form.MAP and isinstance(value, dict) and value:
        kept = dict(_kept_members(value, fields, shape))
        return kept or ABSENT
    if form is Form.LIST and isinstance(value, list) and value:
        return list(_kept_items(value, fields, shape)) or ABSENT
    return value


def _is_member(fields: Fields, element: str) -> bool:
    below = fields.get(element)
    return below is not None and (not below or SELF in below)


def _kept_members(value: dict[str, Any], fields: Fields, shape: Shape) -> Iterable[tuple[str, Any]]:
    for key, member in value.items():
        element = field_element(key)
        if _is_member(fields, element):
            continue
        if element in fields:
            member = without(member, fields[element], shape.child(key))
        if member is not ABSENT:
            yield key, member


def _kept_items(value: list[Any], fields: Fields, shape: Shape) -> Iterator[Any]:
    for item in value:
        element = shape.element(item)
        if _is_member(fields, element):
            continue
        if element in fields:
            item = without(item, fields[element], shape.items or shape)
        if item is not ABSENT:
            yield item


def with_named_parents(members: Iterable[Path], shape: Shape) -> set[Path]:
    """A set together with the named fields above its members.

    A set made of `a.b.c` then also has `a` when it is a named field, but not `a.b` in a map.
    """
    found = set(members)
    for path in list(found):
        node = shape
        for depth, element in enumerate(path[:-1], start=1):
            if element.startswith("f:"):
                name = element[2:]
                if name in node.fields:
                    found.add(path[:depth])
                node = node.child(name)
            else:
                node = node.items or node
    return found
