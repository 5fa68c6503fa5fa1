"""The store against a plain dict, in every order Hypothesis can think of."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from cn2.store.interface import Absent, At, Delete, Mismatch, Put, Txn
from cn2.store.logged import LoggedStore
from cn2.store.sqlite import open_store

KEYS = st.sampled_from(["/a/1", "/a/2", "/b/1", "/b/10", "/b/2"])
VALUES = st.binary(max_size=4)


class StoreMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.directory = tempfile.TemporaryDirectory()
        self.store: LoggedStore = self.run(open_store(Path(self.directory.name)))
        self.model: dict[str, tuple[bytes, int]] = {}
        self.history = [dict(self.model)]

    def run(self, coroutine):  # type: ignore[no-untyped-def]
        return self.loop.run_until_complete(coroutine)

    def apply(self, txn: Txn) -> None:
        holds = all(
            c.key not in self.model
            if isinstance(c, Absent)
            else self.model.get(c.key, (b"", -1))[1] == c.revision
            for c in txn.conditions
        )
        try:
            commit = self.run(self.store.commit(txn))
        except Mismatch:
            assert not holds
            return
        assert holds
        for change in txn.changes:
            if isinstance(change, Put):
                assert isinstance(change.value, bytes)
                self.model[change.key] = (change.value, commit.revision)
            else:
                self.model.pop(change.key, None)
        if commit.events:
            self.history.append(dict(self.model))

    @rule(changes=st.dictionaries(KEYS, st.none() | VALUES, min_size=1))
    def write(self, changes: dict[str, bytes | None]) -> None:
        self.apply(Txn(tuple(Delete(k) if v is None else Put(k, v) for k, v in changes.items())))

    @rule(key=KEYS, value=VALUES)
    def create(self, key: str, value: bytes) -> None:
        self.apply(Txn((Put(key, value),), (Absent(key),)))

    @rule(key=KEYS, value=VALUES, age=st.integers(0, 1))
    def update(self, key: str, value: bytes, age: int) -> None:
        revision = self.model.get(key, (b"", 1))[1] - age
        self.apply(Txn((Put(key, value),), (At(key, revision),)))

    @rule()
    def reopen(self) -> None:
        self.run(self.store.close())
        self.store = self.run(open_store(Path(self.directory.name)))

    @rule(back=st.integers(0, 5), prefix=st.sampled_from(["/", "/a/", "/b/1"]))
    def list_the_past(self, back: int, prefix: str) -> None:
        revision = max(0, self.store.revision - back)
        page = self.store.list(prefix, at=revision)
        found = {e.key: (e.value, e.revision) for e in page.entries}
        assert found == {k: v for k, v in self.history[revision].items() if k.startswith(prefix)}

    @rule(back=st.integers(0, 5))
    def replay_the_past(self, back: int) -> None:
        revision = max(0, self.store.revision - back)
        state = dict(self.history[revision])
        for event in self.run(self.store.watch("/", revision).next(timeout=0)):
            if event.deleted:
                del state[event.key]
            else:
                state[event.key] = (event.value, event.revision)
        assert state == self.model

    @invariant()
    def equals_the_model(self) -> None:
        page = self.store.list("/")
        assert {e.key: (e.value, e.revision) for e in page.entries} == self.model
        assert [e.key for e in page.entries] == sorted(self.model)
        assert self.store.revision == len(self.history) - 1

    def teardown(self) -> None:
        self.run(self.store.close())
        self.loop.close()
        self.directory.cleanup()


StoreMachine.TestCase.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
TestStoreAgainstADict = StoreMachine.TestCase
