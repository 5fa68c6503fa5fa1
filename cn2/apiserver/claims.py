"""Numbers that must be unique, committed in the transaction of the object that carries them.

Three families of keys: a *claim* says who holds a number of a pool, a *holding* says which number
of a pool somebody holds, a *want* says that somebody's numbers are kept for them while another
object exists. A claim whose object was deleted while it was wanted *rests*: it stays, and only the
same holder can take it up again. It is freed with the last want, unless an object carries it.
"""

from __future__ import annotations

from cn2.api.kind import Claim, Kind, Object, holder
from cn2.api.kinds import by_name
from cn2.apiserver import codec, keys
from cn2.apiserver.backend import Backend
from cn2.apiserver.errors import ApiError, conflict
from cn2.store.interface import Absent, At, Delete, Put

Changes = dict[str, Put | Delete]
"""By key, so that a later decision on a key replaces an earlier one."""


class ClaimChanges:
    """What one write of an object does to claims and wants, ready for the transaction."""

    def __init__(self, backend: Backend, kind: Kind, name: str) -> None:
        self.changes: Changes = {}
        self.conditions: list[Absent | At] = []
        self._store = backend.store
        self._kind = kind
        self._name = name

    def apply(self, old: Object | None, new: Object | None) -> None:
        """Works out the changes; raises Conflict when somebody else holds a number."""
        before, after = carried(self._kind, old), carried(self._kind, new)
        for claim in sorted(after - before):
            self._take(claim)
        moved = {(claim.pool, claim.holder) for claim in after}
        for claim in sorted(before - after):
            gone = (claim.pool, claim.holder) not in moved
            if not (new is None and gone and self._is_wanted(claim.holder)):
                self._free(claim, forget=gone)
        self._want(old, new)

    def _take(self, claim: Claim) -> None:
        key = keys.claim(claim.pool, claim.id)
        held = self._store.latest(key)
        if held is not None:
            if held.value.decode() != claim.holder:
                raise _taken(self._kind, self._name, claim, held.value.decode())
            self.conditions.append(At(key, held.revision))
            return
        self.conditions.append(Absent(key))
        self.changes[key] = Put(key, claim.holder.encode())
        holding = keys.holding(claim.holder, claim.pool)
        previous = self._store.latest(holding)
        if previous is not None:
            # One number per holder and pool: what rested under another number is given up.
            rested = keys.claim(claim.pool, int(previous.value))
            self.changes.setdefault(rested, Delete(rested))
        self.changes[holding] = Put(holding, b"%d" % claim.id)

    def _free(self, claim: Claim, *, forget: bool) -> None:
        key = keys.claim(claim.pool, claim.id)
        self.changes[key] = Delete(key)
        if forget:
            holding = keys.holding(claim.holder, claim.pool)
            self.changes[holding] = Delete(holding)

    def _is_wanted(self, who: str) -> bool:
        return bool(self._store.latest_under(keys.wants(who)))

    def _want(self, old: Object | None, new: Object | None) -> None:
        if self._kind.wants is None:
            return
        before = set(self._kind.wants(old)) if old is not None else set()
        after = set(self._kind.wants(new)) if new is not None else set()
        metadata = (new or old or {})["metadata"]
        wanter = holder(self._kind.kind, metadata.get("namespace", ""), metadata["name"])
        for who in sorted(after - before):
            key = keys.want(who, wanter)
            self.changes[key] = Put(key, b"")
        for who in sorted(before - after):
            key = keys.want(who, wanter)
            self.changes[key] = Delete(key)
            others = self._store.latest_under(keys.wants(who))
            if all(entry.key == key for entry in others):
                self._wake(who)

    def _wake(self, who: str) -> None:
        """Nobody wants `who` any more: frees the claims that no object of theirs carries."""
        kept = self._carried_by(who)
        prefix = keys.holdings(who)
        for entry in self._store.latest_under(prefix):
            pool, number = entry.key.removeprefix(prefix), int(entry.value)
            if Claim(pool, number, who) not in kept:
                claim = keys.claim(pool, number)
                self.changes[claim] = Delete(claim)
                self.changes[entry.key] = Delete(entry.key)

    def _carried_by(self, who: str) -> frozenset[Claim]:
        kind_name, _, rest = who.partition("/")
        try:
            kind = by_name(kind_name)
        except KeyError:
            return frozenset()
        namespace, _, name = rest.rpartition("/")
        entry = self._store.latest(keys.key(kind, namespace, name))
        return carried(kind, None if entry is None else codec.decode(entry))


def carried(kind: Kind, obj: Object | None) -> frozenset[Claim]:
    """The numbers that an object carries."""
    if obj is None:
        return frozenset()
    return frozenset(kind.claims(obj)) if kind.claims is not None else frozenset()


def _taken(kind: Kind, name: str, claim: Claim, by: str) -> ApiError:
    return conflict(kind, name, f"{claim.id} of pool {claim.pool} is held by {by}")
