"""Deleting: at once, or marked and waiting for finalizers, a kubelet or a namespace's contents."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from cn2.api.kind import Kind, Object
from cn2.apiserver import codec, in_use, metadata, namespaces, writes
from cn2.apiserver.backend import Backend, timestamp
from cn2.apiserver.errors import ApiError, bad_request, conflict, modified
from cn2.apiserver.options import dry_run
from cn2.apiserver.request import Request
from cn2.apiserver.writes import Written
from cn2.store.interface import Entry, Mismatch

ORPHAN = "orphan"
FOREGROUND = "foregroundDeletion"
_DEFAULT_GRACE = 30
_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class DeleteOptions:
    """metav1.DeleteOptions; `grace` in seconds, None when the object's own counts."""

    grace: int | None = None
    propagation: str = ""
    uid: str = ""
    revision: str = ""
    dry_run: bool = False
    component: bool = False
    """Asked for by a part of the system: it may delete what is in use."""

    @classmethod
    def of(cls, request: Request) -> DeleteOptions:
        body: Object = {}
        if request.body:
            body = codec.parse(request.body, request.headers.get("content-type", ""))
        parsed = cls.parse({**dict(request.query), **body})
        return replace(parsed, component=in_use.is_component(request.user))

    @classmethod
    def parse(cls, given: Object) -> DeleteOptions:
        propagation = given.get("propagationPolicy") or ""
        if propagation not in ("", "Orphan", "Background", "Foreground"):
            raise bad_request(f"invalid propagationPolicy {propagation!r}")
        if not propagation and str(given.get("orphanDependents") or "").lower() == "true":
            propagation = "Orphan"
        tried = given.get("dryRun") or ""
        preconditions = codec.part(given, "preconditions")
        return cls(
            _seconds(given.get("gracePeriodSeconds")),
            propagation,
            preconditions.get("uid") or "",
            preconditions.get("resourceVersion") or "",
            dry_run("".join(tried) if isinstance(tried, list) else tried),
        )


async def delete(
    backend: Backend, kind: Kind, namespace: str, name: str, options: DeleteOptions
) -> Written:
    """Deletes one object or marks it; `removed` tells which."""
    for _ in range(_ATTEMPTS):
        entry = await backend.existing(kind, namespace, name)
        try:
            return await _attempt(backend, kind, entry, options)
        except Mismatch:
            await backend.store.settled()
    raise modified(kind, name)


async def _attempt(backend: Backend, kind: Kind, entry: Entry, options: DeleteOptions) -> Written:
    old = codec.decode(entry)
    _check_preconditions(kind, old, options)
    if not options.component and not old["metadata"].get("deletionTimestamp"):
        in_use.check(backend, kind, old)
    new = codec.decode(entry)
    _mark_propagation(new["metadata"], options.propagation)
    _mark(backend, kind, new, options)
    if writes.may_go(kind, new):
        return await writes.remove(backend, kind, entry, old, new, options.dry_run)
    if writes.unchanged(new, old):
        await backend.store.settled()
        return Written(entry.value)
    return await writes.store_changed(backend, kind, entry, old, new, options.dry_run)


def _check_preconditions(kind: Kind, obj: Object, options: DeleteOptions) -> None:
    meta = obj["metadata"]
    for what, wanted, actual in (
        ("UID", options.uid, meta["uid"]),
        ("ResourceVersion", options.revision, meta["resourceVersion"]),
    ):
        if wanted and wanted != actual:
            why = (
                f"Precondition failed: {what} in precondition: {wanted},"
                f" {what} in object meta: {actual}"
            )
            raise conflict(kind, meta["name"], why)


def _mark_propagation(meta: Object, propagation: str) -> None:
    """The garbage collector reads the policy from these two finalizers."""
    if not propagation:
        return
    finalizers = [f for f in meta.get("finalizers") or () if f not in (ORPHAN, FOREGROUND)]
    if propagation == "Orphan":
        finalizers.append(ORPHAN)
    elif propagation == "Foreground":
        finalizers.append(FOREGROUND)
    if finalizers:
        meta["finalizers"] = finalizers
    else:
        meta.pop("finalizers", None)


def _mark(backend: Backend, kind: Kind, obj: Object, options: DeleteOptions) -> None:
    meta = obj["metadata"]
    grace = _grace(kind, obj, options)
    if meta.get("deletionTimestamp"):
        # A second deletion can only shorten the wait.
        if grace < (meta.get("deletionGracePeriodSeconds") or 0):
            meta["deletionGracePeriodSeconds"] = grace
            meta["deletionTimestamp"] = timestamp(backend.clock() + timedelta(seconds=grace))
        return
    meta["deletionTimestamp"] = timestamp(backend.clock() + timedelta(seconds=grace))
    meta["deletionGracePeriodSeconds"] = grace
    if metadata.has_generation(kind):
        meta["generation"] = meta.get("generation", 0) + 1
    if namespaces.is_namespace(kind):
        obj.setdefault("status", {})["phase"] = "Terminating"


def _grace(kind: Kind, obj: Object, options: DeleteOptions) -> int:
    """Seconds that a pod which a kubelet may be running is given; 0 for everything else."""
    if (kind.group, kind.plural) != ("", "pods"):
        return 0
    spec = obj.get("spec") or {}
    phase = (obj.get("status") or {}).get("phase")
    if not spec.get("nodeName") or phase in ("Succeeded", "Failed"):
        return 0
    if options.grace is not None:
        return options.grace
    own = spec.get("terminationGracePeriodSeconds")
    return _DEFAULT_GRACE if own is None else int(own)


def _seconds(given: object) -> int | None:
    if given is None or given == "":
        return None
    try:
        return max(0, int(str(given)))
    except ValueError:
        raise _bad_grace(given) from None


def _bad_grace(given: object) -> ApiError:
    return bad_request(f"invalid gracePeriodSeconds {given!r}")
