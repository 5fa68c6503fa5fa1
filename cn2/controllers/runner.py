"""How controllers of CN2 run: shared informers, one queue each, events about what keeps failing.

A process makes one `Manager`, asks its `informers` for the kinds that it reads, adds its
controllers and awaits `run`:

    manager = Manager(client, "kubemanager", health=health)
    networks = manager.informers.of(VIRTUAL_NETWORK)
    manager.add("network", NETWORK_ATTACHMENT_DEFINITION, reconcile,
                mappers=[(VIRTUAL_NETWORK, nads_of_network)])
    await manager.run()

`reconcile((namespace, name))` returns None, or the seconds after which it wants to be called again.
"""

from __future__ import annotations

import asyncio
import platform
import uuid
from collections.abc import Awaitable, Callable, Sequence

from cn2.api.kind import Kind
from cn2.client.cache import Key
from cn2.client.errors import ApiError, Conflict
from cn2.client.events import WARNING, Events
from cn2.client.health import Health
from cn2.client.http import Client
from cn2.client.informer import Informers
from cn2.client.leader import Leader
from cn2.client.loop import Controller, Loop, Mapper, Reconcile

_LASTING = 6
"""Failures in a row after which an object gets a Warning: the backoff has then passed 300 ms, so
what two watches only tore apart for a moment has healed."""


class Manager:
    """The controllers of one process and what they share."""

    def __init__(
        self,
        client: Client,
        name: str,
        *,
        health: Health | None = None,
        election_namespace: str = "",
    ) -> None:
        """`name` is the component that events come from. With `election_namespace`, reconciling
        waits for the Lease `name` in that namespace (`-enable-leader-election`)."""
        self.client = client
        self.name = name
        self.informers = Informers(client)
        self.events = Events(client, name)
        self._loop = Loop(self.informers)
        self._leader: Leader | None = None
        if election_namespace:
            identity = f"{platform.node()}_{uuid.uuid4()}"
            self._leader = Leader(client, name, election_namespace, identity)
        if health is not None:
            health.ready("informers", self._loop.problem)

    def add(
        self,
        name: str,
        primary: Kind,
        reconcile: Reconcile,
        *,
        mappers: Sequence[tuple[Kind, Mapper]] = (),
        workers: int = 4,
    ) -> Controller:
        """A controller for the objects of `primary`. Each mapper says which of them an object of
        another kind concerns; a kind that is only read needs no mapper, just `informers.of`."""
        informer = self.informers.of(primary)

        def failed(key: Key, error: Exception, failures: int) -> None:
            obj = informer.objects.get(key)
            if obj is not None and failures == _LASTING and not isinstance(error, Conflict):
                self.events.emit(obj, WARNING, "ReconcileFailed", _sentence(error))

        controller = Controller(name, reconcile, workers=workers, failed=failed)
        controller.watch(informer)
        for kind, mapper in mappers:
            controller.watch(self.informers.of(kind), mapper)
        self._loop.add(controller)
        return controller

    async def run(self) -> None:
        """Runs until cancelled. Losing the leadership raises LeadershipLost: end the process."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.events.run(), name="events")
            try:
                await self._loop.run(self._election(group))
            finally:
                if self._leader is not None:
                    await self._leader.release()

    def idle(self) -> bool:
        """Nothing is waiting to be reconciled."""
        return self._loop.idle()

    def _election(self, group: asyncio.TaskGroup) -> Callable[[], Awaitable[None]] | None:
        leader = self._leader
        if leader is None:
            return None

        async def lead() -> None:
            await leader.acquire()
            group.create_task(leader.hold(), name="lease")

        return lead


def _sentence(error: Exception) -> str:
    if isinstance(error, ApiError):
        return error.message
    return f"{type(error).__name__}: {error}"
