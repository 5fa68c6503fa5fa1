"""A place to run pods in without an API server: real sandboxes, a plugin that keeps a diary."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import cn2
from cn2.api.kind import Object
from cn2.client import Client
from cn2.client.events import Events
from cn2.drivers.cgroups import Cgroups
from cn2.podrunner import record
from cn2.podrunner.cni import Cni
from cn2.podrunner.host_view import host_view
from cn2.podrunner.place import PodPlace
from cn2.podrunner.sandbox import Sandboxes
from cn2.podrunner.services import Node
from cn2.podrunner.sources import Sources
from cn2.podrunner.worker import PodWorker

NATIVE = Path(cn2.__file__).parent / "native"

# A plugin in the form of the CNI specification: a link and an address, and a diary of its calls.
PLUGIN = """#!/bin/bash
diary={diary}
echo "$CNI_COMMAND $CNI_IFNAME $CNI_ARGS $CNI_CONTAINERID $CNI_NETNS" >> $diary/calls
cat > $diary/stdin
if [ -e $diary/fail ] && [ $CNI_COMMAND = ADD ]; then
  echo '{{"cniVersion":"1.0.0","code":11,"msg":"network vn1 is missing","details":"tried"}}'
  exit 1
fi
[ $CNI_COMMAND = ADD ] || exit 0
n="nsenter --net=$CNI_NETNS ip"
$n link add eth0 type veth peer name peer0
$n addr add 10.9.0.5/16 dev eth0; $n link set eth0 up; $n link set peer0 up
echo '{{"cniVersion":"1.0.0","interfaces":[{{"name":"eth0"}}],"ips":[{{"address":"10.9.0.5/16"}}]}}'
"""


class Api:
    """The few calls that a worker makes, answered from memory."""

    def __init__(self) -> None:
        self.status: Object = {}
        self.patches: list[Object] = []
        self.deleted: list[Object] = []
        self.events: list[tuple[str, str, str]] = []

    async def patch(self, _kind: Any, _name: str, change: Object, *_: Any, **__: Any) -> Object:
        if "status" in change:
            self.patches.append(change)
            self.status.update(_merged(change["status"]))
        return {}

    async def create(self, _kind: Any, obj: Object, **_: Any) -> Object:
        self.events.append((obj["type"], obj["reason"], obj["message"]))
        return obj

    async def post(self, path: str, body: Object) -> Object:
        token = f"token of {path.split('/')[-2]} for {body['spec']['boundObjectRef']['name']}"
        return {"status": {"token": token, "expirationTimestamp": "2099-01-01T00:00:00Z"}}

    async def delete(self, _kind: Any, name: str, namespace: str, **options: Any) -> Object:
        self.deleted.append({"name": name, "namespace": namespace, **options})
        return {}


def _merged(value: Any) -> Any:
    """A strategic merge patch without its directives and nulls."""
    if isinstance(value, dict):
        items = ((key, item) for key, item in value.items() if item is not None)
        return {key: _merged(item) for key, item in items if not key.startswith("$")}
    if isinstance(value, list):
        return [_merged(item) for item in value if item != {"$patch": "replace"}]
    return value


class Objects(Sources):
    """ConfigMaps and Secrets that the test makes."""

    def __init__(self) -> None:
        self._objects: dict[tuple[str, str], Object] = {}
        self._users: dict[str, Callable[[], None]] = {}

    async def use(self, uid: str, keys: Any, changed: Callable[[], None]) -> None:
        self._users[uid] = changed

    def get(self, kind: str, namespace: str, name: str) -> Object | None:
        return self._objects.get((kind, name))

    def release(self, uid: str, keep: Any = ()) -> None:
        self._users.pop(uid, None)

    def put(self, kind: str, name: str, **obj: Any) -> None:
        self._objects[kind, name] = obj
        for changed in list(self._users.values()):
            changed()

    def drop(self, kind: str, name: str) -> None:
        del self._objects[kind, name]
        for changed in list(self._users.values()):
            changed()


class PodLab:
    """One node's means to run pods, below a temporary directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.api = Api()
        self.objects = Objects()
        self.services: list[Object] = []
        self.bin = directory / "bin"
        self.conf = directory / "net.d"
        self.diary = directory / "diary"
        for path in (self.bin, self.conf, self.diary):
            path.mkdir()
        plugin = self.bin / "diary"
        plugin.write_text(PLUGIN.format(diary=self.diary))
        plugin.chmod(0o755)
        (self.conf / "10-net.conf").write_text(
            '{"cniVersion":"1.0.0","name":"pods","type":"diary"}'
        )
        client = cast(Client, self.api)
        self.node = Node(
            name="n1",
            address="192.0.2.1",
            data_dir=directory / "data",
            client=client,
            events=Events(client, "kubelet"),
            sandboxes=Sandboxes(NATIVE / "cn2-init"),
            cni=Cni(self.bin, self.conf),
            cgroups=Cgroups.found(),
            host=host_view(directory),
            sources=self.objects,
            services=lambda: self.services,
            capacity={"cpu": "2", "memory": "4Gi"},
        )
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def place(self, uid: str) -> PodPlace:
        return PodPlace(self.node.data_dir, uid)

    def start(self, pod: Object) -> PodWorker:
        """A worker for the pod, as the runner makes one."""
        uid = pod["metadata"]["uid"]
        worker = PodWorker(self.node, uid, pod, record.read(self.place(uid)))
        self._tasks[uid] = asyncio.create_task(worker.run())
        return worker

    async def leave(self, uid: str) -> None:
        """The worker ends as when the pod runner stops; the pod stays."""
        self._tasks[uid].cancel()
        await asyncio.gather(self._tasks[uid], return_exceptions=True)

    async def finished(self, uid: str) -> None:
        async with asyncio.timeout(15):
            await self._tasks[uid]

    def init(self, uid: str) -> int:
        """Process 1 of the pod, as the host numbers it."""
        return int(self.place(uid).identity.read_text().split()[0])

    def volume(self, uid: str, name: str) -> Path:
        """A volume of the pod, as the host sees it."""
        return Path(f"/proc/{self.init(uid)}/root/volumes/{name}")

    def has_process(self, uid: str, word: bytes) -> bool:
        """Whether some process of the pod has this among its arguments."""
        with contextlib.suppress(FileNotFoundError):
            for path in Path(f"/proc/{self.init(uid)}/root/proc").glob("[0-9]*/cmdline"):
                with contextlib.suppress(OSError):
                    if word in path.read_bytes():
                        return True
        return False

    def calls(self) -> list[str]:
        path = self.diary / "calls"
        return path.read_text().splitlines() if path.exists() else []

    async def end(self) -> None:
        """Kills whatever is left, so that a failing test leaves nothing behind."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        pods = self.node.data_dir / "pods"
        for directory in list(pods.iterdir()) if pods.is_dir() else []:
            place = self.place(directory.name)
            await self.node.sandboxes.kill(place)
            self.node.sandboxes.clean(place)
            self.node.cgroups.remove_pod(place.uid)
        shutil.rmtree(self.directory, ignore_errors=True)


@asynccontextmanager
async def pod_lab(directory: Path) -> AsyncIterator[PodLab]:
    lab = PodLab(directory)
    events = asyncio.create_task(lab.node.events.run())
    try:
        yield lab
    finally:
        events.cancel()
        await lab.end()


def a_pod(uid: str = "uid-1", *commands: str, **spec: Any) -> Object:
    """A pod whose containers c0, c1... run these shell commands."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "vn1-pod", "namespace": "default", "uid": uid},
        "spec": {
            "nodeName": "n1",
            "containers": [
                {"name": f"c{i}", "image": "toolbox", "command": ["bash", "-c", command]}
                for i, command in enumerate(commands)
            ],
            **spec,
        },
    }


def deleted(pod: Object, grace: int = 30) -> Object:
    mark = {"deletionTimestamp": "2026-01-01T00:00:00Z", "deletionGracePeriodSeconds": grace}
    return {**pod, "metadata": {**pod["metadata"], **mark}}


async def until(what: Callable[[], Any], seconds: float = 10.0) -> Any:
    """The first true value; looked for often, bounded generously."""
    async with asyncio.timeout(seconds):
        while not (found := what()):  # noqa: ASYNC110
            await asyncio.sleep(0.005)
    return found
