"""One supervised process, whose lives a test begins and ends."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import pytest

from cn2.supervisor import process as module
from cn2.supervisor.layout import Layout
from cn2.supervisor.process import Command, Process
from cn2.supervisor.spawner import Child, Order, Spawner, SpawnError

FIRST, SECOND, THIRD = (Command("p", (word,)) for word in ("first", "second", "third"))


class Nursery:
    """Stands for the template: children end when they are asked to, and not before."""

    def __init__(self) -> None:
        self.started: list[tuple[str, ...]] = []
        self.signals: list[signal.Signals] = []
        self.open = asyncio.Event()
        self.open.set()
        self.problems: list[Exception] = []
        self._children: dict[int, Child] = {}

    async def spawn(self, order: Order, _log: int, _netns: int | None = None) -> Child:
        await self.open.wait()
        if self.problems:
            raise self.problems.pop()
        self.started.append(tuple(order.arguments))
        child = Child(1_000_000 + len(self.started))
        self._children[child.pid] = child
        return child

    def alive(self) -> int:
        return sum(not child.ended.done() for child in self._children.values())

    def signal(self, pid: int, number: signal.Signals) -> None:
        self.signals.append(number)
        ended = self._children[pid].ended
        if not ended.done():
            ended.set_result(-number)


@asynccontextmanager
async def kept(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Process, Nursery]]:
    layout, nursery = Layout(directory), Nursery()
    layout.make()
    monkeypatch.setattr(module, "_signal", nursery.signal)
    monkeypatch.setattr(module, "_FIRST_DELAY", 0.0)
    process = Process(FIRST, layout, cast(Spawner, nursery), lambda: None, _delay=0.0)
    try:
        yield process, nursery
    finally:
        await process.stop()


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0)


async def test_commands_that_follow_each_other_closely_never_run_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with kept(tmp_path, monkeypatch) as (process, nursery):
        process.start()
        await until(lambda: nursery.alive() == 1)
        process.replace(SECOND)
        process.replace(THIRD)
        await until(lambda: nursery.started[-1] == ("third",))
        assert nursery.alive() == 1
        assert process.restarts == 1


async def test_a_stop_while_it_is_being_started_ends_it_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with kept(tmp_path, monkeypatch) as (process, nursery):
        nursery.open.clear()
        process.start()
        await asyncio.sleep(0)
        stopping = asyncio.create_task(process.stop())
        await asyncio.sleep(0)
        nursery.open.set()
        async with asyncio.timeout(5):
            await stopping
        assert nursery.signals == [signal.SIGTERM]
        assert nursery.alive() == 0


async def test_what_cannot_be_started_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with kept(tmp_path, monkeypatch) as (process, nursery):
        nursery.problems = [SpawnError("no template"), OSError(28, "No space left on device")]
        process.start()
        await until(lambda: nursery.alive() == 1)
