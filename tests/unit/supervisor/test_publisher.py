"""What the API is told of the processes."""

from __future__ import annotations

import asyncio
import datetime
from pathlib import Path
from typing import Any, cast

from cn2.api.kind import Kind, Object
from cn2.client import NotFound, ObjectList
from cn2.client.http import Client
from cn2.supervisor.mirror import Shown
from cn2.supervisor.planes import WORKLOADS
from cn2.supervisor.process import Command, Run
from cn2.supervisor.publisher import Publisher

LOCALKUBE = next(one for one in WORKLOADS if one.process == "localkube")


class Api:
    """Objects by kind and name, and the names of those that were deleted."""

    def __init__(self, *pods: Object) -> None:
        self.objects: dict[tuple[str, str], Object] = {
            ("Pod", pod["metadata"]["name"]): pod for pod in pods
        }
        self.deleted: list[str] = []
        self.written = asyncio.Event()

    async def list(self, kind: Kind, *_: Any, **__: Any) -> ObjectList:
        return ObjectList([o for (k, _), o in self.objects.items() if k == kind.kind], "1")

    async def get(self, kind: Kind, name: str, _namespace: str) -> Object:
        try:
            return self.objects[kind.kind, name]
        except KeyError:
            raise NotFound(404, "NotFound", name) from None

    async def create(self, kind: Kind, obj: Object) -> Object:
        name = obj["metadata"]["name"]
        made = {**obj, "metadata": {**obj["metadata"], "uid": f"uid of {name}"}}
        self.objects[kind.kind, name] = made
        return made

    async def delete(self, _kind: Kind, name: str, *_: Any, **__: Any) -> Object:
        self.deleted.append(name)
        return {}

    async def patch(self, *_: Any, **__: Any) -> Object:
        self.written.set()
        return {}


def shown() -> Shown:
    run = Run(7, datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC))
    command = Command("localkube", ("python",))
    log = str(Path("/d/log/localkube.log"))
    return Shown(LOCALKUBE, command, "n1", "192.0.2.1", log, "1", run, None, 0, True)


async def test_only_pods_that_show_a_process_are_replaced() -> None:
    """A pod that somebody gave the same label is left alone."""
    label = {"app": LOCALKUBE.name}
    old = {"kubernetes.io/config.mirror": "of an earlier command line", "cn2.io/mirror": "true"}
    api = Api(
        {"metadata": {"name": "somebodys", "labels": label}},
        {"metadata": {"name": "earlier", "labels": label, "annotations": old}},
    )
    publisher = Publisher(cast(Client, api), lambda: [shown()])
    publisher.wake()
    running = asyncio.create_task(publisher.run())
    await api.written.wait()
    running.cancel()
    assert api.deleted == ["earlier"]
    assert ("Pod", "cn2-localkube-n1") in api.objects
