"""What tells one table of kinds from another, as far as stored objects are concerned."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence

from cn2.api.kind import Kind, Schema
from cn2.api.kinds import KINDS
from cn2.api.stored.history import SCHEMAS
from cn2.api.stored.migrations import MIGRATIONS, Migration

_LENGTH = 12
_MANY = ("properties",)
_LISTS = ("allOf", "anyOf", "oneOf")
_ONES = ("items", "additionalProperties", "not")


def fingerprint(kinds: Iterable[Kind], migrations: Iterable[Migration]) -> str:
    """The same for two programs that store the same objects in the same form."""
    stored = [
        [kind.api_version, kind.kind, kind.plural, kind.namespaced, kind.status, _bare(kind.schema)]
        for kind in kinds
    ]
    text = json.dumps([sorted(stored, key=lambda one: one[:2]), [m.name for m in migrations]])
    return hashlib.sha256(text.encode()).hexdigest()[:_LENGTH]


def page() -> str:
    """`history.py` as it should be: with this program's own fingerprint as the last one."""
    own = fingerprint(KINDS, MIGRATIONS)
    return _page(SCHEMAS if SCHEMAS[-1:] == [own] else [*SCHEMAS, own])


def _page(schemas: Sequence[str]) -> str:
    lines = "".join(f'    "{schema}",\n' for schema in schemas)
    return (
        '"""Every table of kinds whose stored objects this program can read, by fingerprint."""\n\n'
        "# Written by scripts/gen: oldest first, the last is this program's own. Lines are only\n"
        "# ever added; where two branches added some, both stay (.gitattributes).\n"
        f"SCHEMAS = [\n{lines}]\n"
    )


def _bare(schema: Schema) -> Schema:
    """A schema without what only people read."""
    bare = {key: value for key, value in sorted(schema.items()) if key != "description"}
    for key in _MANY:
        if key in bare:
            bare[key] = {name: _bare(child) for name, child in sorted(bare[key].items())}
    for key in _LISTS:
        if key in bare:
            bare[key] = [_bare(child) for child in bare[key]]
    for key in _ONES:
        if isinstance(bare.get(key), dict):
            bare[key] = _bare(bare[key])
    return bare
