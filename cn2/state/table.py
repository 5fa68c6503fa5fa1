"""Desired and actual rows, and the least work that makes them equal.

Changing what is desired touches memory only. `pending` says what is to be done, in the order
that `ORDER` gives; a driver does it and reports with `done`. A driver that failed reads the
kernel again and calls `learn`: nothing repairs a half-known state.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from cn2.state.bridge import Fdb, Flood, Vni
from cn2.state.flow import Policy, Service
from cn2.state.next_hop import Ecmp, NextHop
from cn2.state.route import Fib4, Fib6, Host
from cn2.state.row import Key, Row
from cn2.state.settings import Settings
from cn2.state.vif import AllowedAddress, Vif

ORDER: tuple[type[Row], ...] = (
    Settings,  # what every program reads
    NextHop,  # named by all that follows
    Ecmp,  # names next hops; a next hop of that type finds its slots here
    Policy,  # before anything that could pass without it
    Service,  # names ECMP sets
    Host,  # names next hops
    Fib4,
    Fib6,
    Fdb,
    Flood,
    Vni,  # opens the door to what tunnels bring
    AllowedAddress,  # before the interface whose packets would be dropped without it
    Vif,  # opens the door to what a pod sends
)
"""Tables in the order of writing; rows are removed in reverse, so that no row names a missing one.

The flow tables are not here: the datapath owns their rows.
"""

R = TypeVar("R", bound=Row)


@dataclass(frozen=True, slots=True)
class Put:
    """Write this row, new or changed."""

    row: Row


@dataclass(frozen=True, slots=True)
class Delete:
    """Remove this row; it carries its old value for those who explain."""

    row: Row


Change = Put | Delete


def diff(desired: Mapping[Key, R], actual: Mapping[Key, R]) -> list[Change]:
    """What makes one table's `actual` equal to `desired`: equal rows are left alone."""
    changes: list[Change] = [Put(r) for key, r in desired.items() if actual.get(key) != r]
    changes.extend(Delete(r) for key, r in actual.items() if key not in desired)
    return changes


class Tables:
    """Desired and actual rows of all tables of a node; remembers which keys differ."""

    def __init__(self) -> None:
        self._desired: dict[type[Row], dict[Key, Row]] = {kind: {} for kind in ORDER}
        self._actual: dict[type[Row], dict[Key, Row]] = {kind: {} for kind in ORDER}
        self._differs: dict[type[Row], set[Key]] = {kind: set() for kind in ORDER}

    def desired(self, kind: type[R]) -> Mapping[Key, R]:
        """The desired rows of one table by key."""
        return self._desired[kind]  # type: ignore[return-value]

    def actual(self, kind: type[R]) -> Mapping[Key, R]:
        """The rows of one table that the kernel has, as far as is known."""
        return self._actual[kind]  # type: ignore[return-value]

    def want(self, *rows: Row) -> None:
        """Desire these rows, besides all others."""
        for row in rows:
            self._desired[type(row)][row.key] = row
            self._compare(type(row), row.key)

    def unwant(self, *rows: Row) -> None:
        """Desire no row with these rows' keys; unknown ones are fine."""
        for row in rows:
            self._desired[type(row)].pop(row.key, None)
            self._compare(type(row), row.key)

    def want_only(self, rows: Iterable[Row]) -> None:
        """Desire these rows and no others."""
        self._desired = {kind: {} for kind in ORDER}
        for row in rows:
            self._desired[type(row)][row.key] = row
        self._compare_all()

    def learn(self, rows: Iterable[Row]) -> None:
        """These rows are what the kernel has, all of them."""
        self._actual = {kind: {} for kind in ORDER}
        for row in rows:
            self._actual[type(row)][row.key] = row
        self._compare_all()

    def pending(self) -> list[Change]:
        """All work left, in order: writes along `ORDER`, then removals against it."""
        changes: list[Change] = []
        for kind in ORDER:
            wanted = self._desired[kind]
            changes.extend(Put(wanted[k]) for k in self._differs[kind] if k in wanted)
        for kind in reversed(ORDER):
            wanted, had = self._desired[kind], self._actual[kind]
            changes.extend(Delete(had[k]) for k in self._differs[kind] if k not in wanted)
        return changes

    def done(self, changes: Iterable[Change]) -> None:
        """The driver has made these changes."""
        for change in changes:
            row = change.row
            if isinstance(change, Put):
                self._actual[type(row)][row.key] = row
            else:
                self._actual[type(row)].pop(row.key, None)
            self._compare(type(row), row.key)

    def _compare(self, kind: type[Row], key: Key) -> None:
        if self._desired[kind].get(key) == self._actual[kind].get(key):
            self._differs[kind].discard(key)
        else:
            self._differs[kind].add(key)

    def _compare_all(self) -> None:
        for kind in ORDER:
            changes = diff(self._desired[kind], self._actual[kind])
            self._differs[kind] = {change.row.key for change in changes}
