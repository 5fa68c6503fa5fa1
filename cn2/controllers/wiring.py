"""What the controllers of both processes share: how a plan becomes a controller."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence

from cn2.api.kind import Kind, Object
from cn2.client.cache import Key
from cn2.client.loop import Controller, Mapper
from cn2.controllers.execute import Executor
from cn2.controllers.runner import Manager
from cn2.plan.cluster.indexes import INDEXES
from cn2.plan.cluster.steps import Steps
from cn2.plan.snapshot import Snapshot

Plan = Callable[[Key], Steps]

YIELD = 0.02
"""Seconds for which a write that nobody waits for lets others go first: a new network's Success
comes before that of its RouteTargets and before its Subnet's usage."""

_CHAIN = 3
"""Writes that belong together: a new object gets its finalizer and its status in one go."""

COALESCE = 0.25
"""Seconds between two writes to an object that many others touch (Subnet, VirtualRouter)."""


class Wiring:
    """Adds controllers to a manager, all over one snapshot."""

    def __init__(self, manager: Manager, kinds: Iterable[Kind]) -> None:
        """`kinds`: all that the plans read; the informers are made here."""
        self.manager = manager
        self.executor = Executor(
            manager.client, manager.informers, manager.events, kinds, INDEXES, time.monotonic
        )

    @property
    def snapshot(self) -> Snapshot:
        return self.executor.snapshot

    def add(
        self,
        name: str,
        primary: Kind,
        plan: Plan,
        *,
        mappers: Sequence[tuple[Kind, Mapper]] = (),
        workers: int = 8,
        unhurried: bool = False,
    ) -> Controller:
        """A controller that settles `plan` for every key of `primary`.

        `unhurried`: nobody waits for what it writes.
        """

        async def reconcile(key: Key) -> float | None:
            if unhurried:
                await asyncio.sleep(YIELD)
            return await self.executor.settle(lambda: plan(key))

        return self.manager.add(name, primary, reconcile, mappers=mappers, workers=workers)

    def add_coalesced(
        self, name: str, primary: Kind, plan: Plan, *, mappers: Sequence[tuple[Kind, Mapper]] = ()
    ) -> Controller:
        """As `add`, for objects that many others touch: at most one write in COALESCE seconds."""
        written: dict[Key, float] = {}

        async def reconcile(key: Key) -> float | None:
            await asyncio.sleep(YIELD)
            wait = written.get(key, 0.0) + COALESCE - time.monotonic()
            for _ in range(_CHAIN):
                steps = plan(key)
                if not steps:
                    return None
                if wait > 0:
                    return wait
                written[key] = time.monotonic()
                await self.executor.round(steps)
            return COALESCE

        informer = self.manager.informers.of(primary)

        def forget(old: Object | None, new: Object | None) -> None:
            if old is not None and new is None:
                written.pop((old["metadata"].get("namespace", ""), old["metadata"]["name"]), None)

        informer.on_change(forget)
        return self.manager.add(name, primary, reconcile, mappers=mappers)

    def on_ends(
        self, controller: Controller, kind: Kind, keys: Callable[[Object], Iterable[Key]]
    ) -> None:
        """Reconcile `keys` when an object of `kind` comes, is being deleted, or is gone; not when
        it changes otherwise."""

        def handle(old: Object | None, new: Object | None) -> None:
            if old is not None and new is not None and _ending(old) == _ending(new):
                return
            for key in keys(new or old or {}):
                controller.queue.add(key)

        self.manager.informers.of(kind).on_change(handle)


def _ending(obj: Object) -> bool:
    return "deletionTimestamp" in obj["metadata"]
