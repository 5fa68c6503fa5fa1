"""The pods of a node, each with a worker."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, ClassVar, cast

import pytest
from living_cluster import living_cluster

from cn2.api.kinds import POD
from cn2.client import Client
from cn2.podrunner import runner
from cn2.podrunner.runner import PodRunner
from cn2.podrunner.services import Node


class Worker:
    """Fails the first time, then says that it works."""

    works: ClassVar[asyncio.Event]

    def __init__(self, *_: Any) -> None:
        self.failed = False

    def update(self, pod: object) -> None:
        pass

    async def run(self) -> None:
        if not self.failed:
            self.failed = True
            raise OSError(28, "No space left on device")
        Worker.works.set()
        await asyncio.Event().wait()


async def test_a_worker_that_failed_begins_anew_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "PodWorker", Worker)
    monkeypatch.setattr(runner, "_FIRST_AGAIN", 0.0)
    Worker.works = asyncio.Event()
    pod = {
        "metadata": {"name": "p", "namespace": "default"},
        "spec": {"nodeName": "n", "containers": [{"name": "c", "image": "i"}]},
    }
    async with living_cluster(tmp_path) as cluster:
        client = Client.from_kubeconfig(cluster.kubeconfig)
        await client.create(POD, pod)
        node = cast(Node, Place(client, tmp_path))
        task = asyncio.create_task(PodRunner(node).run())
        try:
            async with asyncio.timeout(30):
                await Worker.works.wait()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


class Place:
    """As much of a node as the runner itself looks at."""

    name = "n"

    def __init__(self, client: Client, data_dir: Path) -> None:
        self.client = client
        self.data_dir = data_dir
