"""Changes become keys, keys are reconciled, and one bad object stops nobody."""

import asyncio
from contextlib import asynccontextmanager

from kube_server import serving, until
from virtual_clock import VirtualClock

from cn2.api.kinds import CONFIG_MAP, EVENT, LEASE, SECRET
from cn2.client.health import Health
from cn2.client.loop import Controller
from cn2.controllers.runner import Manager


def named(name, **data):
    return {"metadata": {"name": name, "namespace": "ns"}, "data": data}


@asynccontextmanager
async def running(manager):
    task = asyncio.create_task(manager.run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_every_object_there_is_reconciled_once_all_informers_have_synced():
    async with serving() as (kube, client):
        for name in "abc":
            kube.put(CONFIG_MAP, named(name))
        kube.put(SECRET, named("s"))
        manager = Manager(client, "test")
        secrets = manager.informers.of(SECRET)
        seen = []

        async def reconcile(key):
            seen.append((key[1], len(secrets.objects)))

        manager.add("maps", CONFIG_MAP, reconcile)
        async with running(manager):
            await until(lambda: len(seen) == 3)

        assert sorted(seen) == [("a", 1), ("b", 1), ("c", 1)]


async def test_an_object_of_another_kind_leads_to_the_keys_that_its_mapper_names():
    async with serving() as (kube, client):
        manager = Manager(client, "test")
        seen = []

        async def reconcile(key):
            seen.append(key)

        def maps_of(secret):
            return [("ns", name) for name in secret["data"].values()]

        manager.add("maps", CONFIG_MAP, reconcile, mappers=[(SECRET, maps_of)])
        async with running(manager):
            kube.put(SECRET, named("s", x="before"))
            await until(lambda: seen == [("ns", "before")])
            kube.put(SECRET, named("s", x="after"))
            await until(lambda: len(seen) == 3)

        assert sorted(seen) == [("ns", "after"), ("ns", "before"), ("ns", "before")]


async def test_a_poison_object_blocks_nobody_and_is_told_about():
    async with serving() as (kube, client):
        kube.put(CONFIG_MAP, named("bad"))
        kube.put(CONFIG_MAP, named("good"))
        manager = Manager(client, "test")
        good = []

        async def reconcile(key):
            if key[1] == "bad":
                raise ValueError("poison")
            good.append(key)

        manager.add("maps", CONFIG_MAP, reconcile, workers=1)
        async with running(manager):
            await until(lambda: kube.all(EVENT))
            kube.put(CONFIG_MAP, named("late"))
            await until(lambda: len(good) == 2)

        event = kube.all(EVENT)[0]
        assert event["involvedObject"]["name"] == "bad"
        assert (event["type"], event["message"]) == ("Warning", "ValueError: poison")


async def test_a_reconcile_that_hangs_is_ended_and_retried():
    calls = []

    async def reconcile(key):
        calls.append(key)
        await asyncio.Event().wait()

    controller = Controller("hang", reconcile, timeout=0.01, clock=VirtualClock())
    await controller.once(("", "a"))

    assert controller.queue.failures(("", "a")) == 1
    assert controller.queue.delayed() == 1


async def test_a_number_asks_to_be_called_again():
    clock = VirtualClock()

    async def reconcile(key):
        return 30.0

    controller = Controller("again", reconcile, clock=clock)
    await controller.once(("", "a"))
    clock.advance(29)
    assert len(controller.queue) == 0
    clock.advance(1)

    assert len(controller.queue) == 1


async def test_the_process_is_ready_when_its_informers_are():
    async with serving() as (_, client):
        health = Health()
        manager = Manager(client, "test", health=health)

        async def reconcile(key):
            return None

        manager.add("maps", CONFIG_MAP, reconcile)
        assert health.unready() == {"informers": "configmaps: not listed yet"}
        async with running(manager):
            await until(lambda: not health.unready())


async def test_of_two_replicas_one_works_and_the_other_takes_over_when_it_ends():
    async with serving() as (kube, client):
        kube.put(CONFIG_MAP, named("a"))
        seen = []

        def replica(name):
            async def reconcile(key):
                seen.append(name)

            manager = Manager(client, "election", election_namespace="ns")
            manager.add(name, CONFIG_MAP, reconcile)
            manager._leader._period = 0.01
            return manager

        async with running(replica("first")) as first:
            await until(lambda: seen == ["first"])
            asked = len(kube.requests)
            async with running(replica("second")):
                await until(lambda: len(kube.requests) > asked + 10)
                assert seen == ["first"]
                first.cancel()
                await until(lambda: seen == ["first", "second"])

        assert len(kube.all(LEASE)) == 1
