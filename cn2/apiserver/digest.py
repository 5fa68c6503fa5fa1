"""The few facts of a stored object that reads need, decoded once per revision."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from cn2.api.kind import Kind
from cn2.apiserver import codec, selectors
from cn2.apiserver.selectors import Matches
from cn2.store.interface import Entry

_KEPT = 50_000


class _Metadata(msgspec.Struct):
    name: str
    namespace: str = ""
    uid: str = ""
    labels: dict[str, str] | None = None
    deletionTimestamp: str | None = None


class _Header(msgspec.Struct):
    metadata: _Metadata


_header = msgspec.json.Decoder(_Header)


class Digest(msgspec.Struct, frozen=True):
    """What selectors look at."""

    labels: Mapping[str, str]
    fields: Mapping[str, str]


def header(entry: Entry) -> _Metadata:
    """The metadata that life-cycle checks look at, without decoding the rest."""
    return _header.decode(entry.value).metadata


class Digests:
    """Digests by key and revision; a bounded memory, rebuilt from the entries when emptied."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int], Digest] = {}

    def of(self, kind: Kind, entry: Entry) -> Digest:
        known = self._known.get((entry.key, entry.revision))
        if known is None:
            known = _digest(kind, entry)
            if len(self._known) >= _KEPT:
                self._known.clear()
            self._known[entry.key, entry.revision] = known
        return known


def _digest(kind: Kind, entry: Entry) -> Digest:
    if kind.selectable_fields:
        obj = codec.decode(entry)
        return Digest(obj["metadata"].get("labels") or {}, selectors.field_values(kind, obj))
    metadata = header(entry)
    fields = {"metadata.name": metadata.name, "metadata.namespace": metadata.namespace}
    return Digest(metadata.labels or {}, fields)


class Selection:
    """A label and a field selector together."""

    def __init__(self, digests: Digests, kind: Kind, labels: str, fields: str) -> None:
        self._digests = digests
        self._kind = kind
        self._labels: Matches | None = selectors.labels(labels)
        self._fields: Matches | None = selectors.fields(kind, fields)

    @property
    def everything(self) -> bool:
        return self._labels is None and self._fields is None

    def __call__(self, entry: Entry) -> bool:
        if self.everything:
            return True
        digest = self._digests.of(self._kind, entry)
        return (self._labels is None or self._labels(digest.labels)) and (
            self._fields is None or self._fields(digest.fields)
        )
