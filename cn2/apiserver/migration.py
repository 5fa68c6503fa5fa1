"""Stored objects brought to the form of this program's kinds, once, before anything is served.

All of it is one transaction of the store: a crash leaves everything as it was, and the next start
begins again. Objects that are in form already are not written and keep their resourceVersion. An
object that today's rules refuse stays as it is, can be read, and is listed in `refused`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import structlog

import cn2
from cn2.api.kind import Kind, Object
from cn2.api.kinds import KINDS
from cn2.api.stored.history import SCHEMAS
from cn2.api.stored.migrations import MIGRATIONS, migrate
from cn2.apiserver import codec, keys
from cn2.apiserver.backend import Backend
from cn2.apiserver.errors import invalid
from cn2.apiserver.reclaiming import Reclaimed
from cn2.store import schema
from cn2.store.interface import Delete, Entry, Put, Txn

log = structlog.get_logger(__name__)

KNOWN = schema.Known(SCHEMAS, cn2.__version__)
"""What this program can read."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A stored object that today's rules refuse."""

    kind: Kind
    namespace: str
    name: str
    why: str

    def __str__(self) -> str:
        where = f"{self.namespace}/{self.name}" if self.namespace else self.name
        return f"{self.kind.kind} {where}: {self.why}"


@dataclass(slots=True)
class _Outcome:
    changes: list[Put | Delete] = field(default_factory=list)
    refused: dict[str, Refused] = field(default_factory=dict)
    reclaimed: Reclaimed = field(default_factory=Reclaimed)


async def run(backend: Backend) -> None:
    """Migrates what is stored; nothing, not even a read of the objects, when it is in form."""
    store = backend.store
    entry = store.get(schema.KEY)
    record = None if entry is None else schema.decode(entry.value)
    if KNOWN.is_own(record):
        return
    outcome = _outcome(backend, 0 if record is None else record.migrations)
    present = schema.Record(SCHEMAS[-1], len(MIGRATIONS), cn2.__version__)
    listed = Put(keys.REFUSED, codec.dump([*outcome.refused])) if outcome.refused else None
    bookkeeping = (listed or Delete(keys.REFUSED), Put(schema.KEY, schema.encode(present)))
    claims = outcome.reclaimed.changes(store)
    await store.commit(Txn((*outcome.changes, *claims, *bookkeeping)))
    if outcome.changes:
        log.info(
            "stored objects migrated",
            changed=len(outcome.changes),
            schema=present.schema,
            before=record.schema if record else "",
        )
    for found in outcome.refused.values():
        log.warning(
            "a stored object is refused by today's rules and kept as it is", what=str(found)
        )


def refused(backend: Backend) -> list[Refused]:
    """The objects that the last migration could not bring in form and that still are not."""
    listed = backend.store.get(keys.REFUSED)
    if listed is None:
        return []
    wanted = set(codec.parse_json(listed.value))
    found = []
    for kind, entry in _stored(backend) if wanted else ():
        if entry.key in wanted and (why := _migrated(kind, entry, len(MIGRATIONS))[1]):
            found.append(_refused(kind, entry, why))
    return found


def _outcome(backend: Backend, done: int) -> _Outcome:
    outcome = _Outcome()
    for kind, entry in _stored(backend):
        new, why = _migrated(kind, entry, done)
        if why:
            outcome.refused[entry.key] = _refused(kind, entry, why)
            outcome.reclaimed.add_refused(kind, entry)
            continue
        if new != codec.decode(entry):
            outcome.changes.append(Put(entry.key, codec.encode(new)))
        outcome.reclaimed.add(kind, new)
    return outcome


def _stored(backend: Backend) -> Iterator[tuple[Kind, Entry]]:
    for kind in KINDS:
        for entry in backend.store.list(keys.under(kind)).entries:
            yield kind, entry


def _migrated(kind: Kind, entry: Entry, done: int) -> tuple[Object, str]:
    """The object in its present form, and why it is refused ("" when it is not)."""
    old, new = codec.decode(entry), codec.decode(entry)
    try:
        errors = migrate(kind, new, old, done)
    except Exception as error:  # of a rule that met what it did not foresee
        return old, f"{type(error).__name__}: {error}"
    return (old, invalid(kind, old["metadata"]["name"], errors).message) if errors else (new, "")


def _refused(kind: Kind, entry: Entry, why: str) -> Refused:
    namespace, _, name = entry.key.removeprefix(keys.under(kind)).rpartition("/")
    return Refused(kind, namespace, name, why)
