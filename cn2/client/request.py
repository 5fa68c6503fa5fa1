"""The Kubernetes API as values: how a request looks and what an answer means. No IO.

The shell around it (`cn2.client.http`) only moves bytes, so that paths, selectors, patches and
the framing of watches are tested without a server.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from cn2.api.kind import Kind, Object
from cn2.client.errors import ApiError, error_of_status

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


class Patch(Enum):
    """How a patch is meant; the value is its content type."""

    JSON = "application/json-patch+json"
    MERGE = "application/merge-patch+json"
    STRATEGIC = "application/strategic-merge-patch+json"
    APPLY = "application/apply-patch+yaml"


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request. `target` is the quoted path with its query."""

    method: str
    target: str
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    idempotent: bool = True
    """May be sent again when nobody knows whether the first one was carried out."""


@dataclass(frozen=True, slots=True)
class ObjectList:
    """One list answer: the objects, and the revision at which they were all true."""

    items: list[Object]
    revision: str
    more: str = ""
    """The token for the next page, empty on the last."""


@dataclass(frozen=True, slots=True)
class WatchEvent:
    """One line of a watch. `type` is ADDED, MODIFIED, DELETED or BOOKMARK."""

    type: str
    object: Object


def collection_path(kind: Kind, namespace: str = "") -> str:
    """The path of a kind's objects, in one namespace or (with "") in all of them."""
    root = f"/apis/{kind.group}/{kind.version}" if kind.group else f"/api/{kind.version}"
    if kind.namespaced and namespace:
        return f"{root}/namespaces/{quote(namespace, safe='')}/{kind.plural}"
    return f"{root}/{kind.plural}"


def object_path(kind: Kind, name: str, namespace: str = "", subresource: str = "") -> str:
    """The path of one object or of its subresource. A namespaced kind needs its namespace."""
    if not name:
        raise ValueError(f"a {kind.kind} without a name")
    if kind.namespaced and not namespace:
        raise ValueError(f"{kind.kind} {name!r} without a namespace")
    path = f"{collection_path(kind, namespace)}/{quote(name, safe='')}"
    return f"{path}/{subresource}" if subresource else path


def get(kind: Kind, name: str, namespace: str = "", subresource: str = "") -> Request:
    return Request("GET", object_path(kind, name, namespace, subresource))


def list_(
    kind: Kind,
    namespace: str = "",
    *,
    label_selector: str = "",
    field_selector: str = "",
    limit: int = 0,
    more: str = "",
) -> Request:
    query = {
        "labelSelector": label_selector,
        "fieldSelector": field_selector,
        "limit": str(limit) if limit else "",
        "continue": more,
    }
    return Request("GET", _target(collection_path(kind, namespace), query))


def watch(
    kind: Kind,
    namespace: str = "",
    *,
    label_selector: str = "",
    field_selector: str = "",
    revision: str = "",
    timeout: int = 0,
) -> Request:
    """A watch from just after `revision`, with bookmarks; the server ends it after `timeout` s."""
    query = {
        "watch": "true",
        "allowWatchBookmarks": "true",
        "labelSelector": label_selector,
        "fieldSelector": field_selector,
        "resourceVersion": revision,
        "timeoutSeconds": str(timeout) if timeout else "",
    }
    return Request("GET", _target(collection_path(kind, namespace), query))


def create(kind: Kind, obj: Object, *, manager: str = "", subresource: str = "") -> Request:
    """A POST to the collection, or to a subresource such as `binding` of the object named."""
    name, namespace = _place(kind, obj)
    if subresource:
        path = object_path(kind, name, namespace, subresource)
    else:
        if kind.namespaced and not namespace:
            raise ValueError(f"{kind.kind} {name!r} without a namespace")
        path = collection_path(kind, namespace)
    return Request(
        "POST", _target(path, {"fieldManager": manager}), encode(obj), _JSON, idempotent=False
    )


def replace(kind: Kind, obj: Object, *, manager: str = "", subresource: str = "") -> Request:
    name, namespace = _place(kind, obj)
    path = object_path(kind, name, namespace, subresource)
    return Request("PUT", _target(path, {"fieldManager": manager}), encode(obj), _JSON)


def patch(
    kind: Kind,
    name: str,
    change: Any,
    namespace: str = "",
    *,
    how: Patch = Patch.MERGE,
    subresource: str = "",
    manager: str = "",
    force: bool = False,
) -> Request:
    """A PATCH. `force` takes fields over from other managers and is for Patch.APPLY only."""
    query = {"fieldManager": manager, "force": "true" if force else ""}
    path = object_path(kind, name, namespace, subresource)
    return Request(
        "PATCH",
        _target(path, query),
        encode(change),
        {"Content-Type": how.value},
        idempotent=how is not Patch.JSON,
    )


def delete(
    kind: Kind,
    name: str,
    namespace: str = "",
    *,
    uid: str = "",
    revision: str = "",
    grace: int | None = None,
    propagation: str = "",
) -> Request:
    """A DELETE with preconditions `uid` and `revision`, grace in seconds, and propagation
    Background, Foreground or Orphan."""
    return Request(
        "DELETE",
        object_path(kind, name, namespace),
        encode(_delete_options(uid, revision, grace, propagation)),
        _JSON,
    )


def delete_collection(kind: Kind, namespace: str = "", *, propagation: str = "") -> Request:
    return Request(
        "DELETE",
        collection_path(kind, namespace),
        encode(_delete_options("", "", None, propagation)),
        _JSON,
    )


def encode(value: Any) -> bytes:
    return value if isinstance(value, bytes) else _encode(value)


def decode_object(body: bytes) -> Object:
    """The JSON object in an answer's body; anything else is the server's error."""
    try:
        value = _decode(body)
    except msgspec.DecodeError as error:
        raise ApiError(0, "BadReply", f"the answer is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise ApiError(0, "BadReply", "the answer is not a JSON object")
    return value


def decode_list(kind: Kind, body: bytes) -> ObjectList:
    """A list answer. kube-apiserver leaves apiVersion and kind out of the items of its own kinds;
    here each object always says what it is."""
    value = decode_object(body)
    items = value.get("items") or []
    for item in items:
        item.setdefault("apiVersion", kind.api_version)
        item.setdefault("kind", kind.kind)
    metadata = value.get("metadata") or {}
    return ObjectList(items, metadata.get("resourceVersion", ""), metadata.get("continue", ""))


def decode_event(line: bytes) -> WatchEvent:
    """One line of a watch; an ERROR event is raised as what its Status says (410: `Gone`)."""
    value = decode_object(line)
    kind, obj = value.get("type", ""), value.get("object") or {}
    if kind == "ERROR":
        raise error_of_status(obj)
    return WatchEvent(kind, obj)


class LineSplitter:
    """Cuts a stream of chunks into lines of any length, without their ends."""

    def __init__(self) -> None:
        self._rest: list[bytes] = []

    def feed(self, chunk: bytes) -> list[bytes]:
        """The lines that `chunk` completes. Blank lines are dropped."""
        if b"\n" not in chunk:
            self._rest.append(chunk)
            return []
        self._rest.append(chunk)
        *lines, last = b"".join(self._rest).split(b"\n")
        self._rest = [last] if last else []
        return [line for line in lines if line]


_JSON: Mapping[str, str] = {"Content-Type": "application/json"}


def _place(kind: Kind, obj: Object) -> tuple[str, str]:
    metadata = obj.get("metadata") or {}
    return metadata.get("name", ""), metadata.get("namespace", "") if kind.namespaced else ""


def _target(path: str, query: Mapping[str, str]) -> str:
    text = urlencode({key: value for key, value in query.items() if value})
    return f"{path}?{text}" if text else path


def _delete_options(uid: str, revision: str, grace: int | None, propagation: str) -> Object:
    options: Object = {"apiVersion": "v1", "kind": "DeleteOptions"}
    conditions = {
        key: value for key, value in (("uid", uid), ("resourceVersion", revision)) if value
    }
    if conditions:
        options["preconditions"] = conditions
    if grace is not None:
        options["gracePeriodSeconds"] = grace
    if propagation:
        options["propagationPolicy"] = propagation
    return options
