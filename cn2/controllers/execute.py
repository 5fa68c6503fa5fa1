"""Carries out the steps of plans: asks a plan, writes what it orders, asks again until it is done.

The reply to every write goes into the informers' cache before the plan is asked again, so the
chain from a VirtualNetwork to its status runs without waiting for any watch.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

import structlog

from cn2.api.kind import Kind, Object
from cn2.api.kinds import POOL
from cn2.client.errors import AlreadyExists, Conflict, NotFound
from cn2.client.events import NORMAL, WARNING, Events
from cn2.client.http import Client
from cn2.client.informer import Informers
from cn2.plan.cluster.steps import (
    Allocate,
    Create,
    Delete,
    Later,
    Patch,
    Promise,
    Say,
    Step,
    Steps,
)
from cn2.plan.snapshot import Indexes, Snapshot

log = structlog.get_logger(__name__)

_ROUNDS = 24
"""Longest chain of steps, with room for conflicts. A plan that is not done by then goes round in
circles; its key waits like any that fails."""


class Unsettled(Exception):
    """A plan still had orders after many rounds."""


class Executor:
    """Carries out plans over one client and its informers."""

    def __init__(
        self,
        client: Client,
        informers: Informers,
        events: Events,
        kinds: Iterable[Kind],
        indexes: Indexes,
        now: Callable[[], float],
    ) -> None:
        """`kinds`: those that the plans read."""
        self._client = client
        self._events = events
        self._informers = {kind.kind: informers.of(kind) for kind in kinds}
        for name, informer in self._informers.items():
            for index, function in indexes.get(name, {}).items():
                informer.add_index(index, function)
            informer.on_change(self._changed)
        self.snapshot = Snapshot(self._informers, now)

    async def settle(self, plan: Callable[[], Steps]) -> float | None:
        """Run a plan to its end. Seconds after which it wants to look again, or None."""
        for _ in range(_ROUNDS):
            steps = plan()
            if not steps:
                return None
            if not await self.round(steps):
                return min((one.seconds for one in steps if isinstance(one, Later)), default=None)
        raise Unsettled(f"still has orders after {_ROUNDS} rounds: {', '.join(map(_name, steps))}")

    async def round(self, steps: Steps) -> bool:
        """Carry out the steps of one answer; whether anything may be different now."""
        writes: Steps = [step for step in steps if not isinstance(step, Say | Later | Promise)]
        promises = [step for step in steps if isinstance(step, Promise)]
        for promise in promises:
            self.snapshot.keep_promise(promise.pool, promise.holder, promise.number)
        for step in steps:
            if isinstance(step, Say):
                self._say(step)
        if writes:
            await self._all(writes)
        return bool(writes or promises)

    async def _all(self, steps: Steps) -> None:
        if len(steps) == 1:
            await self._do(steps[0])
            return
        results = await asyncio.gather(*map(self._do, steps), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result

    async def _do(self, step: Step) -> None:
        match step:
            case Create():
                await self._create(step)
            case Patch():
                await self._patch(step)
            case Delete():
                await self._delete(step)
            case Allocate():
                await self._allocate(step)

    async def _create(self, step: Create) -> None:
        try:
            self._learn(step.kind, await self._client.create(step.kind, step.object))
        except AlreadyExists:
            metadata = step.object["metadata"]
            await self._look(step.kind, metadata.get("namespace", ""), metadata["name"])

    async def _patch(self, step: Patch) -> None:
        body = {**step.body, "metadata": {**step.body.get("metadata", {}), "uid": step.uid}}
        try:
            reply = await self._client.patch(
                step.kind, step.name, body, step.namespace, subresource=step.subresource
            )
        except NotFound:
            self._bury(step)
            return
        except Conflict:
            there = await self._look(step.kind, step.namespace, step.name)
            if there is None or there["metadata"]["uid"] != step.uid:
                self._bury(step)
            elif step.claimed:
                log.info("number refused", pool=step.claimed.pool, number=step.claimed.number)
                self.snapshot.refuse_promise(
                    step.claimed.pool, step.claimed.holder, step.claimed.number
                )
            return
        if step.claimed:
            self.snapshot.fulfil_promise(step.claimed.pool, step.claimed.holder)
        if step.last:
            self._bury(step)
        else:
            self._learn(step.kind, reply)

    async def _delete(self, step: Delete) -> None:
        try:
            reply = await self._client.delete(step.kind, step.name, step.namespace, uid=step.uid)
        except (NotFound, Conflict):  # it, or this incarnation of it, is gone already
            self._bury(step)
            return
        if "deletionTimestamp" in reply.get("metadata", {}):
            self._learn(step.kind, reply)  # finalizers keep it for a while
        else:
            self._bury(step)

    async def _allocate(self, step: Allocate) -> None:
        path = f"/apis/{POOL.api_version}/{POOL.plural}/{step.pool}/next"
        start, avoid = 0, set(step.avoid)  # the pool knows where it begins
        while True:
            answer = await self._client.fetch(path, {"holder": step.holder, "start": str(start)})
            number = int(answer["id"])
            # Others may have picked while the question was on its way.
            if answer.get("held") or number not in avoid | self.snapshot.promised(step.pool):
                break
            start = number + 1
        self.snapshot.keep_promise(step.pool, step.holder, number)

    async def _look(self, kind: Kind, namespace: str, name: str) -> Object | None:
        try:
            obj = await self._client.get(kind, name, namespace)
        except NotFound:
            return None
        self._learn(kind, obj)
        return obj

    def _learn(self, kind: Kind, obj: Object) -> None:
        informer = self._informers.get(kind.kind)
        if informer is not None:
            obj.setdefault("apiVersion", kind.api_version)
            obj.setdefault("kind", kind.kind)
            informer.learn(obj)

    def _bury(self, step: Patch | Delete) -> None:
        """The cache may show it for a moment longer."""
        informer = self._informers.get(step.kind.kind)
        shown = informer.get(step.name, step.namespace) if informer else None
        if shown is not None and shown["metadata"]["uid"] == step.uid:
            self.snapshot.bury(step.uid)

    def _changed(self, old: Object | None, new: Object | None) -> None:
        if old is not None and new is None:
            uid = old["metadata"]["uid"]
            self.snapshot.forget(uid)
            self.snapshot.settle(uid)

    def _say(self, step: Say) -> None:
        finding = step.finding
        kind = WARNING if finding.warning else NORMAL
        self._events.emit(finding.about, kind, finding.reason, finding.message)


def _name(step: Step) -> str:
    match step:
        case Create():
            return f"create {step.kind.kind} {step.object['metadata']['name']}"
        case Patch() | Delete():
            return f"{type(step).__name__.lower()} {step.kind.kind} {step.name}"
    return type(step).__name__.lower()
