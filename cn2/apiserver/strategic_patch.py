"""Strategic merge patch: lists are merged by key, as Kubernetes does for its own kinds.

What a list or map does is read from the schema (`x-kubernetes-patch-strategy`,
`x-kubernetes-patch-merge-key`); lists without a strategy are replaced. The directives are `$patch`,
`$retainKeys`, `$setElementOrder/FIELD` and `$deleteFromPrimitiveList/FIELD`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cn2.api.kind import Schema
from cn2.apiserver.json_patch import same
from cn2.apiserver.patch_error import PatchError
from cn2.apiserver.plain import copied

_PATCH = "$patch"
_RETAIN_KEYS = "$retainKeys"
_SET_ORDER = "$setElementOrder/"
_DELETE_FROM = "$deleteFromPrimitiveList/"

JsonMap = dict[str, Any]


def strategic_merge_patch(doc: JsonMap, patch: JsonMap, schema: Schema) -> JsonMap:
    """Merge `patch` into a copy of `doc`. Raises PatchError."""
    if not isinstance(patch, dict):
        raise PatchError("a strategic merge patch must be an object")
    return _merge_map(copied(doc), copied(patch), schema)


# Schema -----------------------------------------------------------------------------------------


def _child(schema: Schema, key: str) -> Schema:
    found = schema.get("properties", {}).get(key)
    if found is None:
        found = schema.get("additionalProperties")
    return found if isinstance(found, dict) else {}


def _strategies(schema: Schema) -> list[str]:
    return str(schema.get("x-kubernetes-patch-strategy", "")).split(",")


def _merge_key(schema: Schema) -> str:
    return str(schema.get("x-kubernetes-patch-merge-key", ""))


# Maps -------------------------------------------------------------------------------------------


def _merge_map(original: JsonMap, patch: JsonMap, schema: Schema) -> JsonMap:
    if _PATCH in patch:
        return _whole_map(patch)
    _retain_keys(original, patch)
    _apply_orders(original, patch, schema)
    for key, value in patch.items():
        if key.startswith(_DELETE_FROM):
            _delete_from(original, key.removeprefix(_DELETE_FROM), value)
        elif value is None:
            original.pop(key, None)
        else:
            original[key] = _merge_value(original.get(key), value, _child(schema, key))
    return original


def _whole_map(patch: JsonMap) -> JsonMap:
    match patch.pop(_PATCH):
        case "replace":
            return patch
        case "delete":
            return {}
        case other:
            raise PatchError(f"unknown patch type found: {other}")


def _retain_keys(original: JsonMap, patch: JsonMap) -> None:
    if _RETAIN_KEYS not in patch:
        return
    retained = patch.pop(_RETAIN_KEYS)
    if not isinstance(retained, list):
        raise PatchError(f"{_RETAIN_KEYS} must be a list")
    for key, value in patch.items():
        if value is not None and not key.startswith("$") and key not in retained:
            raise PatchError(f"{key} is set by the patch but not in {_RETAIN_KEYS}")
    for key in list(original):
        if key not in retained:
            del original[key]


def _merge_value(original: Any, patch: Any, schema: Schema) -> Any:
    """A patched value; `original` None when there is none."""
    if isinstance(patch, dict) and isinstance(original, dict):
        return patch if "replace" in _strategies(schema) else _merge_map(original, patch, schema)
    if isinstance(patch, list) and isinstance(original, list):
        return _merge_list(original, patch, schema) if _merges(schema) else _plain(patch)
    return _plain(patch)


def _plain(value: Any) -> Any:
    """A patch value that meets nothing to merge with: directives and nulls do nothing there."""
    if isinstance(value, dict):
        return {
            key: _plain(item)
            for key, item in value.items()
            if item is not None and not key.startswith((_SET_ORDER, _DELETE_FROM))
            if key not in (_PATCH, _RETAIN_KEYS)
        }
    if isinstance(value, list):
        return [_plain(item) for item in value if not _is_deletion(item)]
    return value


def _is_deletion(item: Any) -> bool:
    return isinstance(item, dict) and _PATCH in item


# Lists ------------------------------------------------------------------------------------------


def _merges(schema: Schema) -> bool:
    return "merge" in _strategies(schema)


def _delete_from(original: JsonMap, key: str, values: Any) -> None:
    if isinstance(values, list) and isinstance(original.get(key), list):
        original[key] = [item for item in original[key] if not _contains(values, item)]


def _contains(items: Iterable[Any], wanted: Any) -> bool:
    return any(same(item, wanted) for item in items)


def _merge_list(original: list[Any], patch: list[Any], schema: Schema) -> list[Any]:
    if not any(isinstance(item, dict) for item in (*original, *patch)):
        return _merge_scalars(original, patch)
    key = _merge_key(schema)
    if not key:
        raise PatchError("cannot merge lists without merge key")
    original, patch = _list_directives(original, patch, key)
    merged = _merge_items(original, patch, key, schema.get("items", {}))
    return _ordered(merged, patch, original, key)


def _merge_scalars(original: list[Any], patch: list[Any]) -> list[Any]:
    merged: list[Any] = []
    for item in (*original, *patch):
        if not _contains(merged, item):
            merged.append(item)
    return _ordered(merged, patch, original, "")


def _key_of(item: Any, key: str) -> Any:
    if not isinstance(item, dict) or key not in item:
        raise PatchError(f"map: {item} does not contain declared merge key: {key}")
    return item[key]


def _list_directives(
    original: list[Any], patch: list[Any], key: str
) -> tuple[list[Any], list[Any]]:
    """Both lists after the patch's `$patch` items have been carried out."""
    rest = [item for item in patch if not _is_deletion(item)]
    replace = False
    for item in patch:
        if not _is_deletion(item):
            continue
        match item[_PATCH]:
            case "replace":
                replace = True
            case "delete":
                gone = _key_of(item, key)
                original = [other for other in original if not same(_key_of(other, key), gone)]
            case other:
                raise PatchError(f"bad patch type found: {other}")
    return ([], [_plain(item) for item in rest]) if replace else (original, rest)


def _merge_items(original: list[Any], patch: list[Any], key: str, items: Schema) -> list[Any]:
    merged = list(original)
    for item in patch:
        wanted = _key_of(item, key)
        for index, other in enumerate(merged):
            if same(_key_of(other, key), wanted):
                merged[index] = _merge_map(other, copied(item), items)
                break
        else:
            merged.append(_plain(item))
    return merged


def _position(items: list[Any], wanted: Any, key: str) -> int:
    """Where an item (by its key, if there is one) stands; -1 when it doesn't."""
    for index, item in enumerate(items):
        if same(_key_of(item, key), _key_of(wanted, key)) if key else same(item, wanted):
            return index
    return -1


def _ordered(
    merged: list[Any], patch_order: list[Any], live_order: list[Any], key: str
) -> list[Any]:
    """Items of the patch in the patch's order, the others between them as they stood."""
    ours = [item for item in merged if _position(patch_order, item, key) >= 0]
    others = [item for item in merged if _position(patch_order, item, key) < 0]
    ours.sort(key=lambda item: _position(patch_order, item, key))
    result: list[Any] = []
    while ours and others:
        other, own = (_position(live_order, items[0], key) for items in (others, ours))
        result.append(others.pop(0) if 0 <= other < own else ours.pop(0))
    return result + others + ours


def _apply_orders(original: JsonMap, patch: JsonMap, schema: Schema) -> None:
    """Carry out `$setElementOrder/FIELD` together with the patch of that field."""
    for directive in [key for key in patch if key.startswith(_SET_ORDER)]:
        order, field = patch.pop(directive), directive.removeprefix(_SET_ORDER)
        if not isinstance(order, list):
            raise PatchError(f"{directive} must be a list")
        live, changes = _list_or_none(original, field), _list_or_none(patch, field)
        if live is None and changes is None:
            continue
        if changes is not None:
            del patch[field]
        child = _child(schema, field)
        key = _merge_key(child)
        _check_order(changes or [], order, key, directive)
        merged = live if changes is None else _merge_value(live, changes, child)
        original[field] = _ordered(merged or [], order, live or [], key)


def _list_or_none(source: JsonMap, field: str) -> list[Any] | None:
    value = source.get(field)
    return value if isinstance(value, list) else None


def _check_order(changes: list[Any], order: list[Any], key: str, directive: str) -> None:
    positions = [_position(order, item, key) for item in changes if not _is_deletion(item)]
    if -1 in positions or positions != sorted(positions):
        raise PatchError(f"the order in patch list: {changes} doesn't match {directive}: {order}")
