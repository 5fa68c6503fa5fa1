"""Kinds' schemas as OpenAPI definitions: names, references and the models all kinds share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from cn2.api.kind import Family, Kind, Schema
from cn2.api.kubernetes.scale import SCALE
from cn2.api.object_meta import (
    API_VERSION,
    KIND,
    LIST_META,
    LIST_METADATA_DESCRIPTION,
    METADATA_DESCRIPTION,
    OBJECT_META,
    whole_schema,
)

GVK = "x-kubernetes-group-version-kind"

_META = "io.k8s.apimachinery.pkg.apis.meta.v1."
OBJECT_META_NAME = _META + "ObjectMeta"
LIST_META_NAME = _META + "ListMeta"
STATUS_NAME = _META + "Status"
DELETE_OPTIONS_NAME = _META + "DeleteOptions"
PATCH_NAME = _META + "Patch"

_PRESERVE = "x-kubernetes-preserve-unknown-fields"
_INT_OR_STRING = "x-kubernetes-int-or-string"
_SCHEMAS_BY_KEY = ("properties", "patternProperties")
_SCHEMA_LISTS = ("allOf", "anyOf", "oneOf")
_NOT_IN_V2 = (*_SCHEMA_LISTS, "not", "nullable")


def gvk(kind: Kind, name: str = "") -> dict[str, str]:
    """The group-version-kind extension of a kind (or of its list, by `name`)."""
    return {"group": kind.group, "kind": name or kind.kind, "version": kind.version}


def definition_name(kind: Kind) -> str:
    """A kind's name among the definitions, in Kubernetes' reversed-domain form."""
    if kind.family is Family.KUBERNETES:
        package = f"io.k8s.api.{(kind.group or 'core').partition('.')[0]}"
    else:
        package = ".".join(reversed(kind.group.split(".")))
    return f"{package}.{kind.version}.{kind.kind}"


class Style:
    """What differs between the two versions of OpenAPI."""

    def __init__(self, version: int) -> None:
        self.version = version
        self._prefix = "#/definitions/" if version == 2 else "#/components/schemas/"

    def ref(self, name: str, description: str = "") -> Schema:
        """A reference to a definition, with a text of its own when given."""
        ref = {"$ref": self._prefix + name}
        if not description:
            return ref
        if self.version == 2:
            return {"description": description, **ref}
        return {"allOf": [ref], "default": {}, "description": description}

    def schema(self, schema: Schema) -> Schema:
        """A schema node as this version can say it, our own extensions left out."""
        if schema.get(_INT_OR_STRING):
            return self._int_or_string(schema)
        if self.version == 2 and schema.get(_PRESERVE):
            # kubectl checks v2 on the client: what it does not know, it refuses.
            schema = {key: schema[key] for key in schema if key not in ("properties", "required")}
        node: Schema = {}
        for key, value in schema.items():
            if key.startswith("x-cn2-") or (self.version == 2 and key in _NOT_IN_V2):
                continue
            node[key] = self._value(key, value)
        if self.version == 2 and schema.get("nullable"):
            # kubectl checks v2 on the client and knows no null there: say nothing of the type.
            return {key: value for key, value in node.items() if key == "description"}
        return node

    def _value(self, key: str, value: Any) -> Any:
        if key in _SCHEMAS_BY_KEY:
            return {name: self.schema(child) for name, child in value.items()}
        if key in ("items", "additionalProperties", "not") and isinstance(value, dict):
            return self.schema(value)
        if key in _SCHEMA_LISTS:
            return [self.schema(child) for child in value]
        return value

    def _int_or_string(self, schema: Schema) -> Schema:
        quantity = schema.get("format") == "quantity"
        described = {"description": schema["description"]} if schema.get("description") else {}
        if self.version == 2:
            form = {} if quantity else {"format": "int-or-string"}
            return {**described, "type": "string", **form}
        either: Schema = {"anyOf": [{"type": "integer"}, {"type": "string"}]}
        return {**described, **either, _INT_OR_STRING: True}


def definitions(kinds: Iterable[Kind], style: Style) -> dict[str, Schema]:
    """The definitions of `kinds`, their lists and what all of them refer to, by name."""
    found = {name: style.schema(schema) for name, schema in _SHARED.items()}
    found[STATUS_NAME]["properties"]["metadata"] = style.ref(
        LIST_META_NAME, LIST_METADATA_DESCRIPTION
    )
    kinds = list(kinds)
    scaled = any("scale" in kind.subresources for kind in kinds)
    for kind in [*kinds, *([SCALE] if scaled else [])]:
        name = definition_name(kind)
        found[name] = _object(kind, style)
        if "list" in kind.verbs:
            found[name + "List"] = _list(kind, style)
    return dict(sorted(found.items()))


def _object(kind: Kind, style: Style) -> Schema:
    described = {"description": kind.description} if kind.description else {}
    extension = {GVK: [gvk(kind)]}
    if not kind.schema.get("properties"):
        return {**described, "type": "object", **extension}
    node = style.schema(whole_schema(kind.schema))
    node.pop("description", None)
    node["properties"]["metadata"] = style.ref(OBJECT_META_NAME, METADATA_DESCRIPTION)
    node["properties"] = dict(sorted(node["properties"].items()))
    return {**described, **node, **extension}


def _list(kind: Kind, style: Style) -> Schema:
    return {
        "description": f"{kind.list_kind} is a list of {kind.kind}",
        "type": "object",
        "required": ["items"],
        "properties": {
            "apiVersion": API_VERSION,
            "items": {
                "description": f"List of {kind.plural}.",
                "type": "array",
                "items": style.ref(definition_name(kind)),
            },
            "kind": KIND,
            "metadata": style.ref(LIST_META_NAME, LIST_METADATA_DESCRIPTION),
        },
        GVK: [gvk(kind, kind.list_kind)],
    }


def _fields(**properties: Schema) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


_TEXT: Schema = {"type": "string"}
_SECONDS: Schema = {"type": "integer", "format": "int64"}

_SHARED: Mapping[str, Schema] = {
    OBJECT_META_NAME: OBJECT_META,
    LIST_META_NAME: LIST_META,
    PATCH_NAME: {
        "description": (
            "Patch is provided to give a concrete name and type to the Kubernetes PATCH request "
            "body."
        ),
        "type": "object",
    },
    STATUS_NAME: {
        "description": "Status is a return value for calls that don't return other objects.",
        **_fields(
            apiVersion=API_VERSION,
            code={"type": "integer", "format": "int32"},
            details=_fields(
                causes={
                    "type": "array",
                    "items": _fields(field=_TEXT, message=_TEXT, reason=_TEXT),
                    "x-kubernetes-list-type": "atomic",
                },
                group=_TEXT,
                kind=_TEXT,
                name=_TEXT,
                retryAfterSeconds={"type": "integer", "format": "int32"},
                uid=_TEXT,
            ),
            kind=KIND,
            message=_TEXT,
            metadata={"type": "object"},
            reason=_TEXT,
            status=_TEXT,
        ),
        GVK: [{"group": "", "kind": "Status", "version": "v1"}],
    },
    DELETE_OPTIONS_NAME: {
        "description": "DeleteOptions may be provided when deleting an API object.",
        **_fields(
            apiVersion=API_VERSION,
            dryRun={"type": "array", "items": _TEXT, "x-kubernetes-list-type": "atomic"},
            gracePeriodSeconds=_SECONDS,
            kind=KIND,
            orphanDependents={"type": "boolean"},
            preconditions=_fields(resourceVersion=_TEXT, uid=_TEXT),
            propagationPolicy=_TEXT,
        ),
        GVK: [{"group": "", "kind": "DeleteOptions", "version": "v1"}],
    },
}
