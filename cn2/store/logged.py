"""The store: an ordered map in memory in front of a journal.

A commit is checked and gets its revision at once, in the event loop, against the latest view. It
then joins the group that the one writer task hands to the journal next, so that commits which
arrive while the disk is busy share the following disk write. Only when the journal has answered
does the group enter the committed view, in one step: map, history, watchers, waiting callers.

If the journal fails, everything on its way fails with it: later transactions of the group may
have been computed from earlier ones.
"""

from __future__ import annotations

import asyncio
import builtins
from contextlib import suppress

from cn2.store.interface import (
    Absent,
    At,
    Commit,
    Delete,
    Entry,
    Event,
    Full,
    Mismatch,
    Page,
    Put,
    Stamped,
    Txn,
    Unavailable,
    Value,
    Watch,
)
from cn2.store.journal import Forgetful, Journal, JournalFailed, JournalFull, Loaded
from cn2.store.ordered import OrderedEntries
from cn2.store.watching import Watchers
from cn2.store.window import MAX_EVENTS, Window


class _Group:
    """Transactions that share one write to the journal."""

    __slots__ = ("done", "events")

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()


class LoggedStore:
    """A `Store` over any `Journal`; make one with `open_store` or `memory_store`."""

    def __init__(self, journal: Journal, loaded: Loaded, *, max_events: int = MAX_EVENTS) -> None:
        self._journal = journal
        self._entries = OrderedEntries(loaded.entries)
        self._window = Window(loaded.floor, loaded.events, max_events=max_events)
        self._window.revision = loaded.revision
        self._watchers = Watchers(self._window)
        self._unsettled: dict[str, Event] = {}
        """The newest change of each key that is still on its way."""
        self._assigned = loaded.revision
        self._collecting = _Group()
        self._writing: _Group | None = None
        self._work = asyncio.Event()
        self.broken = ""
        """Why nothing can be written any more; empty while all is well."""
        self._writer = asyncio.create_task(self._write_forever(), name="store writer")

    @property
    def revision(self) -> int:
        return self._window.revision

    def get(self, key: str) -> Entry | None:
        return self._entries.get(key)

    def list(self, prefix: str, *, after: str = "", limit: int = 0, at: int | None = None) -> Page:
        if at is not None and at != self.revision:
            return self._list_past(prefix, after, limit, at)
        entries, remaining = self._entries.under(prefix, after, limit)
        return Page(entries, self.revision, remaining)

    def latest(self, key: str) -> Entry | None:
        event = self._unsettled.get(key)
        return self._entries.get(key) if event is None else _left_behind(event)

    def latest_under(self, prefix: str) -> builtins.list[Entry]:
        entries, _ = self._entries.under(prefix)
        changed = {
            key: _left_behind(event)
            for key, event in self._unsettled.items()
            if key.startswith(prefix)
        }
        return _overlay(entries, changed) if changed else entries

    async def settled(self) -> None:
        group = self._collecting if self._collecting.events else self._writing
        if group is not None:
            await asyncio.shield(group.done)
        if self.broken:
            raise Unavailable(self.broken)

    async def commit(self, txn: Txn) -> Commit:
        if self.broken:
            raise Unavailable(self.broken)
        for condition in txn.conditions:
            self._check(condition)
        events = self._events(txn, self._assigned + 1)
        if not events:
            await self.settled()
            return Commit(self.revision)
        self._assigned += 1
        for event in events:
            self._unsettled[event.key] = event
        group = self._collecting
        group.events.extend(events)
        self._work.set()
        # The group is shared: a caller that goes away must not cancel the others' answer.
        await asyncio.shield(group.done)
        return Commit(events[0].revision, events)

    def watch(self, prefix: str, after: int) -> Watch:
        return self._watchers.open(prefix, after)

    async def close(self) -> None:
        self._watchers.close()
        # Before anything is waited for: a commit that comes now would find no writer.
        self.broken = self.broken or "the store is closed"
        with suppress(Unavailable):
            await self.settled()
        self._writer.cancel()
        await asyncio.gather(self._writer, return_exceptions=True)
        await self._journal.close()

    def _check(self, condition: Absent | At) -> None:
        entry = self.latest(condition.key)
        match condition:
            case Absent():
                holds = entry is None
            case At():
                holds = entry is not None and entry.revision == condition.revision
        if not holds:
            raise Mismatch(condition.key)

    def _events(self, txn: Txn, revision: int) -> tuple[Event, ...]:
        events = []
        for change in txn.changes:
            previous = self.latest(change.key)
            match change:
                case Put():
                    value = _render(change.value, revision)
                    events.append(Event(change.key, value, revision, False, previous))
                case Delete() if previous is not None:
                    value = _render(change.last, revision)
                    events.append(Event(change.key, value, revision, True, previous))
        return tuple(events)

    async def _write_forever(self) -> None:
        while True:
            await self._work.wait()
            self._work.clear()
            group, self._collecting = self._collecting, _Group()
            self._writing = group
            await self._write(group)
            self._writing = None

    async def _write(self, group: _Group) -> None:
        try:
            await self._journal.append(group.events, self._window.floor)
        except JournalFull as error:
            self._fail(group, Full, str(error))
        except JournalFailed as error:
            self._fail(group, Unavailable, str(error))
        except Exception as error:
            # JournalLost, and whatever a journal did not foresee: nobody may wait for ever.
            self.broken = f"the store cannot be trusted until it is opened again: {error}"
            self._fail(group, Unavailable, self.broken)
        else:
            self._publish(group)

    def _publish(self, group: _Group) -> None:
        for event in group.events:
            if event.deleted:
                self._entries.remove(event.key)
            else:
                self._entries.put(event.entry)
            if self._unsettled.get(event.key) is event:
                del self._unsettled[event.key]
        self._window.extend(group.events)
        self._watchers.publish(group.events)
        group.done.set_result(None)

    def _fail(self, group: _Group, error: type[Unavailable], why: str) -> None:
        follower, self._collecting = self._collecting, _Group()
        self._work.clear()
        self._unsettled.clear()
        self._assigned = self.revision
        for failed in (group, follower):
            if failed.events:
                failed.done.set_exception(error(why))
                failed.done.exception()  # its callers may all have gone: nobody need ask

    def _list_past(self, prefix: str, after: str, limit: int, at: int) -> Page:
        past = self._window.undo(prefix, at)
        entries, _ = self._entries.under(prefix)
        found = [entry for entry in _overlay(entries, past) if entry.key > after]
        wanted = found[:limit] if limit else found
        return Page(wanted, at, len(found) - len(wanted))


def _left_behind(event: Event) -> Entry | None:
    return None if event.deleted else event.entry


def _render(value: Value, revision: int) -> bytes:
    if isinstance(value, Stamped):
        return b"%b%d%b" % (value.before, revision, value.after)
    return value


def _overlay(entries: list[Entry], changed: dict[str, Entry | None]) -> list[Entry]:
    merged: dict[str, Entry | None] = {entry.key: entry for entry in entries}
    merged.update(changed)
    return [entry for _, entry in sorted(merged.items()) if entry is not None]


async def memory_store(*, max_events: int = MAX_EVENTS) -> LoggedStore:
    """A store that ends with its process."""
    journal = Forgetful()
    return LoggedStore(journal, await journal.load(), max_events=max_events)
