"""A map from keys to entries that also knows the order of its keys."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable

from cn2.store.interface import Entry

_PAST_ANY_KEY = chr(0x10FFFF)
"""Sorts after every character a key contains, so that prefix + this ends the prefix's range."""


class OrderedEntries:
    """Entries by key, with ranges by prefix."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self._entries = {entry.key: entry for entry in entries}
        self._keys = sorted(self._entries)

    def __len__(self) -> int:
        return len(self._keys)

    def get(self, key: str) -> Entry | None:
        return self._entries.get(key)

    def put(self, entry: Entry) -> None:
        if entry.key not in self._entries:
            insort(self._keys, entry.key)
        self._entries[entry.key] = entry

    def remove(self, key: str) -> None:
        if self._entries.pop(key, None) is not None:
            del self._keys[bisect_left(self._keys, key)]

    def under(self, prefix: str, after: str = "", limit: int = 0) -> tuple[list[Entry], int]:
        """Entries under `prefix` with keys greater than `after`, and how many more there are."""
        keys = self._keys
        first = bisect_left(keys, prefix)
        if after >= prefix:
            first = bisect_right(keys, after, lo=first)
        end = bisect_left(keys, prefix + _PAST_ANY_KEY, lo=first)
        last = min(end, first + limit) if limit else end
        entries = self._entries
        return [entries[key] for key in keys[first:last]], end - last
