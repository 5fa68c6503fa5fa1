"""CustomResourceDefinitions (apiextensions.k8s.io/v1) made from the table of kinds."""

from __future__ import annotations

from typing import Any

from cn2.api.kind import Column, Family, Kind, Object, Schema
from cn2.api.kinds import KINDS
from cn2.api.object_meta import API_VERSION, KIND
from cn2.api.schema import LIST_MAP_KEYS, PATCH_MERGE_KEY, PATCH_STRATEGY, REFERENCE, STRUCT

_NOT_IN_CRDS = {REFERENCE, STRUCT, PATCH_MERGE_KEY, PATCH_STRATEGY}


def custom_resource_definitions() -> list[Object]:
    """One CRD for each kind of CN2 and for NetworkAttachmentDefinition.

    On a cluster only those of Family.CRD are applied; the others are served by the aggregated API
    server, and their CRDs serve tools that read schemas.
    """
    return [definition(kind) for kind in KINDS if kind.family is not Family.KUBERNETES]


def definition(kind: Kind) -> Object:
    """The CRD of one kind."""
    names: Object = {
        "kind": kind.kind,
        "listKind": kind.list_kind,
        "plural": kind.plural,
        "singular": kind.singular,
    }
    if kind.short_names:
        names["shortNames"] = list(kind.short_names)
    if kind.categories:
        names["categories"] = list(kind.categories)
    version: Object = {
        "name": kind.version,
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": _whole(kind)},
    }
    columns = [_column(column) for column in kind.columns if _has_path(column)]
    if columns:
        version["additionalPrinterColumns"] = columns
    if kind.status:
        version["subresources"] = {"status": {}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{kind.plural}.{kind.group}"},
        "spec": {
            "group": kind.group,
            "names": names,
            "scope": "Namespaced" if kind.namespaced else "Cluster",
            "versions": [version],
        },
    }


def _has_path(column: Column) -> bool:
    """A CRD's columns are paths, and it prints the name anyway."""
    return bool(column.path) and column.path != ".metadata.name"


def _column(column: Column) -> Object:
    shown: Object = {"name": column.name, "type": column.type, "jsonPath": column.path}
    if column.format:
        shown["format"] = column.format
    if column.description:
        shown["description"] = column.description
    if column.priority:
        shown["priority"] = column.priority
    return shown


def _whole(kind: Kind) -> Schema:
    own = _structural(kind.schema)
    return {
        **own,
        "type": "object",
        **({"description": kind.description} if kind.description else {}),
        "properties": {
            "apiVersion": API_VERSION,
            "kind": KIND,
            "metadata": {"type": "object"},
            **own.get("properties", {}),
        },
    }


def _structural(node: Any) -> Any:
    """Without what CRDs do not know; keys of list maps become required, as they must be there."""
    if isinstance(node, list):
        return [_structural(item) for item in node]
    if not isinstance(node, dict):
        return node
    made = {key: _structural(value) for key, value in node.items() if key not in _NOT_IN_CRDS}
    if LIST_MAP_KEYS in made:
        made["items"] = _with_required(made["items"], made[LIST_MAP_KEYS])
    return made


def _with_required(item: Schema, keys: list[str]) -> Schema:
    properties = item.get("properties", {})
    missing = [
        key
        for key in keys
        if key not in item.get("required", ()) and "default" not in properties.get(key, {})
    ]
    return {**item, "required": [*item.get("required", ()), *missing]} if missing else item
