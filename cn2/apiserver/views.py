"""The forms in which a client may ask for objects: whole, as table rows, or metadata only."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from cn2.api.kind import Kind, Object
from cn2.apiserver import codec
from cn2.apiserver.backend import Backend
from cn2.apiserver.errors import not_acceptable
from cn2.apiserver.request import Request
from cn2.apiserver.table import partial, partial_list, table
from cn2.store.interface import Entry

_VERSIONS = ("v1", "v1beta1")
_SLICE = 100
"""So many objects are rendered at a stretch."""


@dataclass(frozen=True, slots=True)
class View:
    """`form` is "", Table or PartialObjectMetadata; `version` that of meta.k8s.io."""

    form: str = ""
    version: str = "v1"
    include: str = "Metadata"

    @property
    def whole(self) -> bool:
        return not self.form


def asked(request: Request) -> View:
    """The first form in the Accept header that can be served."""
    include = request.query.get("includeObject") or "Metadata"
    return _asked(request.headers.get("accept", ""), include)


@lru_cache  # clients have few of them
def _asked(accept: str, include: str) -> View:
    if not accept:
        return View()
    for alternative in accept.split(","):
        media, *parameters = (part.strip() for part in alternative.split(";"))
        if media not in ("application/json", "*/*", "application/*"):
            continue
        given = dict(p.split("=", 1) for p in parameters if "=" in p)
        view = _view(given, include)
        if view is not None:
            return view
    raise not_acceptable(["application/json"])


def _view(given: dict[str, str], include: str) -> View | None:
    form = given.get("as", "")
    if not form:
        return View()
    if given.get("g") != "meta.k8s.io" or given.get("v") not in _VERSIONS:
        return None
    if form == "Table":
        return View(form, given["v"], include)
    if form in ("PartialObjectMetadata", "PartialObjectMetadataList"):
        return View("PartialObjectMetadata", given["v"])
    return None


def one(backend: Backend, kind: Kind, body: bytes, view: View) -> bytes:
    """A stored object in the form that was asked for."""
    if view.whole:
        return body
    obj = codec.parse_json(body)
    if view.form == "Table":
        meta = {"resourceVersion": obj["metadata"].get("resourceVersion", "")}
        return codec.dump(rows(backend, kind, [obj], view, meta))
    return codec.dump(partial(obj, view.version))


async def many(
    backend: Backend, kind: Kind, entries: list[Entry], view: View, metadata: Object
) -> bytes:
    """A list of stored objects in the form that was asked for. Others have their turn while a
    long one is rendered."""
    if view.whole:
        return codec.list_body(kind, metadata, [entry.value for entry in entries])
    shown: Object = {}
    for start in range(0, len(entries) or 1, _SLICE):
        objects = [codec.decode(entry) for entry in entries[start : start + _SLICE]]
        part = (
            rows(backend, kind, objects, view, metadata)
            if view.form == "Table"
            else partial_list(objects, metadata, view.version)
        )
        if shown:
            items = "rows" if view.form == "Table" else "items"
            shown[items] += part[items]
            await asyncio.sleep(0)
        else:
            shown = part
    return codec.dump(shown)


def rows(
    backend: Backend,
    kind: Kind,
    objects: Iterable[Object],
    view: View,
    metadata: Object,
    headers: bool = True,
) -> Object:
    return table(
        kind,
        objects,
        now=backend.clock(),
        include=view.include,
        version=view.version,
        list_meta=metadata,
        headers=headers,
    )
