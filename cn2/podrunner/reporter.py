"""Writes a pod's status to the API: only what changed, only the latest, never out of order."""

from __future__ import annotations

import asyncio
from typing import Any

import structlog

from cn2.api.kind import Object
from cn2.api.kinds import POD
from cn2.client import ApiError, Client, Conflict, Invalid, NotFound
from cn2.client.backoff import Backoff

log = structlog.get_logger(__name__)


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
        """What the API has, as far as we know."""
        self._wanted = self.known
        self._task: asyncio.Task[None] | None = None

    def report(self, status: Object) -> None:
        """Asks for the status to be this. Returns at once."""
        self._wanted = status
        if self._change() and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._write(), name=f"status {self._uid}")

    async def settle(self) -> None:
        """Waits until everything reported has been written or refused."""
        while self._task is not None and not self._task.done():
            await asyncio.shield(self._task)

    def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def _change(self) -> dict[str, Any]:
        return {key: new for key, new in self._wanted.items() if self.known.get(key) != new}

    async def _write(self) -> None:
        backoff = Backoff(0.1, 10.0)
        while change := self._change():
            wanted = self._wanted
            try:
                await self._client.patch(
                    POD,
                    self._name,
                    # The uid makes the server refuse it for another pod of the same name.
                    {"metadata": {"uid": self._uid}, "status": change},
                    self._namespace,
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
