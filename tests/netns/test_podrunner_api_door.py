"""A pod's way to the API server, with a real server outside the pod's network namespace."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from pod_lab import PodLab, a_pod, deleted, pod_lab, until

pytestmark = pytest.mark.root

ASK = "(exec 3<>/dev/tcp/127.0.0.1/6443 && echo may I >&3 && read -r line <&3 && echo $line)"


async def _shout(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write((await reader.readline()).upper())
    await reader.read()
    writer.close()


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[PodLab]:
    server = await asyncio.start_server(_shout, "127.0.0.1", 0)
    directory = tmp_path / "lab"
    directory.mkdir()
    async with server, pod_lab(directory) as made:
        made.node = replace(made.node, api=server.sockets[0].getsockname())
        yield made


def _answers(lab: PodLab) -> int:
    path = lab.place("uid-1").log("c0", 0)
    return path.read_text().count("MAY I") if path.exists() else 0


async def test_a_pod_reaches_the_api_also_through_the_next_pod_runner(lab: PodLab) -> None:
    pod = a_pod("uid-1", f"while true; do {ASK}; sleep 0.05; done")
    lab.start(pod)
    await until(lambda: _answers(lab))
    await lab.leave("uid-1")
    before = _answers(lab)
    worker = lab.start(pod)
    await until(lambda: _answers(lab) > before)
    worker.update(deleted(pod, grace=0))
    await lab.finished("uid-1")


async def test_a_pod_may_take_the_port_for_itself(lab: PodLab) -> None:
    """When it was there first: a pod of a release that had no such way."""
    listen = "import socket; s = socket.create_server(('', 6443)); print('mine', flush=True)"
    pod = a_pod("uid-1", f'exec python3 -c "{listen}; s.accept()"')
    lab.node = replace(lab.node, api=None)
    lab.start(pod)
    log = lab.place("uid-1").log("c0", 0)
    await until(lambda: log.exists() and "mine" in log.read_text())
    await lab.leave("uid-1")
    lab.node = replace(lab.node, api=("127.0.0.1", 1))
    lab.api.status.clear()
    worker = lab.start(pod)
    await until(lambda: lab.api.status.get("phase") == "Running")
    worker.update(deleted(pod, grace=0))
    await lab.finished("uid-1")
