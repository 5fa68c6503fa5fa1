"""What the API has promised: every acknowledged write and deletion, to be held against what is.

Each object has one writer. A write that was cut off leaves two possible truths; the next look must
find one of them, whole, and settles which. Content is told by a token that stands in a label and
in an annotation.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

Place = tuple[str, str]
"""(path of the collection, name)."""

TOKEN = "test.token"


def marks(token: str) -> dict[str, Any]:
    """The metadata that carries a token."""
    return {"labels": {TOKEN: token}, "annotations": {TOKEN: token}}


@dataclass(frozen=True, slots=True)
class Truth:
    """One state that an object may be in; without a token it is gone."""

    token: str = ""
    uid: str = ""
    """Unknown while the creation is."""
    revision: int = 0
    """Acknowledged or seen; the object can only be later."""


GONE = Truth()


@dataclass
class Ledger:
    """The possible truths of every place, and what contradicted them. For many threads."""

    faults: list[str] = field(default_factory=list)
    acknowledged: int = 0
    unknown: int = 0
    _truths: dict[Place, tuple[Truth, ...]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def wrote(self, place: Place, answer: Any) -> None:
        """A write was acknowledged with the object as it is now."""
        with self._lock:
            self.acknowledged += 1
            self._check(place, answer, self._truths.get(place, (GONE,)), write=True)
            self._truths[place] = (_truth(answer),)

    def deleted(self, place: Place) -> None:
        """A deletion was acknowledged; finalizers and graceful ends may take their time."""
        with self._lock:
            self.acknowledged += 1
            self._truths[place] = (GONE,)

    def cut(self, place: Place, token: str) -> None:
        """A write of `token` (a deletion: "") was sent, and its fate is unknown."""
        with self._lock:
            self.unknown += 1
            known = self._truths.get(place, (GONE,))
            uid = next((truth.uid for truth in known if truth.uid), "")
            revision = max(truth.revision for truth in known)
            self._truths[place] = (*known, Truth(token, uid, revision) if token else GONE)

    def saw(self, place: Place, live: Any) -> str:
        """Somebody looked: the object, or None for NotFound. From now on this is what is true.
        Returns the token, "" for what is gone."""
        with self._lock:
            self._check(place, live, self._truths.get(place, (GONE,)))
            seen = _truth(live) if live is not None else GONE
            self._truths[place] = (seen,)
            return seen.token

    def audit(self, live: dict[Place, Any]) -> None:
        """Hold everything that is there in the end against everything that was promised."""
        with self._lock:
            for place in sorted(self._truths.keys() | live.keys()):
                self._check(place, live.get(place), self._truths.get(place, (GONE,)))

    def _check(
        self, place: Place, live: Any, possible: tuple[Truth, ...], *, write: bool = False
    ) -> None:
        seen = GONE if live is None else _truth(live)
        if live is not None and _token(live, "labels") != _token(live, "annotations"):
            self.faults.append(f"{place}: half a write: {live['metadata']}")
        if not any(_agrees(truth, seen, write) for truth in possible):
            self.faults.append(f"{place}: {seen} is none of {possible}")


def _truth(live: Any) -> Truth:
    metadata = live["metadata"]
    if metadata.get("deletionTimestamp"):
        return GONE
    return Truth(_token(live, "labels"), metadata["uid"], int(metadata["resourceVersion"]))


def _token(live: Any, where: str) -> str:
    return str(live["metadata"].get(where, {}).get(TOKEN, ""))


def _agrees(truth: Truth, seen: Truth, write: bool) -> bool:
    """Whether this can be what has become of it. A write changes the token and makes a new uid
    where nothing was."""
    if not truth.token or not seen.token:
        return write or truth.token == seen.token
    return (
        (write or truth.token == seen.token)
        and truth.uid in ("", seen.uid)
        and truth.revision <= seen.revision
    )
