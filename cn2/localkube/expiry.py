"""Events expire an hour after they were last seen, as kube-apiserver's `--event-ttl` has it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from cn2.api.access import text
from cn2.api.kind import Object
from cn2.api.kinds import EVENT
from cn2.client.cache import Key
from cn2.client.errors import Conflict, NotFound
from cn2.client.http import Client
from cn2.client.informer import Informers
from cn2.client.loop import Controller
from cn2.localkube.kept import times_of_event

TTL = 3600.0
"""Seconds."""


class EventExpiry:
    def __init__(
        self,
        client: Client,
        informers: Informers,
        *,
        ttl: float = TTL,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._client = client
        self._ttl = ttl
        self._clock = clock
        self._events = informers.of(EVENT, keep=times_of_event)
        self.controller = Controller("event-expiry", self.reconcile).watch(self._events)

    async def reconcile(self, key: Key) -> float | None:
        event = self._events.objects.get(key)
        if event is None or text(event, "metadata", "deletionTimestamp"):
            return None
        left = seconds_left(event, self._clock(), self._ttl)
        if left > 0:
            return left
        try:
            # With the revision: one that was counted again meanwhile lives on.
            await self._client.delete(
                EVENT,
                key[1],
                key[0],
                uid=text(event, "metadata", "uid"),
                revision=text(event, "metadata", "resourceVersion"),
            )
        except (NotFound, Conflict):
            return None
        return None


def seconds_left(event: Object, now: datetime, ttl: float) -> float:
    """How long an event still lives, by the latest time that it carries; `ttl` if it has none."""
    last = max(filter(None, (_time(stamp) for stamp in _stamps(event))), default=now)
    return ttl - (now - last).total_seconds()


def _stamps(event: Object) -> tuple[str, ...]:
    return (
        text(event, "lastTimestamp"),
        text(event, "eventTime"),
        text(event, "series", "lastObservedTime"),
        text(event, "metadata", "creationTimestamp"),
    )


def _time(stamp: str) -> datetime | None:
    try:
        return datetime.fromisoformat(stamp)
    except ValueError:
        return None
