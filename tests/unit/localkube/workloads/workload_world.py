"""A living cluster with the workload controllers, and a kubelet that does what a test says."""

import asyncio
from contextlib import asynccontextmanager

from living_cluster import living_cluster, until

from cn2.api.kinds import EVENT, NODE, POD
from cn2.client.errors import Conflict, NotFound
from cn2.client.http import Client
from cn2.client.informer import Informers
from cn2.client.loop import Loop
from cn2.localkube.garbage import GarbageCollector
from cn2.localkube.scheduler import Scheduler
from cn2.localkube.workloads.times import utc_now
from cn2.localkube.workloads.wiring import Workloads

NAMESPACE = "default"


def template(image="v1", labels=None, **spec):
    return {
        "metadata": {"labels": labels or {"app": "web"}},
        "spec": {"containers": [{"name": "c", "image": image}], **spec},
    }


def workload(name="web", image="v1", template_spec=None, **spec):
    return {
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {
            "selector": {"matchLabels": {"app": "web"}},
            "template": template(image, **(template_spec or {})),
            **spec,
        },
    }


def images(pods):
    return sorted(pod["spec"]["containers"][0]["image"] for pod in pods)


def condition(obj, type_):
    conditions = (obj.get("status") or {}).get("conditions", [])
    found = [entry for entry in conditions if entry["type"] == type_]
    return found[0] if found else None


class World:
    """The cluster, its controllers, and one node whose kubelet runs what `runs` says."""

    def __init__(self, cluster, loop, workloads, client):
        self.cluster = cluster
        self.client = client
        """The controllers' own."""
        self.admin = cluster.admin
        self.loop = loop
        self.workloads = workloads
        self.runs = lambda pod: running()
        """The status that the kubelet gives a pod; None leaves it as it is."""

    async def get(self, kind, name="web"):
        return await self.cluster.get(kind, name, NAMESPACE)

    async def all(self, kind):
        return (await self.admin.list(kind, NAMESPACE)).items

    async def pods(self):
        return [p for p in await self.all(POD) if not p["metadata"].get("deletionTimestamp")]

    async def apply(self, kind, obj):
        return await self.cluster.apply(kind, obj)

    async def patch(self, kind, change, name="web"):
        return await self.admin.patch(kind, name, change, NAMESPACE)

    async def until(self, kind, test, name="web"):
        """The object once it satisfies `test`."""

        async def look():
            obj = await self.get(kind, name)
            return obj if obj is not None and test(obj) else None

        return await until(look)

    async def until_pods(self, test):
        async def look():
            pods = await self.pods()
            return (pods or [None]) if test(pods) else None

        return await until(look)

    async def idle(self):
        async def look():
            return self.loop.idle()

        await until(look)

    async def events(self, reason, count=1):
        """The messages of the events with this reason, once there are so many."""

        async def look():
            told = [e["message"] for e in await self.all(EVENT) if e["reason"] == reason]
            return told if len(told) >= count else None

        return await until(look)

    async def kubelet(self):
        while True:
            for pod in (await self.admin.list(POD)).items:
                try:
                    await self._serve(pod)
                except (NotFound, Conflict):
                    continue
            await asyncio.sleep(0.01)

    async def _serve(self, pod):
        name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
        if not pod["spec"].get("nodeName"):
            return
        if pod["metadata"].get("deletionTimestamp"):
            uid = pod["metadata"]["uid"]
            await self.admin.delete(POD, name, namespace, grace=0, uid=uid)
            return
        status = self.runs(pod)
        have = pod["status"]
        if status is None or have.get("phase") in ("Succeeded", "Failed"):
            return
        same = all(have.get(key) == value for key, value in status.items() if key != "conditions")
        if same and is_ready(pod) == is_ready({"status": status}):
            return
        await self.admin.patch(POD, name, {"status": status}, namespace, subresource="status")


def is_ready(pod):
    return (condition(pod, "Ready") or {}).get("status") == "True"


def running(ready=True, since="2026-01-01T00:00:00Z"):
    ready_condition = {
        "type": "Ready",
        "status": "True" if ready else "False",
        "lastTransitionTime": since,
    }
    return {"phase": "Running", "conditions": [ready_condition]}


def ended(code=0):
    state = {"name": "c", "state": {"terminated": {"exitCode": code}}}
    return {"phase": "Failed" if code else "Succeeded", "containerStatuses": [state]}


@asynccontextmanager
async def world(directory, clock=utc_now):
    async with living_cluster(directory) as cluster, at_work(cluster, clock) as made:
        status = {"conditions": [{"type": "Ready", "status": "True"}]}
        await cluster.apply(NODE, {"metadata": {"name": "node"}, "status": status})
        yield made


@asynccontextmanager
async def at_work(cluster, clock=utc_now):
    """The controllers of one process on a cluster, until the context ends."""
    client = Client.from_kubeconfig(cluster.kubeconfig, manager="kube-controller-manager")
    loop = Loop(Informers(client))
    workloads = Workloads(client, loop.informers, clock=clock)
    for controller in workloads.controllers:
        loop.add(controller)
    loop.add(Scheduler(client, loop.informers, workloads.events[0]).controller)
    owned = [informer.kind for informer in loop.informers if informer.kind is not NODE]
    loop.add(GarbageCollector(client, loop.informers, owned).controller)
    made = World(cluster, loop, workloads, client)
    works = [loop.run(), made.kubelet(), *(events.run() for events in workloads.events)]
    tasks = [asyncio.create_task(work) for work in works]

    async def started():
        assert not any(task.done() for task in tasks), [task for task in tasks if task.done()]
        return loop.started

    try:
        await until(started)
        yield made
    finally:
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        await client.close()
        for result in results:
            if isinstance(result, Exception):
                raise result
