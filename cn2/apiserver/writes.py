"""Creating, changing and removing one object: the only way into the store for objects."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cn2.api.kind import Family, FieldError, Kind, Object
from cn2.apiserver import admission, codec, keys, metadata, namespaces
from cn2.apiserver.admission import Manage
from cn2.apiserver.backend import Backend
from cn2.apiserver.claims import ClaimChanges
from cn2.apiserver.errors import (
    LARGEST,
    already_exists,
    conflict,
    entity_too_large,
    invalid,
    modified,
)
from cn2.apiserver.options import WriteOptions
from cn2.apiserver.plain import copied
from cn2.store.interface import Absent, At, Delete, Entry, Mismatch, Put, Stamped, Txn

_ATTEMPTS = 5
"""How often a write that named no revision is tried again when another one came between."""

Change = Callable[[Object], Object]
"""From the object as it is (a copy of its own) to the object as it should be."""


@dataclass(frozen=True, slots=True)
class Written:
    """The object as it now is, encoded, and what to warn of."""

    body: bytes
    warnings: tuple[str, ...] = ()
    removed: bool = False


async def create(
    backend: Backend,
    kind: Kind,
    namespace: str,
    obj: Object,
    options: WriteOptions,
    manage: Manage | None = None,
) -> Written:
    """Stores a new object. `manage` replaces the ordinary bookkeeping of fields (apply)."""
    metadata.check_type(kind, obj)
    metadata.place(kind, obj, namespace)
    prefix = metadata.of(obj).get("generateName") or ""
    generated = metadata.name_new(kind, obj, backend.new_suffix)
    metadata.strip_new(obj)
    if kind.namespaced:
        await namespaces.admit(backend, kind, namespace, obj["metadata"]["name"])
    admission.begin_status(kind, obj)
    schemed = admission.fit_schema(kind, obj, options)
    (manage or admission.updater(backend, kind, options, ""))(None, obj)
    for _ in range(_ATTEMPTS):
        if not backend.latest(kind, namespace, obj["metadata"]["name"]):
            break
        if not generated:
            await backend.store.settled()
            raise already_exists(kind, obj["metadata"]["name"])
        obj["metadata"]["name"] = metadata.generated_name(prefix, backend.new_suffix)
    _begin(backend, kind, obj)
    warnings = admission.complete(backend, kind, obj, None, options)
    body = await _store_new(backend, kind, namespace, obj, options)
    return Written(body, (*schemed.warnings, *warnings))


def _begin(backend: Backend, kind: Kind, obj: Object) -> None:
    meta = obj["metadata"]
    meta["uid"] = backend.new_uid()
    meta["creationTimestamp"] = backend.now()
    if metadata.has_generation(kind):
        meta["generation"] = 1


async def _store_new(
    backend: Backend, kind: Kind, namespace: str, obj: Object, options: WriteOptions
) -> bytes:
    name = obj["metadata"]["name"]
    key = keys.key(kind, namespace, name)
    claims = ClaimChanges(backend, kind, name)
    claims.apply(None, obj)
    encoded = _encoded(obj)
    if options.dry_run:
        return codec.dump(obj)
    changes = (Put(key, encoded), *claims.changes.values())
    try:
        commit = await backend.store.commit(Txn(changes, (Absent(key), *claims.conditions)))
    except Mismatch as mismatch:
        if mismatch.key == key:
            raise already_exists(kind, name) from mismatch
        raise conflict(kind, name, f"{mismatch.key} was taken in the meantime") from mismatch
    return commit.events[0].value


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """One change of an existing object."""

    backend: Backend
    kind: Kind
    namespace: str
    name: str
    change: Change
    options: WriteOptions
    subresource: str = ""
    manage: Manage | None = None

    async def run(self) -> Written:
        """Applies the change to the newest state; again when a concurrent write came first."""
        for _ in range(_ATTEMPTS):
            entry = await self.backend.existing(self.kind, self.namespace, self.name)
            try:
                return await self._attempt(entry)
            except Mismatch:
                await self.backend.store.settled()
        raise modified(self.kind, self.name)

    async def _attempt(self, entry: Entry) -> Written:
        old = codec.decode(entry)
        new = self.change(codec.decode(entry))
        self._check_revision(new, entry)
        metadata.check_uid(self.kind, new, old)
        metadata.check_type(self.kind, new)
        metadata.place(self.kind, new, self.namespace)
        self._check_name(new)
        new = self._part(new, old)
        metadata.carry_over(self.kind, new, old)
        schemed = admission.fit_schema(self.kind, new, self.options, old)
        sent = copied(new)
        more = admission.complete(self.backend, self.kind, new, old, self.options)
        warnings = (*schemed.warnings, *more)
        self._record(sent, new, old)
        metadata.count_generation(self.kind, new, old)
        if unchanged(new, old):
            await self.backend.store.settled()
            return Written(entry.value, warnings)
        return await store_changed(
            self.backend, self.kind, entry, old, new, self.options.dry_run, warnings
        )

    def _check_revision(self, new: Object, entry: Entry) -> None:
        given = metadata.of(new).get("resourceVersion")
        if given and given != str(entry.revision):
            raise modified(self.kind, self.name)
        if not given and self.kind.family is Family.CRD:
            message = "Invalid value: 0x0: must be specified for an update"
            error = FieldError("metadata.resourceVersion", message)
            raise invalid(self.kind, self.name, [error])

    def _check_name(self, new: Object) -> None:
        given = new["metadata"].setdefault("name", self.name)
        if given != self.name:
            message = (
                f"the name of the object ({given}) does not match the name on the URL ({self.name})"
            )
            raise conflict(self.kind, self.name, message)

    def _part(self, new: Object, old: Object) -> Object:
        """A write to the object cannot touch its status, a write to the status nothing else;
        other subresources change what they are for."""
        if self.subresource == "status":
            status = new.get("status")
            new = copied(old)
            _set(new, "status", status)
        elif not self.subresource and self.kind.status:
            _set(new, "status", old.get("status"))
            if namespaces.is_namespace(self.kind):
                namespaces.keep(new, old)
        return new

    def _record(self, sent: Object, new: Object, old: Object) -> None:
        shown = admission.as_written(sent, new, old)
        manage = self.manage or admission.updater(
            self.backend, self.kind, self.options, self.subresource
        )
        manage(old, shown)
        _set(new["metadata"], "managedFields", shown["metadata"].get("managedFields"))


async def store_changed(
    backend: Backend,
    kind: Kind,
    entry: Entry,
    old: Object,
    new: Object,
    dry_run: bool = False,
    warnings: tuple[str, ...] = (),
) -> Written:
    """Stores an object that differs, or removes it when nothing holds it any more."""
    if may_go(kind, new):
        return await remove(backend, kind, entry, old, new, dry_run)
    claims = ClaimChanges(backend, kind, old["metadata"]["name"])
    claims.apply(old, new)
    encoded = _encoded(new)
    if dry_run:
        return Written(codec.dump(new), warnings)
    changes = (Put(entry.key, encoded), *claims.changes.values())
    commit = await _commit(backend, entry, changes, claims)
    return Written(commit, warnings)


async def remove(
    backend: Backend, kind: Kind, entry: Entry, old: Object, last: Object, dry_run: bool = False
) -> Written:
    """Removes an object; watchers are told its last state."""
    claims = ClaimChanges(backend, kind, old["metadata"]["name"])
    claims.apply(old, None)
    if dry_run:
        return Written(codec.dump(last), removed=True)
    changes = (Delete(entry.key, codec.encode(last)), *claims.changes.values())
    return Written(await _commit(backend, entry, changes, claims), removed=True)


async def _commit(
    backend: Backend, entry: Entry, changes: tuple[Put | Delete, ...], claims: ClaimChanges
) -> bytes:
    conditions = (At(entry.key, entry.revision), *claims.conditions)
    commit = await backend.store.commit(Txn(changes, conditions))
    return commit.events[0].value


def _encoded(obj: Object) -> Stamped:
    """The object as it is stored; also a patch of a few bytes can make it too large."""
    encoded = codec.encode(obj)
    if len(encoded.before) + len(encoded.after) > LARGEST:
        raise entity_too_large()
    return encoded


def may_go(kind: Kind, obj: Object) -> bool:
    """A dying object goes when its grace is over and no finalizer holds it."""
    meta = obj["metadata"]
    return (
        bool(meta.get("deletionTimestamp"))
        and not meta.get("deletionGracePeriodSeconds")
        and not meta.get("finalizers")
        and not namespaces.is_held(kind, obj)
    )


def unchanged(new: Object, old: Object) -> bool:
    """Nothing differs but when it was said."""
    return _timeless(new) == _timeless(old)


def _timeless(obj: Object) -> Object:
    meta = {k: v for k, v in obj["metadata"].items() if k != "resourceVersion"}
    if "managedFields" in meta:
        meta["managedFields"] = [{**field, "time": None} for field in meta["managedFields"]]
    return {**obj, "metadata": meta}


def _set(mapping: dict[str, Any], key: str, value: Any) -> None:
    if value is None:
        mapping.pop(key, None)
    else:
        mapping[key] = value
