"""The rows that the node should have, kept equal to those that the kernel has.

Lives on the event loop; the kernel's part runs in the worker. Until every watch has synced, what
is desired is what an earlier agent left: a port's rows may go with its unplug, and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

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
        self.broken: dict[RowKey, str] = {}
        """Keys that could not be planned, and why; their rows stay as they were."""

    def adopt(self, actual: Sequence[Row]) -> None:
        """Desire what the kernel has. Called once, when the recorded ports are known."""
        self._tables.learn(actual)
        self._tables.want_only(actual)
        snapshot = self._snapshot()
        self._rows = {key: plan(snapshot, key) for key in keys(snapshot)}

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
        self._tables.want_only(row for rows in self._rows.values() for row in rows)

    def pending(self) -> list[Change]:
        """What the kernel still has to be told, in order."""
        return self._tables.pending()

    def done(self, changes: Iterable[Change]) -> None:
        """The kernel was told."""
        self._tables.done(changes)

    def rows(self) -> list[Row]:
        """Every desired row, for those who explain."""
        return [row for rows in self._rows.values() for row in rows]

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
        before = self._rows.pop(key, ())
        if wanted:
            self._rows[key] = wanted
        kept = {_identity(row) for row in wanted}
        self._tables.unwant(*(row for row in before if _identity(row) not in kept))
        self._tables.want(*wanted)


def _identity(row: Row) -> tuple[type[Row], Key]:
    return type(row), row.key
