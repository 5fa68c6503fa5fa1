"""Kubernetes' own controllers, each against a small server."""

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from kube_server import serving, until

from cn2.api.kinds import (
    CONFIG_MAP,
    ENDPOINT_SLICE,
    ENDPOINTS,
    EVENT,
    LEASE,
    NAMESPACE,
    NODE,
    POD,
    SECRET,
    SERVICE,
    SERVICE_ACCOUNT,
)
from cn2.client.events import Events
from cn2.client.informer import Informers
from cn2.client.loop import Loop
from cn2.localkube.accounts import ServiceAccounts
from cn2.localkube.endpoints import ServiceEndpoints
from cn2.localkube.expiry import EventExpiry, seconds_left
from cn2.localkube.namespaces import NamespaceDeletion
from cn2.localkube.node_life import NodeLife
from cn2.localkube.pod_garbage import PodGarbage
from cn2.localkube.scheduler import Scheduler

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Seconds:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@asynccontextmanager
async def running(client, make):
    """Runs the controller that make(informers) gives, and its events."""
    loop = Loop(Informers(client))
    part = make(loop.informers)
    loop.add(part.controller)
    task = asyncio.create_task(loop.run())
    try:
        yield loop, part
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def node(name="minikube", ready="True"):
    conditions = [{"type": "Ready", "status": ready}]
    return {"metadata": {"name": name}, "spec": {}, "status": {"conditions": conditions}}


def pod(name="vn1-pod", **spec):
    return {"metadata": {"name": name, "namespace": "default"}, "spec": spec, "status": {}}


def condition(obj, kind):
    for entry in obj["status"].get("conditions", []):
        if entry["type"] == kind:
            return entry
    return None


def scheduled(kube, name="vn1-pod"):
    return kube.get(POD, name, "default")["spec"].get("nodeName")


# -- scheduler -----------------------------------------------------------------------------------


async def test_a_pod_is_bound_and_an_event_says_where():
    async with serving() as (kube, client):
        kube.put(NODE, node())
        events = Events(client, "default-scheduler")
        async with running(client, lambda informers: Scheduler(client, informers, events)):
            kube.put(POD, pod())
            await until(lambda: condition(kube.get(POD, "vn1-pod", "default"), "PodScheduled"))
        await events.flush()

        assert scheduled(kube) == "minikube"
        (event,) = kube.all(EVENT)
        assert event["message"] == "Successfully assigned default/vn1-pod to minikube"
        assert event["source"]["component"] == "default-scheduler"


async def test_a_pod_that_fits_nowhere_is_told_once_and_bound_when_a_node_comes():
    async with serving() as (kube, client):
        events = Events(client, "default-scheduler")
        kube.put(POD, pod())
        kube.put(NODE, node(ready="False"))
        async with running(client, lambda informers: Scheduler(client, informers, events)):
            await until(lambda: condition(kube.get(POD, "vn1-pod", "default"), "PodScheduled"))
            refused = condition(kube.get(POD, "vn1-pod", "default"), "PodScheduled")
            kube.put(POD, kube.get(POD, "vn1-pod", "default") | {"metadata": labelled(kube)})
            kube.put(NODE, node())
            await until(lambda: scheduled(kube))
        await events.flush()

        assert refused["reason"] == "Unschedulable"
        reasons = [event["reason"] for event in kube.all(EVENT)]
        assert reasons == ["FailedScheduling", "Scheduled"]


def labelled(kube):
    return kube.get(POD, "vn1-pod", "default")["metadata"] | {"labels": {"x": "y"}}


async def test_pods_of_one_moment_are_spread():
    async with serving() as (kube, client):
        kube.put(NODE, node("a"))
        kube.put(NODE, node("b"))
        for number in range(4):
            kube.put(POD, pod(f"p{number}"))
        events = Events(client, "default-scheduler")
        async with running(client, lambda informers: Scheduler(client, informers, events)):
            await until(lambda: all(scheduled(kube, f"p{number}") for number in range(4)))

        assert sorted(scheduled(kube, f"p{number}") for number in range(4)) == list("aabb")


async def test_pods_of_another_scheduler_and_gated_ones_are_left_alone():
    async with serving() as (kube, client):
        kube.put(NODE, node())
        kube.put(POD, pod("theirs", schedulerName="other"))
        kube.put(POD, pod("gated", schedulingGates=[{"name": "g"}]))
        events = Events(client, "default-scheduler")
        async with running(client, lambda informers: Scheduler(client, informers, events)) as (
            loop,
            _,
        ):
            await until(loop.idle)

        assert kube.writes() == []


# -- namespaces ----------------------------------------------------------------------------------


def terminating(name="ns"):
    return {
        "metadata": {"name": name, "deletionTimestamp": "2026-01-01T00:00:00Z"},
        "spec": {"finalizers": ["kubernetes"]},
        "status": {"phase": "Terminating"},
    }


def in_namespace(name, namespace="ns", **metadata):
    return {"metadata": {"name": name, "namespace": namespace, **metadata}}


async def test_a_terminating_namespace_is_emptied_and_then_goes():
    async with serving() as (kube, client):
        kube.put(CONFIG_MAP, in_namespace("a"))
        kube.put(CONFIG_MAP, in_namespace("b", "other"))
        kube.put(SECRET, in_namespace("s", finalizers=["hold"]))
        kube.put(NAMESPACE, terminating())
        kinds = (CONFIG_MAP, SECRET, NAMESPACE)
        async with running(client, lambda informers: NamespaceDeletion(client, informers, kinds)):
            await until(
                lambda: (
                    condition(kube.get(NAMESPACE, "ns"), "NamespaceContentRemaining")
                    and kube.get(CONFIG_MAP, "a", "ns") is None
                )
            )
            said = condition(kube.get(NAMESPACE, "ns"), "NamespaceContentRemaining")
            await client.patch(SECRET, "s", {"metadata": {"finalizers": None}}, "ns")
            await until(lambda: kube.get(NAMESPACE, "ns") is None)

        assert "resource instances" in said["message"]
        assert kube.get(CONFIG_MAP, "b", "other") is not None


async def test_a_namespace_that_lives_keeps_what_is_in_it():
    async with serving() as (kube, client):
        kube.put(CONFIG_MAP, in_namespace("a"))
        kube.put(NAMESPACE, {"metadata": {"name": "ns"}, "spec": {"finalizers": ["kubernetes"]}})
        async with running(
            client, lambda informers: NamespaceDeletion(client, informers, (CONFIG_MAP,))
        ) as (loop, _):
            await until(loop.idle)

        assert kube.writes() == []


# -- service accounts ----------------------------------------------------------------------------


async def test_every_namespace_gets_its_account_and_the_ca_and_gets_them_back():
    async with serving() as (kube, client):
        kube.put(NAMESPACE, {"metadata": {"name": "ns"}})
        async with running(client, lambda informers: ServiceAccounts(client, informers, "PEM")):
            await until(lambda: kube.get(CONFIG_MAP, "kube-root-ca.crt", "ns"))
            kube.remove(SERVICE_ACCOUNT, "default", "ns")
            await until(lambda: kube.get(SERVICE_ACCOUNT, "default", "ns"))
            changed = kube.get(CONFIG_MAP, "kube-root-ca.crt", "ns") | {"data": {"ca.crt": "x"}}
            kube.put(CONFIG_MAP, changed)
            await until(
                lambda: kube.get(CONFIG_MAP, "kube-root-ca.crt", "ns")["data"] == {"ca.crt": "PEM"}
            )


async def test_a_terminating_namespace_is_given_nothing():
    async with serving() as (kube, client):
        kube.put(NAMESPACE, terminating())
        async with running(client, lambda informers: ServiceAccounts(client, informers, "PEM")) as (
            loop,
            _,
        ):
            await until(loop.idle)

        assert kube.writes() == []


# -- endpoints -----------------------------------------------------------------------------------


def web_service(**spec):
    return {
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}], **spec},
    }


def web_pod(ready):
    made = pod("w", nodeName="minikube")
    made["metadata"]["labels"] = {"app": "web"}
    made["status"] = {
        "podIP": "10.244.0.2",
        "conditions": [{"type": "Ready", "status": "True" if ready else "False"}],
    }
    return made


def ready_endpoints(kube):
    return [
        entry["addresses"][0]
        for one in kube.all(ENDPOINT_SLICE)
        for entry in one["endpoints"]
        if entry["conditions"]["ready"]
    ]


async def test_endpoints_follow_readiness_and_go_with_their_service():
    async with serving() as (kube, client):
        kube.put(SERVICE, web_service())
        async with running(client, lambda informers: ServiceEndpoints(client, informers)):
            kube.put(POD, web_pod(ready=False))
            await until(lambda: kube.all(ENDPOINT_SLICE))
            kube.put(POD, web_pod(ready=True))
            await until(lambda: ready_endpoints(kube) == ["10.244.0.2"])
            (one,) = kube.all(ENDPOINTS)
            await until(lambda: "addresses" in kube.all(ENDPOINTS)[0]["subsets"][0])
            kube.remove(SERVICE, "web", "default")
            await until(lambda: not kube.all(ENDPOINTS))

        assert one["metadata"]["name"] == "web"


async def test_a_second_pass_over_endpoints_writes_nothing():
    async with serving() as (kube, client):
        kube.put(SERVICE, web_service())
        kube.put(POD, web_pod(ready=True))
        async with running(client, lambda informers: ServiceEndpoints(client, informers)) as (
            loop,
            _,
        ):
            await until(lambda: loop.idle() and ready_endpoints(kube) and kube.all(ENDPOINTS))
        kube.requests.clear()
        async with running(client, lambda informers: ServiceEndpoints(client, informers)) as (
            loop,
            _,
        ):
            await until(loop.idle)

        assert kube.writes() == []


async def test_endpoints_written_by_hand_are_left_alone():
    async with serving() as (kube, client):
        kube.put(ENDPOINTS, {"metadata": {"name": "mine", "namespace": "default"}})
        kube.put(SERVICE, web_service(selector=None))
        async with running(client, lambda informers: ServiceEndpoints(client, informers)) as (
            loop,
            _,
        ):
            await until(loop.idle)

        assert kube.writes() == []


# -- events --------------------------------------------------------------------------------------


def event(name, last):
    made = {"metadata": {"name": name, "namespace": "default"}}
    return made | ({"lastTimestamp": last.isoformat()} if last else {})


async def test_old_events_expire_and_young_ones_stay():
    async with serving() as (kube, client):
        kube.put(EVENT, event("old", NOW - timedelta(hours=2)))
        kube.put(EVENT, event("young", NOW - timedelta(minutes=1)))
        async with running(
            client, lambda informers: EventExpiry(client, informers, clock=lambda: NOW)
        ) as (_, part):
            await until(lambda: kube.get(EVENT, "old", "default") is None)
            await until(lambda: part.controller.queue.delayed() == 1)

        assert kube.get(EVENT, "young", "default") is not None


def test_the_latest_time_of_an_event_counts():
    made = event("e", NOW - timedelta(hours=2))
    made["series"] = {"lastObservedTime": (NOW - timedelta(seconds=10)).isoformat()}

    assert seconds_left(made, NOW, 3600.0) == 3590.0
    assert seconds_left(event("e", None), NOW, 3600.0) == 3600.0


# -- nodes ---------------------------------------------------------------------------------------


def lease(renewed):
    return {
        "metadata": {"name": "minikube", "namespace": "kube-node-lease"},
        "spec": {"renewTime": renewed},
    }


async def test_a_silent_node_becomes_unknown_is_tainted_and_comes_back():
    async with serving() as (kube, client):
        tick = Seconds()
        kube.put(NODE, node())
        kube.put(LEASE, lease("2026-01-01T00:00:00.000000Z"))
        kube.put(POD, web_pod(ready=True))
        events = Events(client, "node-controller")
        async with running(
            client, lambda informers: NodeLife(client, informers, events, tick=tick)
        ) as (loop, part):
            await until(lambda: loop.idle() and part.controller.queue.delayed())
            tick.now = 39.0
            part.controller.queue.add(("", "minikube"))
            await until(loop.idle)
            assert condition(kube.get(NODE, "minikube"), "Ready")["status"] == "True"

            tick.now = 40.0
            part.controller.queue.add(("", "minikube"))
            await until(lambda: kube.get(NODE, "minikube")["spec"].get("taints"))
            gone = kube.get(NODE, "minikube")
            await until(
                lambda: condition(kube.get(POD, "w", "default"), "Ready")["status"] == "False"
            )
            kube.put(LEASE, lease("2026-01-01T00:01:00.000000Z"))
            kube.put(NODE, gone | node())
            await until(lambda: not kube.get(NODE, "minikube")["spec"].get("taints"))

        assert condition(gone, "Ready")["status"] == "Unknown"
        assert condition(gone, "Ready")["reason"] == "NodeStatusUnknown"
        taint = {"key": "node.kubernetes.io/unreachable", "effect": "NoSchedule"}
        assert gone["spec"]["taints"] == [taint]


# -- pods of missing nodes -----------------------------------------------------------------------


async def test_pods_of_a_node_that_stays_away_are_deleted_at_last():
    async with serving() as (kube, client):
        tick = Seconds()
        kube.put(POD, pod("lost", nodeName="gone"))
        async with running(client, lambda informers: PodGarbage(client, informers, tick=tick)) as (
            loop,
            part,
        ):
            await until(lambda: loop.idle() and part.controller.queue.delayed())
            assert kube.get(POD, "lost", "default") is not None

            tick.now = 40.0
            part.controller.queue.add(("default", "lost"))
            await until(lambda: kube.get(POD, "lost", "default") is None)


async def test_a_node_that_registers_in_time_keeps_its_pods():
    async with serving() as (kube, client):
        tick = Seconds()
        kube.put(POD, pod("early", nodeName="minikube"))
        async with running(client, lambda informers: PodGarbage(client, informers, tick=tick)) as (
            loop,
            part,
        ):
            await until(lambda: loop.idle() and part.controller.queue.delayed())
            kube.put(NODE, node())
            await until(lambda: not part.controller.queue.delayed())
            tick.now = 100.0
            part.controller.queue.add(("default", "early"))
            await until(loop.idle)

        assert kube.get(POD, "early", "default") is not None
