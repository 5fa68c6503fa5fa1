"""A local copy that stays true through everything a server does."""

import asyncio
from contextlib import asynccontextmanager

from kube_server import serving, status, until

from cn2.api.kinds import CONFIG_MAP
from cn2.client.informer import Informer, Informers


def config_map(name, **data):
    return {"metadata": {"name": name, "namespace": "ns"}, "data": data}


@asynccontextmanager
async def informing(**options):
    async with serving() as (kube, client):
        informer = Informer(client, CONFIG_MAP, **options)
        changes = []
        informer.on_change(lambda old, new: changes.append((name(old), name(new))))
        task = asyncio.create_task(informer.run())
        try:
            yield kube, client, informer, changes
        finally:
            task.cancel()


def name(obj):
    return obj and obj["metadata"]["name"]


async def test_list_then_watch():
    async with informing() as (kube, _, informer, changes):
        await informer.synced.wait()
        kube.put(CONFIG_MAP, config_map("a", x="1"))
        await until(lambda: informer.get("a", "ns"))
        kube.put(CONFIG_MAP, config_map("a", x="2"))
        await until(lambda: informer.get("a", "ns")["data"] == {"x": "2"})
        kube.remove(CONFIG_MAP, "a", "ns")
        await until(lambda: not informer.objects)

        assert changes == [(None, "a"), ("a", "a"), ("a", None)]


async def test_a_cut_watch_goes_on_where_it_was_without_a_second_list():
    async with informing() as (kube, _, informer, _):
        await informer.synced.wait()
        kube.put(CONFIG_MAP, config_map("a"))
        await until(lambda: informer.get("a", "ns"))
        kube.cut_watches()
        kube.put(CONFIG_MAP, config_map("b"))
        await until(lambda: informer.get("b", "ns"))

        lists = [path for method, path in kube.requests if path.endswith("configmaps")]
        assert len(lists) == 3  # one list, two watches


async def test_a_watch_that_is_taken_up_again_is_well_though_it_has_nothing_to_say():
    async with serving() as (kube, client):
        informer = Informer(client, CONFIG_MAP)
        task = asyncio.create_task(informer.run())
        await informer.synced.wait()
        informer.problem = "lost"
        kube.cut_watches()

        await until(lambda: informer.problem == "")
        task.cancel()


async def test_a_compacted_revision_leads_to_a_list_that_tells_the_difference():
    async with informing() as (kube, _, informer, changes):
        kube.put(CONFIG_MAP, config_map("gone"))
        kube.put(CONFIG_MAP, config_map("stays"))
        await until(lambda: len(informer.objects) == 2)
        changes.clear()
        kube.cut_watches()
        kube.remove(CONFIG_MAP, "gone", "ns")
        kube.put(CONFIG_MAP, config_map("new"))
        kube.compact()
        await until(lambda: informer.get("new", "ns"))

        assert sorted(changes, key=str) == sorted([("gone", None), (None, "new")], key=str)


async def test_a_kind_that_is_not_served_yet_is_waited_for():
    async with serving() as (kube, client):
        kube.failures = [status(404, "NotFound", "no such resource") for _ in range(2)]
        informer = Informer(client, CONFIG_MAP)
        task = asyncio.create_task(informer.run())
        await until(lambda: informer.problem == "no such resource")
        assert not informer.synced.is_set()

        await informer.synced.wait()

        assert informer.problem == ""
        task.cancel()


async def test_the_reply_to_a_write_is_known_at_once():
    async with informing() as (_, client, informer, _):
        await informer.synced.wait()
        informer.learn(await client.create(CONFIG_MAP, config_map("a")))

        assert informer.get("a", "ns") is not None


async def test_one_handlers_mistake_does_not_reach_the_others():
    async with informing() as (kube, _, informer, changes):

        def broken(old, new):
            raise ValueError("mine")

        informer._handlers.insert(0, broken)
        kube.put(CONFIG_MAP, config_map("a"))
        await until(lambda: informer.get("a", "ns"))

        assert changes == [(None, "a")]


async def test_only_what_is_wanted_is_kept():
    def keep(obj):
        return {key: obj[key] for key in ("apiVersion", "kind", "metadata")}

    async with informing(keep=keep) as (kube, _, informer, _):
        kube.put(CONFIG_MAP, config_map("a", secret="x"))
        await until(lambda: informer.get("a", "ns"))

        assert "data" not in informer.get("a", "ns")


async def test_a_kind_is_watched_once_for_all_who_ask():
    async with serving() as (_, client):
        informers = Informers(client)

        assert informers.of(CONFIG_MAP) is informers.of(CONFIG_MAP)
        assert informers.problem() == "configmaps: not listed yet"
