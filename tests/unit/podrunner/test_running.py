"""What is known of a pod's processes, with a process 1 that a test plays."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from cn2.client.events import Events
from cn2.drivers.cgroups import Cgroups
from cn2.drivers.processes import boot_id, start_time
from cn2.podrunner import running
from cn2.podrunner.place import PodPlace
from cn2.podrunner.record import SandboxRecord
from cn2.podrunner.runs import Run, Sandbox


async def test_a_run_that_cannot_be_noted_does_not_end_the_watch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[None] = []
    dead = asyncio.Event()

    async def watch(
        _directory: Path, changed: Callable[[str, Run], None], synced: asyncio.Event
    ) -> None:
        tries.append(None)
        if len(tries) == 1:
            raise OSError(28, "No space left on device")
        changed("c0", Run(0, "2026-01-01T00:00:00Z"))
        synced.set()
        await dead.wait()

    monkeypatch.setattr(running, "watch", watch)
    monkeypatch.setattr(running, "_AGAIN", 0)
    record = SandboxRecord(
        uid="u", node="n", namespace="d", name="p", started="", sandbox="s", ready=True
    )
    told = asyncio.Event()
    pod = running.Running(
        Cgroups(()), cast(Events, None), PodPlace(tmp_path, "u"), record, told.set
    )
    await pod.begin_watching()
    assert pod.seen(stopping_since=None, retry_at=0).running() == ["c0"]
    assert pod.seen(stopping_since=None, retry_at=0).sandbox is Sandbox.READY
    told.clear()
    dead.set()
    await told.wait()
    assert pod.seen(stopping_since=None, retry_at=0).sandbox is Sandbox.LOST


async def test_a_process_1_that_lives_and_does_not_answer_is_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that has no room for a connection is not a lost sandbox."""
    place = PodPlace(tmp_path, "u")
    place.directory.mkdir(parents=True)
    record = SandboxRecord(
        uid="u", node="n", namespace="d", name="p", started="", sandbox="s", ready=True
    )
    monkeypatch.setattr(running, "_AGAIN", 0.001)
    tries = {"ask": 0, "watch": 0}
    often = asyncio.Event()

    def counted(name: str) -> Callable[..., Any]:
        real = getattr(running, name)  # nobody listens on the socket

        async def call(*arguments: Any) -> Any:
            tries[name] += 1
            if min(tries.values()) > 2:
                often.set()
            return await real(*arguments)

        return call

    for name in tries:
        monkeypatch.setattr(running, name, counted(name))
    told = asyncio.Event()
    pod = running.Running(Cgroups(()), cast(Events, None), place, record, told.set)
    pod.runs = {"c0": (Run(0, "2026-01-01T00:00:00Z"),)}
    process = await asyncio.create_subprocess_exec("sleep", "infinity")
    try:
        place.identity.write_text(f"{process.pid} {start_time(process.pid)} {boot_id()}\n")
        watching = asyncio.create_task(pod.begin_watching())
        signalling = asyncio.create_task(pod.signal("c0", 15))
        await often.wait()
        assert pod.seen(stopping_since=None, retry_at=0).sandbox is Sandbox.READY
    finally:
        process.kill()
        await process.wait()
    await signalling
    await watching
    await told.wait()
    assert pod.seen(stopping_since=None, retry_at=0).sandbox is Sandbox.LOST
