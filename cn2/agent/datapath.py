"""The rows that the node should have, kept equal to those that the kernel has.

Lives on the event loop; the kernel's part runs in the worker. Until every watch has synced, what
is desired is what an earlier agent left: a port's rows may go with its unplug, and nothing else.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

import structlog

from cn2.plan.node.rows import RowKey, keys, plan
from cn2.plan.node.snapshot import Snapshot
from cn2.state.row import Key, Row
from cn2.state.table import Change, Tables

_log = structlog.get_logger("datapath")


class Datapath:
    """Desired and actual rows, and which key asked for which."""

    def __init__(self, snapshot: Callable[[], Snapshot]) -> None:
        self._snapshot = snapshot
        self._tables = Tables()
        self._rows: dict[RowKey, tuple[Row, ...]] = {}
        self._wanted: defaultdict[_Identity, dict[RowKey, Row]] = defaultdict(dict)
        self.broken: dict[RowKey, str] = {}
        """Keys that could not be planned, and why; their rows stay as they were."""

    def adopt(self, actual: Sequence[Row]) -> None:
        """Desire what the kernel has. Called once, when the recorded ports are known."""
        self._tables.learn(actual)
        self._tables.want_only(actual)
        snapshot = self._snapshot()
        for key in keys(snapshot):
            self._hold(key, plan(snapshot, key))

    def learn(self, actual: Iterable[Row]) -> None:
        """The kernel was read again."""
        self._tables.learn(actual)

    def replan(self, changed: Iterable[RowKey]) -> None:
        """Plan these keys anew."""
        snapshot = self._snapshot()
        for key in changed:
            self._replan(snapshot, key)

    def replan_all(self) -> None:
        """Plan everything; rows that nothing asks for are no longer desired."""
        snapshot = self._snapshot()
        for key in {*self._rows, *keys(snapshot)}:
            self._replan(snapshot, key)
        self._tables.want_only(self.rows())

    def pending(self) -> list[Change]:
        """What the kernel still has to be told, in order."""
        return self._tables.pending()

    def done(self, changes: Iterable[Change]) -> None:
        """The kernel was told."""
        self._tables.done(changes)

    def rows(self) -> list[Row]:
        """Every desired row, for those who explain."""
        return [_chosen(claims) for claims in self._wanted.values()]

    def _replan(self, snapshot: Snapshot, key: RowKey) -> None:
        try:
            wanted = plan(snapshot, key)
        except Exception as bug:
            # One bad object must not stop the others; its rows stay until it is better.
            if self.broken.get(key) != repr(bug):
                _log.exception("cannot plan", key=key)
            self.broken[key] = repr(bug)
            return
        self.broken.pop(key, None)
        for row in self._hold(key, wanted):
            claims = self._wanted.get(_identity(row))
            if claims:
                self._tables.want(_chosen(claims))
            else:
                self._tables.unwant(row)

    def _hold(self, key: RowKey, wanted: tuple[Row, ...]) -> list[Row]:
        """Keep what `key` wants now; the rows that it wanted before or wants now."""
        before = self._rows.pop(key, ())
        for row in before:
            claims = self._wanted[_identity(row)]
            claims.pop(key, None)
            if not claims:
                del self._wanted[_identity(row)]
        for row in wanted:
            self._wanted[_identity(row)][key] = row
        if wanted:
            self._rows[key] = wanted
        return [*before, *wanted]


_Identity = tuple[type[Row], Key]


def _identity(row: Row) -> _Identity:
    return type(row), row.key


def _chosen(claims: Mapping[RowKey, Row]) -> Row:
    """One row of those that several keys want in one place: the same, whoever came first.

    Of two networks that name one VNI, the younger on this node has it.
    """
    if len(claims) == 1:
        return next(iter(claims.values()))
    return max(claims.values(), key=lambda row: row.LAYOUT.value_of(row))
