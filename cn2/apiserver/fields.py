"""Who owns which field: bookkeeping of updates, and server-side apply.

The rules are Kubernetes' (structured-merge-diff). An update owns what it changes and takes it from
whoever had it; an apply owns what it says, removes what it no longer says, and conflicts where it
changes what another owns.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from cn2.api.kind import Object, Schema
from cn2.apiserver.field_compare import ABSENT, Changes, compare, paths_set_by
from cn2.apiserver.field_merge import merge, with_named_parents, without
from cn2.apiserver.fieldset import (
    Path,
    fields_of,
    has,
    insert,
    paths,
    remove,
    sorted_fields,
    text,
)
from cn2.apiserver.fieldset import field as field_element
from cn2.apiserver.managed_fields import (
    APPLY,
    UPDATE,
    Entry,
    Owner,
    entries_of,
    is_reset,
    new_entry,
    store,
)
from cn2.apiserver.plain import copied
from cn2.apiserver.shape import Shape, shape_of

_BEFORE_FIRST_APPLY = "before-first-apply"

_UNOWNED = frozenset(
    {
        "name",
        "namespace",
        "creationTimestamp",
        "selfLink",
        "uid",
        "clusterName",
        "generation",
        "managedFields",
        "resourceVersion",
    }
)
"""Members of metadata that nobody owns."""
_METADATA = (field_element("metadata"),)
_IDENTITY = ("name", "namespace", "uid", "resourceVersion")


@dataclass(frozen=True, slots=True)
class Conflict:
    """One field that another manager owns."""

    field: str
    """E.g. `.spec.cidr`."""
    message: str
    """E.g. `conflict with "kubectl" using v1`."""


class ApplyConflict(Exception):
    """An apply would change fields that others own; its text is kube-apiserver's."""

    def __init__(self, conflicts: Sequence[Conflict]) -> None:
        self.conflicts = tuple(conflicts)
        super().__init__(_summary(self.conflicts))


def _summary(conflicts: Sequence[Conflict]) -> str:
    if len(conflicts) == 1:
        return f"Apply failed with 1 conflict: {conflicts[0].message}: {conflicts[0].field}"
    fields: dict[str, list[str]] = {}
    for conflict in conflicts:
        heading = conflict.message.replace("conflict with", "conflicts with", 1) + ":"
        fields.setdefault(heading, []).append(f"- {conflict.field}")
    lines = [line for heading in sorted(fields) for line in (heading, *fields[heading])]
    return f"Apply failed with {len(conflicts)} conflicts: " + "\n".join(lines)


def record_update(
    old: Object | None,
    new: Object,
    *,
    manager: str,
    api_version: str,
    subresource: str,
    now: str,
    schema: Schema,
    typed: bool = True,
) -> None:
    """Set new's managedFields after `manager` has turned `old` (None on create) into `new`.

    What the server itself computes must not be in `new` yet: it belongs to nobody. `now` is an
    RFC 3339 time, `typed` false for custom resources.
    """
    if is_reset(new):
        new["metadata"].pop("managedFields")
        return
    changes = compare(_bare(old or {}), _bare(new), shape_of(schema, typed=typed))
    entries = entries_of(old) if subresource else entries_of(new) or entries_of(old)
    owner = Owner(manager, UPDATE, api_version, subresource)
    if changes:
        entries = _take_over(entries, changes, owner)
        entries = _give(entries, [*changes.added, *changes.modified], owner, api_version, now)
    store(new, entries)


def apply(
    live: Object | None,
    applied: Object,
    *,
    manager: str,
    force: bool,
    api_version: str,
    subresource: str,
    now: str,
    schema: Schema,
    typed: bool = True,
) -> Object:
    """`live` (None when it is to be created) with what `applied` says, managedFields included.

    Raises ApplyConflict unless `force`d. When nothing changes, the result equals `live`.
    """
    shape = shape_of(schema, typed=typed)
    owner = Owner(manager, APPLY, "", subresource)
    wanted, before = _bare(applied), _bare(live or {})
    entries = _entries_before(live, api_version, now, schema, typed)
    mine = next((entry for entry in entries if Owner.of(entry) == owner), None)
    others = [entry for entry in entries if entry is not mine]
    claimed = set(paths_set_by(wanted, shape)) - {_METADATA}

    merged = merge(before, wanted, shape)
    if mine is not None:
        merged = _prune(merged, set(paths(mine["fieldsV1"])), claimed, others, shape)
    changes = compare(before, merged, shape)
    if not force:
        _refuse_conflicts(others, changes)
    others = _take_over(others, changes, owner)

    fields = fields_of(claimed)
    unchanged = mine is not None and not changes and sorted_fields(mine["fieldsV1"]) == fields
    if mine is not None and unchanged and mine.get("apiVersion") == api_version:
        others.append(mine)
    else:
        others.append(new_entry(owner, api_version, now, fields, subresource))
    result = _rebuilt(merged, live, applied)
    store(result, others)
    return result


# Objects ----------------------------------------------------------------------------------------


def _bare(obj: Object) -> Object:
    """The part of an object that can be owned."""
    bare = {key: value for key, value in obj.items() if key not in ("apiVersion", "kind")}
    metadata = obj.get("metadata") or {}
    bare["metadata"] = {key: value for key, value in metadata.items() if key not in _UNOWNED}
    return bare


def _rebuilt(merged: Object, live: Object | None, applied: Object) -> Object:
    source = live if live is not None else applied
    unowned = {key: source["metadata"][key] for key in source["metadata"] if key in _UNOWNED}
    for key in _IDENTITY:
        if key in applied["metadata"]:
            unowned[key] = applied["metadata"][key]
    unowned.pop("managedFields", None)
    head: Object = {key: applied[key] for key in ("apiVersion", "kind") if key in applied}
    metadata = {**unowned, **merged.get("metadata", {})}
    rest = {key: value for key, value in merged.items() if key != "metadata"}
    return {**head, "metadata": metadata, **rest}


# Entries ----------------------------------------------------------------------------------------


def _entries_before(
    live: Object | None, api_version: str, now: str, schema: Schema, typed: bool
) -> list[Entry]:
    """The entries of an object; all of it belongs to one updater when nobody kept books."""
    entries = entries_of(live)
    if live is None or entries:
        return entries
    shadow = copied(live)
    record_update(
        None,
        shadow,
        manager=_BEFORE_FIRST_APPLY,
        api_version=api_version,
        subresource="",
        now=now,
        schema=schema,
        typed=typed,
    )
    return entries_of(shadow)


def _take_over(entries: Iterable[Entry], changes: Changes, owner: Owner) -> list[Entry]:
    """The entries without what they lose: removed fields all, changed ones all but `owner`."""
    taken = [*changes.added, *changes.modified]
    return [
        _without(
            entry,
            changes.removed if Owner.of(entry) == owner else [*changes.removed, *taken],
        )
        for entry in entries
    ]


def _without(entry: Entry, lost: Iterable[Path]) -> Entry:
    fields = entry["fieldsV1"]
    found = [path for path in lost if has(fields, path)]
    if not found:
        return entry
    fields = copied(fields)
    for path in found:
        remove(fields, path)
    return {**entry, "fieldsV1": fields}


def _give(
    entries: list[Entry], gained: Sequence[Path], owner: Owner, api_version: str, now: str
) -> list[Entry]:
    if not gained:
        return entries
    mine = next((entry for entry in entries if Owner.of(entry) == owner), None)
    fields = copied(mine["fieldsV1"]) if mine is not None else {}
    for path in gained:
        insert(fields, path)
    entry = new_entry(owner, api_version, now, sorted_fields(fields), owner.subresource)
    return [*(other for other in entries if other is not mine), entry]


# Apply ------------------------------------------------------------------------------------------


def _refuse_conflicts(others: Iterable[Entry], changes: Changes) -> None:
    touched = sorted({*changes.added, *changes.modified})
    conflicts = [
        Conflict(text(path), f"conflict with {_who(entry)}")
        for entry in others
        for path in touched
        if has(entry["fieldsV1"], path)
    ]
    if conflicts:
        raise ApplyConflict(conflicts)


def _who(entry: Entry) -> str:
    return Owner.of(entry).text(entry.get("apiVersion", ""))


def _prune(
    merged: Any, last: set[Path], claimed: set[Path], others: Iterable[Entry], shape: Shape
) -> Any:
    """Remove what was applied last time, is not applied now and belongs to nobody else."""
    if last <= claimed:
        return merged
    last = with_named_parents(last, shape)
    owned = with_named_parents(claimed, shape)
    for entry in others:
        owned |= with_named_parents(paths(entry["fieldsV1"]), shape)
    everything = _named(merged, shape)
    pruned = _cut(merged, last, shape)
    pruned = _cut(merged, everything - (_named(pruned, shape) | owned), shape)
    # What the last apply did not own stays, also inside of what is removed.
    return _cut(merged, (everything - _named(pruned, shape)) & last, shape)


def _named(value: Any, shape: Shape) -> set[Path]:
    return with_named_parents(paths_set_by(value, shape), shape)


def _cut(value: Any, members: Iterable[Path], shape: Shape) -> Any:
    cut = without(value, fields_of(members), shape)
    return {} if cut is ABSENT else cut
