"""What an informer knows: objects by key and by index, and what changed. No IO.

Three sources feed it: lists, watch events, and the replies to one's own writes. They overtake
each other, so every object is compared by resourceVersion and nothing goes back in time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

import structlog

from cn2.api.kind import Object

log = structlog.get_logger(__name__)

Key = tuple[str, str]
"""(namespace, name); the namespace of a cluster-scoped object is ""."""

Change = tuple[Object | None, Object | None]
"""(old, new): old None = added, new None = deleted."""

Index = Callable[[Object], Iterable[str]]
"""The values under which an object is found in one index."""


def key_of(obj: Object) -> Key:
    metadata = obj["metadata"]
    return metadata.get("namespace", ""), metadata["name"]


def revision_of(obj: Object) -> int:
    """The resourceVersion as a number, 0 where it is none. Comparable within one kind on
    kube-apiserver, on aggregated servers over etcd, and on ours."""
    text = obj["metadata"].get("resourceVersion", "")
    return int(text) if text.isdigit() else 0


def _values(index: Index, obj: Object) -> Iterable[str]:
    """What an index says of an object; nothing when it cannot read it. One object that is not
    what it should be must not end the watch for all: its own reconcile says what is wrong."""
    try:
        return list(index(obj))
    except Exception:
        log.exception("index failed", kind=obj.get("kind"), key=key_of(obj))
        return ()


class Cache:
    """Objects of one kind with multi-valued indexes. Objects in it must not be changed."""

    def __init__(self, indexes: Mapping[str, Index]) -> None:
        self._objects: dict[Key, Object] = {}
        self._indexes = dict(indexes)
        self._found: dict[str, dict[str, set[Key]]] = {name: {} for name in indexes}
        self.objects: Mapping[Key, Object] = MappingProxyType(self._objects)
        self.revision = 0
        """Everything up to here has been told by a list or the watch."""

    def by_index(self, index: str, value: str) -> list[Object]:
        return [self._objects[key] for key in self._found[index].get(value, ())]

    def add_index(self, name: str, index: Index) -> None:
        """Adds an index, also over the objects that are here already."""
        self._indexes[name] = index
        self._found[name] = {}
        for key, obj in self._objects.items():
            for value in _values(index, obj):
                self._found[name].setdefault(value, set()).add(key)

    def indexes(self) -> Mapping[str, Index]:
        return self._indexes

    def saw(self, obj: Object) -> list[Change]:
        """A watch said that this object was added or modified."""
        self.revision = max(self.revision, revision_of(obj))
        return self._put(obj)

    def saw_deleted(self, obj: Object) -> list[Change]:
        """A watch said that this object is gone; `obj` carries the revision of its end."""
        revision = revision_of(obj)
        self.revision = max(self.revision, revision)
        key = key_of(obj)
        old = self._objects.get(key)
        # A later object of the same name was learned from a reply: this is its predecessor's end.
        if old is None or (revision and revision_of(old) > revision):
            return []
        return [self._remove(key, old)]

    def saw_bookmark(self, revision: int) -> None:
        self.revision = max(self.revision, revision)

    def learned(self, obj: Object, *, only_known: bool = False) -> list[Change]:
        """The reply to a write of our own.

        At or below the watch's revision the watch has told all there is: an object missing here
        has been deleted since. `only_known` is for informers with a selector, which cannot judge
        whether a new object is theirs.
        """
        if revision_of(obj) <= self.revision or (only_known and key_of(obj) not in self._objects):
            return []
        return self._put(obj)

    def replaced(self, items: Iterable[Object], revision: int) -> list[Change]:
        """A whole list, true at `revision`: what it lacks is gone, unless learned after it."""
        self.revision = max(self.revision, revision)
        present = {key_of(obj): obj for obj in items}
        changes = [
            self._remove(key, old)
            for key, old in list(self._objects.items())
            if key not in present and not (revision and revision_of(old) > revision)
        ]
        for obj in present.values():
            changes += self._put(obj)
        return changes

    def _put(self, obj: Object) -> list[Change]:
        key = key_of(obj)
        old = self._objects.get(key)
        if old is None:
            return [self._store(key, None, obj)]
        if not _newer(old, obj):
            return []
        if old["metadata"].get("uid") != obj["metadata"].get("uid"):
            # Deleted and made again between two looks: two changes, so that nobody takes the new
            # object for the old one.
            return [self._remove(key, old), self._store(key, None, obj)]
        return [self._store(key, old, obj)]

    def _store(self, key: Key, old: Object | None, new: Object) -> Change:
        if old is not None:
            self._unindex(key, old)
        self._objects[key] = new
        for name, index in self._indexes.items():
            for value in _values(index, new):
                self._found[name].setdefault(value, set()).add(key)
        return old, new

    def _remove(self, key: Key, old: Object) -> Change:
        del self._objects[key]
        self._unindex(key, old)
        return old, None

    def _unindex(self, key: Key, obj: Object) -> None:
        for name, index in self._indexes.items():
            found = self._found[name]
            for value in _values(index, obj):
                keys = found.get(value)
                if keys is not None:
                    keys.discard(key)
                    if not keys:
                        del found[value]


def _newer(old: Object, new: Object) -> bool:
    before, after = revision_of(old), revision_of(new)
    if before and after:
        return after > before
    return old != new
