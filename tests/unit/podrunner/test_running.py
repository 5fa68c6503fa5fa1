"""What is known of a pod's processes, with a process 1 that a test plays."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest

from cn2.client.events import Events
from cn2.drivers.cgroups import Cgroups
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
