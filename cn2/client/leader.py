"""Leadership by a Lease: one of several replicas works, the others wait.

A Lease elects but fences nothing: a leader that stalls may act once more after another took over.
What must be unique is therefore claimed in the store, whoever asks. Times of other holders are
never compared with our clock: a holder is taken for dead when its record has not changed for the
lease's duration by our own monotonic clock.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime

import structlog

from cn2.api.kind import Object
from cn2.api.kinds import LEASE
from cn2.client.errors import AlreadyExists, ApiError, Conflict, NotFound
from cn2.client.http import Client
from cn2.client.metrics import LEADING

log = structlog.get_logger(__name__)


class LeadershipLost(Exception):
    """The lease could not be renewed in time: stop working at once."""


class Leader:
    """Takes and renews one Lease. Seconds as in client-go: 15 duration, 10 deadline, 2 retry."""

    def __init__(
        self,
        client: Client,
        name: str,
        namespace: str,
        identity: str,
        *,
        duration: int = 15,
        deadline: float = 10.0,
        period: float = 2.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._name = name
        self._namespace = namespace
        self._identity = identity
        self._duration = duration
        self._deadline = deadline
        self._period = period
        self._clock = clock
        self._seen: tuple[str, str] = ("", "")
        """Holder and renewTime as last read."""
        self._seen_at = clock()
        self.leading = False

    async def acquire(self) -> None:
        """Returns when this process leads."""
        while True:
            if await self.attempt():
                break
            await asyncio.sleep(self._period)
        log.info("leading", lease=self._name, identity=self._identity)

    async def hold(self) -> None:
        """Renews until cancelled; raises LeadershipLost when that has failed for the deadline."""
        renewed = self._clock()
        while True:
            await asyncio.sleep(self._period)
            if await self.attempt():
                renewed = self._clock()
            elif not self.leading or self._clock() - renewed > self._deadline:
                self._lead(False)
                raise LeadershipLost(self._name)

    async def release(self) -> None:
        """Gives the lease up, so that another need not wait for its end."""
        if not self.leading:
            return
        self._lead(False)
        try:
            lease = await self._client.get(LEASE, self._name, self._namespace)
            if lease["spec"].get("holderIdentity") == self._identity:
                lease["spec"].update(holderIdentity="", leaseDurationSeconds=1)
                await self._client.replace(LEASE, lease)
        except ApiError as error:
            log.info("lease not released", lease=self._name, error=error.message)

    async def attempt(self) -> bool:
        """One try to take or renew. False: another holds it, or the server did not answer."""
        try:
            return await self._attempt()
        except (Conflict, AlreadyExists):
            return False
        except ApiError as error:
            log.warning("lease not renewed", lease=self._name, error=error.message)
            return False

    async def _attempt(self) -> bool:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        try:
            lease = await self._client.get(LEASE, self._name, self._namespace)
        except NotFound:
            await self._client.create(LEASE, self._new(now))
            self._lead(True)
            return True
        if not self._may_take(lease):
            self._lead(False)
            return False
        spec = lease["spec"]
        if spec.get("holderIdentity") != self._identity:
            spec["acquireTime"] = now
            spec["leaseTransitions"] = int(spec.get("leaseTransitions") or 0) + 1
        spec.update(
            holderIdentity=self._identity, renewTime=now, leaseDurationSeconds=self._duration
        )
        await self._client.replace(LEASE, lease)
        self._lead(True)
        return True

    def _may_take(self, lease: Object) -> bool:
        spec = lease.setdefault("spec", {})
        holder = spec.get("holderIdentity") or ""
        seen = (holder, spec.get("renewTime") or "")
        if seen != self._seen:
            self._seen, self._seen_at = seen, self._clock()
        if holder in ("", self._identity):
            return True
        length = spec.get("leaseDurationSeconds") or self._duration
        return self._clock() - self._seen_at >= length

    def _new(self, now: str) -> Object:
        return {
            "apiVersion": LEASE.api_version,
            "kind": LEASE.kind,
            "metadata": {"name": self._name, "namespace": self._namespace},
            "spec": {
                "holderIdentity": self._identity,
                "leaseDurationSeconds": self._duration,
                "acquireTime": now,
                "renewTime": now,
                "leaseTransitions": 0,
            },
        }

    def _lead(self, leading: bool) -> None:
        self.leading = leading
        LEADING.labels(self._name).set(leading)
