"""What plans for the cluster are made from: objects of the API, looked up by name or by index."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from cn2.api.kind import Kind, Object

Key = tuple[str, str]
"""(namespace, name) of an object; the namespace of a cluster-scoped one is ""."""

Index = Callable[[Object], Iterable[str]]
"""The values under which an object is found."""

Indexes = Mapping[str, Mapping[str, Index]]
"""Kind name -> index name -> index."""


class Source(Protocol):
    """All objects of one kind; an informer's cache is one."""

    @property
    def objects(self) -> Mapping[Key, Object]: ...

    def by_index(self, index: str, value: str) -> list[Object]: ...


class Table:
    """Objects of one kind held in a dict, with their indexes."""

    def __init__(self, indexes: Mapping[str, Index]) -> None:
        self.objects: dict[Key, Object] = {}
        self._indexes = indexes

    def by_index(self, index: str, value: str) -> list[Object]:
        function = self._indexes[index]
        return [obj for obj in self.objects.values() if value in function(obj)]


class Snapshot:
    """The objects that a plan reads.

    The sources may be live: a plan runs without interruption and keeps nothing that it read.
    """

    def __init__(self, sources: Mapping[str, Source], now: Callable[[], float]) -> None:
        """`sources`: kind name -> its objects; `now`: monotonic seconds."""
        self._sources = sources
        self._now = now
        self._complaints: dict[str, dict[str, float]] = {}
        self._said: dict[str, set[str]] = {}
        self._promises: dict[tuple[str, str], int] = {}
        self._refused: dict[str, set[tuple[str, int]]] = {}
        self._gone: set[str] = set()

    def get(self, kind: Kind, name: str, namespace: str = "") -> Object | None:
        """The object of that name, or None."""
        obj = self._sources[kind.kind].objects.get((namespace, name))
        return None if obj is None or self._is_gone(obj) else obj

    def all(self, kind: Kind) -> list[Object]:
        """Every object of the kind."""
        return [obj for obj in self._sources[kind.kind].objects.values() if not self._is_gone(obj)]

    def find(self, kind: Kind, index: str, value: str) -> list[Object]:
        """The objects that `index` files under `value`."""
        found = self._sources[kind.kind].by_index(index, value)
        return [obj for obj in found if not self._is_gone(obj)]

    def promise(self, pool: str, holder: str) -> int | None:
        """The number of `pool` that was picked for `holder` and that no object carries yet."""
        return self._promises.get((pool, holder))

    def promised(self, pool: str) -> set[int]:
        """All numbers of `pool` that are picked and not yet carried."""
        return {number for (name, _), number in self._promises.items() if name == pool}

    def keep_promise(self, pool: str, holder: str, number: int) -> None:
        """Remember that `number` was picked for `holder`."""
        self._promises[pool, holder] = number

    def fulfil_promise(self, pool: str, holder: str) -> None:
        """The object that carries the number is written."""
        self._promises.pop((pool, holder), None)

    def refuse_promise(self, pool: str, holder: str, number: int) -> None:
        """Somebody else has the number: it must not be picked for `holder` again."""
        self._promises.pop((pool, holder), None)
        self._refused.setdefault(pool, set()).add((holder, number))

    def refused(self, pool: str, holder: str, number: int) -> bool:
        """Whether the store refused this number to `holder`, and nothing was freed since."""
        return (holder, number) in self._refused.get(pool, ())

    def forgive(self, pool: str) -> None:
        """A number of `pool` was freed: what was refused may be tried again."""
        self._refused.pop(pool, None)

    def bury(self, uid: str) -> None:
        """The object with this uid was deleted; a source that lags behind no longer shows it."""
        self._gone.add(uid)

    def forget(self, uid: str) -> None:
        """The source has caught up with the deletion."""
        self._gone.discard(uid)

    def waited(self, uid: str, message: str) -> float:
        """Seconds since `message` was first true of the object with this uid."""
        now = self._now()
        return now - self._complaints.setdefault(uid, {}).setdefault(message, now)

    def first_time(self, uid: str, message: str) -> bool:
        """Whether `message` is yet to be said of the object; afterwards it counts as said."""
        said = self._said.setdefault(uid, set())
        first = message not in said
        said.add(message)
        return first

    def settle(self, uid: str) -> None:
        """All is well with the object, or it is gone: what was wrong counts anew."""
        self._complaints.pop(uid, None)
        self._said.pop(uid, None)

    def _is_gone(self, obj: Object) -> bool:
        return bool(self._gone) and obj["metadata"].get("uid") in self._gone
