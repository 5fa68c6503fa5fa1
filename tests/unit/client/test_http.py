"""The client against a server on the loopback."""

import pytest
from aiohttp import web
from kube_server import serving, status

from cn2.api.kinds import CONFIG_MAP, POD
from cn2.client import AlreadyExists, Client, Conflict, NotFound, Unavailable
from cn2.client.kubeconfig import Connection


def config_map(name, **data):
    return {"metadata": {"name": name, "namespace": "ns"}, "data": data}


async def test_objects_go_and_come_as_they_are():
    async with serving() as (kube, client):
        made = await client.create(CONFIG_MAP, config_map("a", x="1"))
        patched = await client.patch(CONFIG_MAP, "a", {"data": {"y": "2"}}, "ns")
        listed = await client.list(CONFIG_MAP, "ns")

        assert made["data"] == {"x": "1"}
        assert patched["data"] == {"x": "1", "y": "2"}
        assert [one["metadata"]["name"] for one in listed.items] == ["a"]
        assert listed.revision == str(kube.revision)


async def test_refusals_are_exceptions():
    async with serving() as (_, client):
        await client.create(CONFIG_MAP, config_map("a"))

        with pytest.raises(AlreadyExists):
            await client.create(CONFIG_MAP, config_map("a"))
        with pytest.raises(NotFound):
            await client.get(CONFIG_MAP, "b", "ns")
        with pytest.raises(Conflict):
            await client.delete(CONFIG_MAP, "a", "ns", uid="another")


async def test_what_may_be_sent_twice_is_tried_again_and_what_may_not_is_not():
    async with serving() as (kube, client):
        kube.put(CONFIG_MAP, config_map("a"))
        kube.failures = [status(503, "ServiceUnavailable", "starting") for _ in range(2)]
        assert (await client.get(CONFIG_MAP, "a", "ns"))["metadata"]["name"] == "a"

        kube.failures = [status(503, "ServiceUnavailable", "starting")]
        with pytest.raises(Unavailable):
            await client.create(CONFIG_MAP, config_map("b"))


async def test_a_busy_server_is_asked_again_even_to_create():
    async with serving() as (kube, client):
        kube.failures = [web.Response(status=429, headers={"Retry-After": "0"})]

        await client.create(CONFIG_MAP, config_map("b"))

        assert kube.get(CONFIG_MAP, "b", "ns") is not None


async def test_no_server_is_unavailable():
    client = Client(Connection("http://127.0.0.1:1"))
    try:
        with pytest.raises(Unavailable):
            await client.create(CONFIG_MAP, config_map("a"))
    finally:
        await client.close()


async def test_a_token_is_sent_as_a_bearer():
    seen = []

    async def handle(request):
        seen.append(request.headers.get("Authorization"))
        return web.json_response({"items": [], "metadata": {}})

    runner = web.ServerRunner(web.Server(handle))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    client = Client(Connection(f"http://127.0.0.1:{runner.addresses[0][1]}", token="secret"))
    try:
        await client.list(POD)
    finally:
        await client.close()
        await runner.cleanup()

    assert seen == ["Bearer secret"]
