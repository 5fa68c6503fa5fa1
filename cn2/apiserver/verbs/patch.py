"""PATCH of one object or of its status: JSON, merge, strategic merge and apply patches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cn2.api.kind import Family, Kind, Object
from cn2.apiserver import codec, fields, metadata, writes
from cn2.apiserver.authz import Attributes
from cn2.apiserver.errors import ApiError, bad_request, not_found, unsupported_media_type
from cn2.apiserver.options import WriteOptions
from cn2.apiserver.patch import (
    PatchError,
    json_patch,
    merge_patch,
    strategic_merge_patch,
)
from cn2.apiserver.request import Reply, Request
from cn2.apiserver.routing import Target
from cn2.apiserver.serving import Serving, reply
from cn2.apiserver.writes import Change, Update

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"


async def patch(serving: Serving, request: Request, target: Target) -> Reply:
    media = media_type(request)
    options = WriteOptions.of(request)
    if media == APPLY_PATCH:
        return await _apply(serving, request, target, options)
    written = await Update(
        backend=serving.backend,
        kind=target.kind,
        namespace=target.namespace,
        name=target.name,
        change=patching(target.kind, media, request.body),
        options=options,
        subresource=target.subresource,
    ).run()
    return reply(written)


def media_type(request: Request) -> str:
    """The content type of a request's body, without parameters."""
    return request.headers.get("content-type", "").split(";", 1)[0].strip().lower()


def patching(kind: Kind, media: str, body: bytes) -> Change:
    """What a patch of this type does to an object. Raises 415 for a type that is not accepted."""
    document = codec.parse_yaml(body)
    apply: Callable[[Object, Any], Any]
    match media:
        case _ if media == JSON_PATCH:
            apply = json_patch
        case _ if media == MERGE_PATCH:
            apply = merge_patch
        case _ if media == STRATEGIC_PATCH and kind.family is Family.KUBERNETES:
            apply = lambda doc, given: strategic_merge_patch(doc, given, kind.schema)  # noqa: E731
        case _:
            raise unsupported_media_type(_accepted(kind))

    def change(obj: Object) -> Object:
        try:
            patched = apply(obj, document)
        except PatchError as error:
            raise _refused(str(error)) from error
        if not isinstance(patched, dict):
            raise bad_request("the patched object is not an object")
        return patched

    return change


def _accepted(kind: Kind) -> list[str]:
    strategic = [STRATEGIC_PATCH] if kind.family is Family.KUBERNETES else []
    return [JSON_PATCH, MERGE_PATCH, *strategic, APPLY_PATCH]


def _refused(message: str) -> ApiError:
    # Old kubectl shows the causes only.
    causes = [{"reason": "UnexpectedServerResponse", "message": message, "field": "patch"}]
    return ApiError(
        422, "Invalid", f"the server rejected our request: {message}", {"causes": causes}
    )


async def _apply(
    serving: Serving, request: Request, target: Target, options: WriteOptions
) -> Reply:
    """Server-side apply: creates what is not there, and owns what it says."""
    if not request.query.get("fieldManager"):
        raise _without_manager()
    backend, kind = serving.backend, target.kind
    applied = _applied(request, target)
    applying = _Applying(backend.now(), kind, options, target.subresource, applied)
    if backend.latest(kind, target.namespace, target.name) is None:
        if target.subresource:
            raise not_found(kind, target.name)
        serving.authorizer.check(request.user, Attributes.of("create", target))
        obj = applying.merge(None)
        managed = obj["metadata"].get("managedFields")
        written = await writes.create(
            backend, kind, target.namespace, obj, options, manage=_fixed(managed)
        )
        return reply(written, 201)
    written = await Update(
        backend=backend,
        kind=kind,
        namespace=target.namespace,
        name=target.name,
        change=applying.change,
        options=options,
        subresource=target.subresource,
        manage=applying.manage,
    ).run()
    return reply(written)


def _without_manager() -> ApiError:
    problem = "Required value: is required for apply patch"
    cause = {"reason": "FieldValueRequired", "message": problem, "field": "fieldManager"}
    details = {"group": "meta.k8s.io", "kind": "PatchOptions", "causes": [cause]}
    message = f'PatchOptions.meta.k8s.io "" is invalid: fieldManager: {problem}'
    return ApiError(422, "Invalid", message, details)


def _applied(request: Request, target: Target) -> Object:
    applied = codec.parse(request.body, request.headers.get("content-type", ""))
    metadata.check_type(target.kind, applied)
    meta = metadata.of(applied)
    if meta.pop("managedFields", None):
        raise bad_request("metadata.managedFields must be nil")
    if meta.setdefault("name", target.name) != target.name:
        raise bad_request("the name of the object does not match the name on the URL")
    metadata.place(target.kind, applied, target.namespace)
    return _writable(applied, target)


def _writable(applied: Object, target: Target) -> Object:
    """The part that a write to this address can change: nobody may own what it ignores."""
    if target.subresource == "status":
        identity = ("name", "namespace", "uid", "resourceVersion")
        known = applied["metadata"]
        kept: Object = {
            key: applied[key] for key in ("apiVersion", "kind", "status") if key in applied
        }
        return {**kept, "metadata": {key: known[key] for key in identity if key in known}}
    if target.kind.status:
        applied.pop("status", None)
    return applied


class _Applying:
    """One apply patch; remembers the ownership that came out of merging it."""

    def __init__(
        self, now: str, kind: Kind, options: WriteOptions, subresource: str, applied: Object
    ) -> None:
        self._now = now
        self._kind = kind
        self._options = options
        self._subresource = subresource
        self._applied = applied
        self._managed: Any = None

    def merge(self, live: Object | None) -> Object:
        try:
            return fields.apply(
                live,
                self._applied,
                manager=self._options.manager,
                force=self._options.force,
                api_version=self._kind.api_version,
                subresource=self._subresource,
                now=self._now,
                schema=self._kind.schema,
                typed=self._kind.family is not Family.CRD,
            )
        except fields.ApplyConflict as error:
            raise _conflicting(error) from error

    def change(self, live: Object) -> Object:
        merged = self.merge(live)
        self._managed = merged["metadata"].get("managedFields")
        if "resourceVersion" not in self._applied["metadata"]:
            merged["metadata"]["resourceVersion"] = live["metadata"]["resourceVersion"]
        return merged

    def manage(self, _old: Object | None, new: Object) -> None:
        new["metadata"]["managedFields"] = self._managed


def _fixed(managed: Any) -> Callable[[Object | None, Object], None]:
    def manage(_old: Object | None, new: Object) -> None:
        new["metadata"]["managedFields"] = managed

    return manage


def _conflicting(error: fields.ApplyConflict) -> ApiError:
    causes = [
        {"reason": "FieldManagerConflict", "message": conflict.message, "field": conflict.field}
        for conflict in error.conflicts
    ]
    return ApiError(409, "Conflict", str(error), {"causes": causes})
