"""The paths of OpenAPI documents: one operation per verb.

kubectl reads from them which kind a path serves, whether a kind can be patched strategically, and
whether dry run and field validation are supported (it looks at the parameters of PATCH).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from cn2.api.kind import Family, Kind
from cn2.api.kubernetes.scale import SCALE
from cn2.apiserver.openapi_models import (
    DELETE_OPTIONS_NAME,
    GVK,
    PATCH_NAME,
    STATUS_NAME,
    Style,
    definition_name,
    gvk,
)

Operation = dict[str, Any]

_DRY_RUN = (
    "dryRun",
    "string",
    "When present, indicates that modifications should not be persisted. Valid values are: All",
)
_FIELD_MANAGER = (
    "fieldManager",
    "string",
    "fieldManager is a name associated with the actor or entity that is making these changes.",
)
_FIELD_VALIDATION = (
    "fieldValidation",
    "string",
    "fieldValidation instructs the server on how to handle objects in the request that contain "
    "unknown or duplicate fields. Valid values are: Ignore, Warn, Strict",
)
_FORCE = ("force", "boolean", 'Force is going to "force" Apply requests.')
_LIST = (
    ("allowWatchBookmarks", "boolean", "Asks for events of type BOOKMARK."),
    ("continue", "string", "The continue token of the last reply."),
    ("fieldSelector", "string", "Restricts the list by fields."),
    ("labelSelector", "string", "Restricts the list by labels."),
    ("limit", "integer", "The largest number of items to return."),
    ("resourceVersion", "string", "The version to list or watch from."),
    ("resourceVersionMatch", "string", "How resourceVersion is applied to lists."),
    ("sendInitialEvents", "boolean", "Start a watch with the objects that exist."),
    ("timeoutSeconds", "integer", "Ends a list or watch after this time."),
    ("watch", "boolean", "Watch for changes instead of listing."),
)
_WRITE = (_DRY_RUN, _FIELD_MANAGER, _FIELD_VALIDATION)

_PATCH_TYPES = ("application/json-patch+json", "application/merge-patch+json")
_STRATEGIC = "application/strategic-merge-patch+json"
_APPLY = "application/apply-patch+yaml"

_METHODS = (
    ("get", "get", "get", ()),
    ("put", "update", "put", _WRITE),
    ("patch", "patch", "patch", (*_WRITE, _FORCE)),
    ("delete", "delete", "delete", (_DRY_RUN,)),
)
_COLLECTION_METHODS = (
    ("get", "list", "list", _LIST),
    ("post", "create", "post", _WRITE),
    ("delete", "deletecollection", "deletecollection", (_DRY_RUN, *_LIST)),
)


def paths(kinds: Iterable[Kind], style: Style) -> dict[str, dict[str, Any]]:
    """Path to path item for all of `kinds`."""
    found: dict[str, dict[str, Any]] = {}
    for kind in kinds:
        collection = collection_path(kind)
        found[collection] = _item(kind, style, collection, _COLLECTION_METHODS)
        item = collection + "/{name}"
        found[item] = _item(kind, style, item, _METHODS)
        if kind.status:
            found[item + "/status"] = _item(kind, style, item + "/status", _METHODS[:3])
        if "scale" in kind.subresources:
            scale = item + "/scale"
            found[scale] = _item(kind, style, scale, _METHODS[:3], shown=SCALE)
    return dict(sorted(found.items()))


def collection_path(kind: Kind) -> str:
    """The path of a kind's collection, with `{namespace}` for namespaced kinds."""
    prefix = f"/apis/{kind.group}/{kind.version}" if kind.group else f"/api/{kind.version}"
    return (
        f"{prefix}/namespaces/{{namespace}}/{kind.plural}"
        if kind.namespaced
        else (f"{prefix}/{kind.plural}")
    )


def _item(
    kind: Kind,
    style: Style,
    path: str,
    methods: Iterable[tuple[str, str, str, tuple[Any, ...]]],
    shown: Kind | None = None,
) -> dict[str, Any]:
    """The operations of a path; `shown` is what it serves, where that is not the kind itself."""
    item: dict[str, Any] = {
        method: _operation(shown or kind, style, path, method, action, parameters)
        | {"operationId": _operation_id(kind, path, action)}
        for method, verb, action, parameters in methods
        if verb in kind.verbs
    }
    item["parameters"] = [_path_parameter(name, style) for name in _variables(path)]
    return item


def _variables(path: str) -> Iterator[str]:
    for part in path.split("/"):
        if part.startswith("{"):
            yield part[1:-1]


def _path_parameter(name: str, style: Style) -> dict[str, Any]:
    text = "name of the object" if name == "name" else "object name and auth scope"
    where = {"description": text, "in": "path", "name": name, "required": True}
    return where | _typed("string", style)


def _typed(type_name: str, style: Style) -> dict[str, Any]:
    unique = {"type": type_name, "uniqueItems": True}
    return unique if style.version == 2 else {"schema": unique}


def _operation(
    kind: Kind,
    style: Style,
    path: str,
    method: str,
    action: str,
    parameters: tuple[tuple[str, str, str], ...],
) -> Operation:
    operation: Operation = {
        "parameters": [
            {"description": text, "in": "query", "name": name} | _typed(type_name, style)
            for name, type_name, text in parameters
        ],
        "x-kubernetes-action": action,
        GVK: gvk(kind),
    }
    answer = style.ref(_answer(kind, action))
    if style.version == 2:
        operation["responses"] = {"200": {"description": "OK", "schema": answer}}
    else:
        content = {"application/json": {"schema": answer}}
        operation["responses"] = {"200": {"description": "OK", "content": content}}
    _body(operation, kind, style, method)
    return operation


def _operation_id(kind: Kind, path: str, action: str) -> str:
    scope = "Namespaced" if kind.namespaced else ""
    last = path.rpartition("/")[2]
    part = last.capitalize() if last in ("status", "scale") else ""
    group = "".join(part.capitalize() for part in (kind.group or "core").split("."))
    return f"{action}{group}{kind.version.capitalize()}{scope}{kind.kind}{part}"


def _answer(kind: Kind, action: str) -> str:
    if action in ("delete", "deletecollection"):
        return STATUS_NAME
    return definition_name(kind) + ("List" if action == "list" else "")


def _body(operation: Operation, kind: Kind, style: Style, method: str) -> None:
    if method == "get":
        return
    name = {"patch": PATCH_NAME, "delete": DELETE_OPTIONS_NAME}.get(method, definition_name(kind))
    media = _patch_types(kind) if method == "patch" else ("*/*",)
    if style.version == 2:
        operation["consumes"] = list(media)
        body = {"in": "body", "name": "body", "schema": style.ref(name)}
        operation["parameters"].insert(0, body | {"required": method != "delete"})
    else:
        content = {media_type: {"schema": style.ref(name)} for media_type in media}
        operation["requestBody"] = {"content": content, "required": method != "delete"}


def _patch_types(kind: Kind) -> tuple[str, ...]:
    strategic = (_STRATEGIC,) if kind.family is Family.KUBERNETES else ()
    return (*_PATCH_TYPES, *strategic, _APPLY)
