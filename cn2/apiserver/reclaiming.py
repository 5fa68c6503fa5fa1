"""Claims, holdings and wants computed anew from the objects, should their rules have changed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

import structlog

from cn2.api.kind import Kind, Object, holder
from cn2.apiserver import codec, keys
from cn2.apiserver.claims import carried
from cn2.store.interface import Delete, Entry, Put, Store

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Reclaimed:
    """What should be claimed, gathered object by object."""

    _right: dict[str, bytes] = field(default_factory=dict)
    _wanted: set[str] = field(default_factory=set)
    _unclear: set[str] = field(default_factory=set)
    """Holders of which nobody can say what they carry: the claims that they have stay."""

    def add(self, kind: Kind, obj: Object) -> None:
        for claim in sorted(carried(kind, obj)):
            key = keys.claim(claim.pool, claim.id)
            other = self._right.setdefault(key, claim.holder.encode()).decode()
            if other != claim.holder:
                log.error("a number is carried twice", claim=key, holders=[other, claim.holder])
                continue
            self._right[keys.holding(claim.holder, claim.pool)] = b"%d" % claim.id
        for who in kind.wants(obj) if kind.wants is not None else ():
            self._wanted.add(who)
            self._right[keys.want(who, _name(kind, obj))] = b""

    def add_refused(self, kind: Kind, entry: Entry) -> None:
        """An object that is out of form: it keeps its claims, besides what it is seen to carry."""
        obj = codec.decode(entry)
        self._unclear.add(_name(kind, obj))
        with suppress(Exception):  # of a rule that met what it did not foresee
            self.add(kind, obj)

    def changes(self, store: Store) -> Iterator[Put | Delete]:
        """From what is claimed in the store to what should be."""
        stored = {
            entry.key: entry.value
            for family in keys.CLAIM_FAMILIES
            for entry in store.list(family).entries
        }
        self._keep_unclear_wants(stored)
        right = {**self._resting(stored), **self._right}
        for key, value in right.items():
            if stored.get(key) != value:
                yield Put(key, value)
        for key in stored.keys() - right.keys():
            yield Delete(key)

    def _keep_unclear_wants(self, stored: dict[str, bytes]) -> None:
        for key in stored:
            wanted, _, wanter = key.removeprefix(keys.CLAIM_FAMILIES[2]).rpartition("//")
            if key.startswith(keys.CLAIM_FAMILIES[2]) and wanter in self._unclear:
                self._wanted.add(wanted)
                self._right[key] = b""

    def _resting(self, stored: dict[str, bytes]) -> dict[str, bytes]:
        """Numbers that no object carries but that are kept for somebody."""
        resting = {}
        claims = {key for key in stored if key.startswith(keys.CLAIM_FAMILIES[0])}
        for key in claims - self._right.keys():
            who = stored[key].decode()
            pool, number = keys.claimed(key)
            holding = keys.holding(who, pool)
            held = stored.get(holding) == b"%d" % number
            wanted = who in self._wanted and holding not in self._right
            if held and (wanted or who in self._unclear):
                resting[key], resting[holding] = stored[key], stored[holding]
        return resting


def _name(kind: Kind, obj: Object) -> str:
    metadata = obj["metadata"]
    return holder(kind.kind, metadata.get("namespace", ""), metadata["name"])
