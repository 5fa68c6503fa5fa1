"""Objects as Tables and as PartialObjectMetadata (meta.k8s.io/v1 and v1beta1).

kubectl prints what the server puts into cells, so ages are rendered here, as Kubernetes'
table convertors do for custom resources.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from cn2.api.kind import Column, Kind, Object
from cn2.apiserver.duration import age
from cn2.apiserver.jsonpath import compile_path

_NAME = Column(
    name="Name",
    path=".metadata.name",
    format="name",
    description=(
        "Name must be unique within a namespace. Is required when creating resources, although "
        "some resources may allow a client to request the generation of an appropriate name "
        "automatically. Name is primarily intended for creation idempotence and configuration "
        "definition. Cannot be updated. More info: "
        "https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names"
    ),
)

_AGE = Column(
    name="Age",
    path=".metadata.creationTimestamp",
    type="date",
    description=(
        "CreationTimestamp is a timestamp representing the server time when this object was "
        "created. It is not guaranteed to be set in happens-before order across separate "
        "operations. Clients may not set this value. It is represented in RFC3339 form and is "
        "in UTC."
    ),
)

Cell = Callable[[Object, datetime], Any]


def table(
    kind: Kind,
    objects: Iterable[Object],
    *,
    now: datetime,
    include: str = "Metadata",
    version: str = "v1",
    list_meta: Mapping[str, Any] | None = None,
    headers: bool = True,
) -> Object:
    """A Table of `objects`, one row each.

    `include` is the request's includeObject (None, Metadata or Object), `version` that of
    meta.k8s.io. `now` must be timezone-aware. Watches send `headers` with the first event only.
    """
    columns = columns_of(kind)
    cells = [_cell(column) for column in columns]
    return {
        "kind": "Table",
        "apiVersion": f"meta.k8s.io/{version}",
        "metadata": dict(list_meta or {}),
        "columnDefinitions": [_definition(column) for column in columns] if headers else [],
        "rows": [_row(obj, cells, include, version, now) for obj in objects],
    }


def columns_of(kind: Kind) -> tuple[Column, ...]:
    """A kind's columns as shown: Name first unless declared, Age alone when none is declared."""
    declared = kind.columns or (_AGE,)
    if any(column.name.lower() == "name" for column in declared):
        return declared
    return (_NAME, *declared)


def partial(obj: Object, version: str = "v1") -> Object:
    """An object reduced to its metadata."""
    return {
        "kind": "PartialObjectMetadata",
        "apiVersion": f"meta.k8s.io/{version}",
        "metadata": obj["metadata"],
    }


def partial_list(
    objects: Iterable[Object], list_meta: Mapping[str, Any], version: str = "v1"
) -> Object:
    """A list of objects reduced to their metadata."""
    return {
        "kind": "PartialObjectMetadataList",
        "apiVersion": f"meta.k8s.io/{version}",
        "metadata": dict(list_meta),
        "items": [partial(obj, version) for obj in objects],
    }


def _definition(column: Column) -> dict[str, Any]:
    # kubectl prefixes the cell of the column with format "name" when it prints several kinds.
    is_name = column.name.lower() == "name"
    return {
        "name": column.name,
        "type": column.type,
        "format": column.format or ("name" if is_name else ""),
        "description": column.description,
        "priority": column.priority,
    }


def _row(
    obj: Object, cells: list[Cell], include: str, version: str, now: datetime
) -> dict[str, Any]:
    row: dict[str, Any] = {"cells": [cell(obj, now) for cell in cells]}
    if include == "Object":
        row["object"] = obj
    elif include != "None":
        row["object"] = partial(obj, version)
    return row


def _cell(column: Column) -> Cell:
    value = column.cell or _first(column.path)
    if column.type == "date":
        end = _first(column.until) if column.until else lambda _: None
        return lambda obj, now: _age(value(obj), _moment(end(obj)) or now)
    if column.since is not None:
        since = column.since
        return lambda obj, now: _with_age(value(obj), since(obj), now)
    if column.cell is not None:
        return lambda obj, _now: value(obj)
    show = _SHOWN.get(column.type, _as_is)
    return lambda obj, _now: show(value(obj))


def _first(path: str) -> Callable[[Object], Any]:
    find = compile_path(path)

    def value(obj: Object) -> Any:
        found = find(obj)
        return found[0] if found else None

    return value


def _age(value: Any, now: datetime) -> str | None:
    return None if value is None else age(str(value), now)


def _moment(value: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(str(value)) if value else None
    except ValueError:
        return None


def _with_age(value: Any, since: str, now: datetime) -> Any:
    return f"{value} ({age(since, now)} ago)" if since else value


def _as_is(value: Any) -> Any:
    return value


def _string(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, separators=(",", ":"))


def _integer(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value)


def _number(value: Any) -> float | None:
    return None if isinstance(value, bool) or not isinstance(value, int | float) else value


def _boolean(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


_SHOWN: dict[str, Callable[[Any], Any]] = {
    "string": _string,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
}
