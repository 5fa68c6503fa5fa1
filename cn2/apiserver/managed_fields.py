"""The entries of metadata.managedFields: who, how, when and what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from cn2.api.kind import Object
from cn2.apiserver.fieldset import Fields, insert, paths, sorted_fields

Entry = dict[str, Any]

UPDATE, APPLY = "Update", "Apply"

_MOST_UPDATERS = 10
_ANCIENT = "ancient-changes"


class Owner(NamedTuple):
    """What tells one entry from another. Appliers are the same in every version."""

    manager: str
    operation: str
    api_version: str
    subresource: str

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> Owner:
        """The owner of an entry."""
        operation = entry["operation"]
        version = entry.get("apiVersion", "") if operation == UPDATE else ""
        return cls(entry.get("manager", ""), operation, version, entry.get("subresource", ""))

    def text(self, api_version: str) -> str:
        """The owner as conflicts name it."""
        who = f'"{self.manager}"'
        if self.subresource:
            who += f' with subresource "{self.subresource}"'
        return f"{who} using {api_version}" if self.operation == UPDATE else who


def entries_of(obj: Object | None) -> list[Entry]:
    """The well-formed entries of an object."""
    found = ((obj or {}).get("metadata") or {}).get("managedFields")
    return [entry for entry in found or () if _is_entry(entry)]


def is_reset(obj: Object) -> bool:
    """Whether a client wrote `managedFields: [{}]`, which strips all ownership."""
    return bool(obj["metadata"].get("managedFields") == [{}])


def new_entry(owner: Owner, api_version: str, now: str, fields: Fields, subresource: str) -> Entry:
    """An entry in the order of fields in which Kubernetes writes it."""
    entry = {
        "manager": owner.manager,
        "operation": owner.operation,
        "apiVersion": api_version,
        "time": now,
        "fieldsType": "FieldsV1",
        "fieldsV1": fields,
    }
    if subresource:
        entry["subresource"] = subresource
    return entry


def store(obj: Object, entries: Iterable[Entry]) -> None:
    """Put the entries that own something into the object, in Kubernetes' order."""
    kept = _capped([entry for entry in entries if entry["fieldsV1"]])
    kept.sort(key=_order)
    if kept:
        obj["metadata"]["managedFields"] = kept
    else:
        obj["metadata"].pop("managedFields", None)


def _is_entry(entry: Any) -> bool:
    return (
        isinstance(entry, dict)
        and entry.get("operation") in (UPDATE, APPLY)
        and isinstance(entry.get("fieldsV1"), dict)
    )


def _order(entry: Entry) -> tuple[str, str, str, str, str]:
    keys = ("operation", "time", "manager", "apiVersion", "subresource")
    operation, time, manager, version, subresource = (str(entry.get(key, "")) for key in keys)
    return operation, time, manager, version, subresource


def _capped(entries: list[Entry]) -> list[Entry]:
    """At most ten updaters: the oldest are put together, version by version."""
    updaters = sorted((entry for entry in entries if entry["operation"] == UPDATE), key=_order)
    excess = len(updaters) - _MOST_UPDATERS
    if excess <= 0:
        return entries
    buckets: dict[str, Entry] = {}
    for entry in updaters[: excess + 1]:
        version = entry.get("apiVersion", "")
        owner = Owner(_ANCIENT, UPDATE, version, "")
        bucket = buckets.setdefault(version, new_entry(owner, version, entry["time"], {}, ""))
        bucket["time"] = max(bucket["time"], entry["time"])
        _unite(bucket["fieldsV1"], entry["fieldsV1"])
    for bucket in buckets.values():
        bucket["fieldsV1"] = sorted_fields(bucket["fieldsV1"])
    appliers = [entry for entry in entries if entry["operation"] == APPLY]
    return [*appliers, *buckets.values(), *updaters[excess + 1 :]]


def _unite(fields: Fields, more: Fields) -> None:
    for path in paths(more):
        insert(fields, path)
