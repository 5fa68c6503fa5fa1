"""Whatever people store, the controllers go on: it reaches a state or an event, and the rest works.

A real API server and the real controllers in this process; CN2_FUZZ_EXAMPLES=5000 throws more.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import near_valid
import pytest
import states
from hypothesis import given
from hypothesis import strategies as st
from living_cluster import Controllers, LivingCluster, living_cluster, until
from structlog.testing import capture_logs

from cn2.api.kind import Family, Kind, Object
from cn2.api.kinds import (
    EVENT,
    NETWORK_ATTACHMENT_DEFINITION,
    NODE,
    POD,
    VIRTUAL_NETWORK,
    by_name,
)
from cn2.client.errors import ApiError
from cn2.plan.cluster import objects

pytestmark = pytest.mark.timeout(3600)

STATUS = "juniper.net/networks-status"
NETWORK_STATUS = "k8s.v1.cni.cncf.io/network-status"
BATCH = 12


class Thrown:
    """A living cluster that objects are thrown at."""

    def __init__(self, cluster: LivingCluster, running: Controllers) -> None:
        self.cluster, self.running = cluster, running
        self.count = 0
        self.accepted = 0

    async def batch(self, things: list[tuple[str, Any]], logs: list[Any]) -> None:
        made = [one for thing in things if (one := await self._send(*thing)) is not None]
        self.accepted += len(made)
        await self.running.idle()
        for kind, obj in made:
            await until(lambda kind=kind, obj=obj: self._answered(kind, obj))
        failed = [one for one in logs if one["log_level"] in ("error", "critical")]
        assert not failed, failed
        await self._works()
        for kind, obj in reversed(made):
            await self._delete(kind, obj)
        await self.running.idle()

    async def _send(self, name: str, obj: Any) -> tuple[Kind, Object] | None:
        kind = by_name(name)
        self.count += 1
        metadata = {**obj["metadata"], "name": self._name(kind)}
        whole = {**obj, "apiVersion": kind.api_version, "kind": kind.kind, "metadata": metadata}
        if kind is POD:
            whole["spec"] = {**whole["spec"], "nodeName": "minikube"}
        try:
            return kind, await self.cluster.admin.create(kind, whole)
        except ApiError as error:
            assert 400 <= error.status < 500, error
            assert error.message
            return None

    def _name(self, kind: Kind) -> str:
        singletons = {
            "GlobalSystemConfig": "default-global-system-config",
            "GlobalVrouterConfig": "default-global-vrouter-config",
            "RouteTarget": f"target-1-{self.count}",
        }
        return singletons.get(kind.kind, f"n{self.count}")

    async def _answered(self, kind: Kind, obj: Object) -> bool:
        """Whether somebody has said something of an object: no silence."""
        metadata = obj["metadata"]
        found = await self.cluster.get(kind, metadata["name"], metadata.get("namespace", ""))
        assert found is not None
        notes = objects.notes(found)
        if kind is NETWORK_ATTACHMENT_DEFINITION:
            return "juniper.net/networks" not in notes or bool(notes.get(STATUS))
        if kind is POD:
            networks = notes.get("k8s.v1.cni.cncf.io/networks", "").strip(" ,")
            return not networks or NETWORK_STATUS in notes or await self._warned(found)
        return kind.family is Family.CRD or bool(objects.state(found))

    async def _warned(self, obj: Object) -> bool:
        uid = objects.uid(obj)
        events = (await self.cluster.admin.list(EVENT)).items
        return any(one["involvedObject"].get("uid") == uid for one in events)

    async def _works(self) -> None:
        """A good definition still becomes a network."""
        self.count += 1
        name = f"good{self.count}"
        await self.cluster.apply(NETWORK_ATTACHMENT_DEFINITION, states.definition(name))
        await self.cluster.ready(VIRTUAL_NETWORK, name, "default")
        await self.cluster.admin.delete(NETWORK_ATTACHMENT_DEFINITION, name, "default")

    async def _delete(self, kind: Kind, obj: Object) -> None:
        metadata = obj["metadata"]
        place = metadata["name"], metadata.get("namespace", "")
        try:
            await self.cluster.admin.delete(kind, *place)
        except ApiError as error:
            assert error.status in (404, 409), error  # in use by another of the batch


def test_controllers_take_whatever_is_stored(tmp_path: Path) -> None:
    with asyncio.Runner() as runner, capture_logs() as logs:
        stack = AsyncExitStack()

        async def start() -> Thrown:
            cluster = await stack.enter_async_context(living_cluster(tmp_path))
            running = await stack.enter_async_context(cluster.controllers())
            await cluster.apply(NODE, states.node())
            await cluster.apply(NETWORK_ATTACHMENT_DEFINITION, states.definition("healthy"))
            await cluster.ready(VIRTUAL_NETWORK, "healthy", "default")
            return Thrown(cluster, running)

        thrown = runner.run(start())

        @near_valid.profile(12)
        @given(st.lists(near_valid.objects, min_size=BATCH, max_size=BATCH))
        def throw(things: list[tuple[str, Any]]) -> None:
            runner.run(thrown.batch(things, logs))

        try:
            throw()
        finally:
            runner.run(stack.aclose())
        assert thrown.accepted > 10
