"""The collector against a server."""

import asyncio
from contextlib import asynccontextmanager

from kube_server import serving, until

from cn2.api.kinds import (
    CONFIG_MAP,
    INSTANCE_IP,
    SECRET,
    VIRTUAL_MACHINE,
    VIRTUAL_MACHINE_INTERFACE,
)
from cn2.client.informer import Informers
from cn2.client.loop import Loop
from cn2.localkube.garbage import GarbageCollector

KINDS = (CONFIG_MAP, SECRET, VIRTUAL_MACHINE, VIRTUAL_MACHINE_INTERFACE, INSTANCE_IP)


@asynccontextmanager
async def collecting(kube, client):
    loop = Loop(Informers(client))
    loop.add(GarbageCollector(client, loop.informers, KINDS).controller)
    task = asyncio.create_task(loop.run())
    try:
        yield loop
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def owned(name, kind=None, owner=None, namespace="", **reference):
    metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
    if owner is not None:
        metadata["ownerReferences"] = [
            {
                "apiVersion": kind.api_version,
                "kind": kind.kind,
                "name": owner["metadata"]["name"],
                "uid": owner["metadata"]["uid"],
                **reference,
            }
        ]
    return {"metadata": metadata}


async def test_the_interfaces_and_addresses_of_a_machine_go_with_it():
    async with serving() as (kube, client):
        machine = kube.put(VIRTUAL_MACHINE, owned("vm"))
        for number in range(3):
            kube.put(
                VIRTUAL_MACHINE_INTERFACE,
                owned(f"vmi{number}", VIRTUAL_MACHINE, machine, "ns", blockOwnerDeletion=True),
            )
            kube.put(INSTANCE_IP, owned(f"iip{number}", VIRTUAL_MACHINE, machine))
        async with collecting(kube, client) as loop:
            await until(loop.idle)
            assert len(kube.objects) == 7

            await client.delete(VIRTUAL_MACHINE, "vm", propagation="Foreground")
            await until(lambda: not kube.objects)


async def test_an_owner_that_the_server_knows_is_not_absent_only_because_no_watch_showed_it():
    async with serving() as (kube, client):
        async with collecting(kube, client) as loop:
            await until(lambda: loop.started)
            for informer in loop.informers:
                if informer.kind is CONFIG_MAP:
                    informer._handlers.clear()
            owner = kube.put(CONFIG_MAP, owned("owner", namespace="ns"))
            kube.put(SECRET, owned("s", CONFIG_MAP, owner, "ns"))
            await until(lambda: ("GET", "/api/v1/namespaces/ns/configmaps/owner") in kube.requests)
            await until(loop.idle)

        assert kube.get(SECRET, "s", "ns") is not None


async def test_an_owner_of_another_uid_is_absent():
    async with serving() as (kube, client):
        kube.put(CONFIG_MAP, owned("owner", namespace="ns"))
        former = {"metadata": {"name": "owner", "uid": "former"}}
        kube.put(SECRET, owned("s", CONFIG_MAP, former, "ns"))
        async with collecting(kube, client):
            await until(lambda: kube.get(SECRET, "s", "ns") is None)


async def test_an_owner_of_an_unknown_kind_is_never_judged():
    async with serving() as (kube, client):
        secret = owned("s", CONFIG_MAP, {"metadata": {"name": "x", "uid": "x"}}, "ns")
        secret["metadata"]["ownerReferences"][0]["kind"] = "Unheard"
        kube.put(SECRET, secret)
        async with collecting(kube, client) as loop:
            await until(loop.idle)

        assert kube.get(SECRET, "s", "ns") is not None
        assert kube.writes() == []


async def test_orphans_stay_and_forget_their_owner():
    async with serving() as (kube, client):
        owner = kube.put(CONFIG_MAP, owned("owner", namespace="ns"))
        kube.put(SECRET, owned("s", CONFIG_MAP, owner, "ns"))
        async with collecting(kube, client):
            await client.delete(CONFIG_MAP, "owner", "ns", propagation="Orphan")
            await until(lambda: kube.get(CONFIG_MAP, "owner", "ns") is None)

        assert "ownerReferences" not in kube.get(SECRET, "s", "ns")["metadata"]


async def test_a_second_pass_writes_nothing():
    async with serving() as (kube, client):
        owner = kube.put(CONFIG_MAP, owned("owner", namespace="ns"))
        kube.put(SECRET, owned("s", CONFIG_MAP, owner, "ns"))
        async with collecting(kube, client) as loop:
            await until(loop.idle)

        assert kube.writes() == []
