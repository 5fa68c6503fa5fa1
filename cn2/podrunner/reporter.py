"""Writes a pod's status to the API: only what changed, only the latest, never out of order."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import structlog

from cn2.api.kind import Object
from cn2.api.kinds import POD
from cn2.client import ApiError, Client, Conflict, Invalid, NotFound
from cn2.client.backoff import Backoff
from cn2.client.request import Patch
from cn2.podrunner.status import CONDITIONS

log = structlog.get_logger(__name__)

_GATHER_SECONDS = 0.2
"""How long the status of a pod that is on its way waits for the next: most pods run by then."""


class StatusReporter:
    """The status of one pod. What is reported while a write is on its way goes out in one more."""

    def __init__(self, client: Client, pod: Object) -> None:
        metadata = pod["metadata"]
        self._client = client
        self._name, self._namespace, self._uid = (
            metadata["name"],
            metadata["namespace"],
            metadata["uid"],
        )
        self.known: Object = dict(pod.get("status") or {})
        """What the API has, as far as we know; of the conditions, ours."""
        if "conditions" in self.known:
            self.known["conditions"] = _conditions(self.known, ours=True)
        self._wanted = self.known
        self._urgent = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def present(self, pod: Object) -> Object:
        """The pod with what has been written of it; reading that back takes a while."""
        status = {**(pod.get("status") or {}), **self.known}
        others = _conditions(pod.get("status") or {}, ours=False)
        return {**pod, "status": {**status, "conditions": [*_all(self.known), *others]}}

    def report(self, status: Object) -> None:
        """Asks for the status to be this. Returns at once."""
        self._wanted = status
        if status.get("phase") != "Pending":
            self._urgent.set()
        if self._change() and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._write(), name=f"status {self._uid}")

    async def settle(self) -> None:
        """Waits until everything reported has been written or refused."""
        self._urgent.set()
        while self._task is not None and not self._task.done():
            await asyncio.shield(self._task)

    def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def _change(self) -> dict[str, Any]:
        return {key: new for key, new in self._wanted.items() if self.known.get(key) != new}

    async def _write(self) -> None:
        backoff = Backoff(0.1, 10.0)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_GATHER_SECONDS):
                await self._urgent.wait()
        while change := self._change():
            wanted = self._wanted
            try:
                await self._client.patch(
                    POD,
                    self._name,
                    # The uid makes the server refuse it for another pod of the same name.
                    {"metadata": {"uid": self._uid}, "status": _patch(change)},
                    self._namespace,
                    how=Patch.STRATEGIC,  # others write conditions, too
                    subresource="status",
                )
            except NotFound:
                return
            except (Conflict, Invalid) as error:
                log.warning("pod status refused", pod=self._name, error=error.message)
                return
            except ApiError:
                await asyncio.sleep(backoff.delay())
                continue
            self.known = {**self.known, **wanted}


def _all(status: Object) -> list[Object]:
    found: list[Object] = status.get("conditions") or []
    return found


def _conditions(status: Object, *, ours: bool) -> list[Object]:
    return [other for other in _all(status) if (other.get("type") in CONDITIONS) == ours]


def _patch(change: Object) -> Object:
    """As a strategic merge patch. It merges conditions by type, so what a condition lost is null
    and the order is said; it merges addresses, too, which is never meant."""
    patch = dict(change)
    if "conditions" in patch:
        fields = {"reason": None, "message": None}
        patch["conditions"] = [{**fields, **condition} for condition in patch["conditions"]]
        order = [{"type": condition["type"]} for condition in patch["conditions"]]
        patch["$setElementOrder/conditions"] = order
    if "podIPs" in patch:
        patch["podIPs"] = [*patch["podIPs"], {"$patch": "replace"}]
    return patch
