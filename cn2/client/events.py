"""Records events about objects: never blocks, repeats are counted, floods are thinned.

Equal events (object, type, reason, message) become one Event object whose `count` rises. Of one
object and reason a burst is written, then one every few minutes; the rest is counted as dropped.
(The rules are those of client-go's EventCorrelator, with smaller numbers.)
"""

from __future__ import annotations

import asyncio
import re
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

import structlog

from cn2.api.kind import Object
from cn2.api.kinds import EVENT
from cn2.client.errors import ApiError, NotFound
from cn2.client.http import Client
from cn2.client.metrics import EVENTS_DROPPED

log = structlog.get_logger(__name__)

V = TypeVar("V")

NORMAL = "Normal"
WARNING = "Warning"

_LONGEST_NAME = 253
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_MESSAGE_LENGTH = 1024
"""Longest message that kube-apiserver accepts."""


@dataclass(slots=True)
class Series:
    """One Event object and what has been seen of it."""

    subject: Object
    """The involvedObject reference."""
    type: str
    reason: str
    message: str
    name: str
    namespace: str
    first: str
    last: str
    count: int = 1
    written: int = 0
    """The count that the server knows; 0 = not created yet."""


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


class EventLog:
    """Which events are worth writing. No IO: `now` is wall time, `tick` monotonic seconds."""

    def __init__(self, *, size: int = 4096, burst: int = 10, refill: float = 1 / 300) -> None:
        """Remembers `size` series; `burst` events per object and reason, then `refill` a second."""
        self._size = size
        self._burst = burst
        self._refill = refill
        self._series: OrderedDict[tuple[str, ...], Series] = OrderedDict()
        self._buckets: OrderedDict[tuple[str, ...], _Bucket] = OrderedDict()

    def record(
        self,
        subject: Object,
        type: str,
        reason: str,
        message: str,
        *,
        now: datetime,
        tick: float,
    ) -> Series | None:
        """The series to write, or None when there have been too many."""
        message = message[:_MESSAGE_LENGTH]
        who = (subject["kind"], subject["namespace"], subject["name"], subject["uid"])
        place = subject.get("fieldPath", "")
        if not self._allowed((*who, place, reason), tick):
            return None
        stamp = now.strftime("%Y-%m-%dT%H:%M:%SZ")
        series = self._series.get((*who, place, type, reason, message))
        if series is None:
            series = Series(
                subject=subject,
                type=type,
                reason=reason,
                message=message,
                name=_event_name(
                    subject["name"], int(now.timestamp() * 1e6) * 1000 + len(self._series)
                ),
                namespace=subject["namespace"] or "default",
                first=stamp,
                last=stamp,
            )
            _remember(self._series, (*who, place, type, reason, message), series, self._size)
        else:
            series.count += 1
            series.last = stamp
        return series

    def _allowed(self, key: tuple[str, ...], tick: float) -> bool:
        bucket = self._buckets.get(key) or _Bucket(self._burst, tick)
        bucket.tokens = min(self._burst, bucket.tokens + (tick - bucket.at) * self._refill)
        bucket.at = tick
        _remember(self._buckets, key, bucket, self._size)
        if bucket.tokens < 1:
            return False
        bucket.tokens -= 1
        return True


def _event_name(name: str, nanoseconds: int) -> str:
    """client-go's form: the object's name and the time in hexadecimal nanoseconds; a uuid where
    that is no name for an event (an object's name may be longer, or have capitals)."""
    wanted = f"{name}.{nanoseconds:x}"
    if len(wanted) <= _LONGEST_NAME and _SUBDOMAIN.fullmatch(wanted):
        return wanted
    return str(uuid.uuid5(uuid.NAMESPACE_URL, wanted))


class Events:
    """The recorder of one component, e.g. `default-scheduler`. `run` writes what `emit` queues."""

    def __init__(
        self,
        client: Client,
        component: str,
        *,
        host: str = "",
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._client = client
        self._source = {"component": component} | ({"host": host} if host else {})
        self._clock = clock
        self._log = EventLog()
        self._pending: asyncio.Queue[Series] = asyncio.Queue(1000)
        self._queued: set[int] = set()

    def emit(
        self, obj: Object, type: str, reason: str, message: str, *, field_path: str = ""
    ) -> None:
        """Records an event about `obj` (an object or an ObjectReference). Returns at once.

        `field_path` names a part, e.g. `spec.containers{app}`.
        """
        series = self._log.record(
            reference(obj, field_path),
            type,
            reason,
            message,
            now=self._clock(),
            tick=time.monotonic(),
        )
        if series is None:
            EVENTS_DROPPED.labels("limited").inc()
        elif id(series) not in self._queued:
            try:
                self._pending.put_nowait(series)
                self._queued.add(id(series))
            except asyncio.QueueFull:
                EVENTS_DROPPED.labels("full").inc()

    async def run(self) -> None:
        """Writes queued events until cancelled."""
        while True:
            series = await self._pending.get()
            self._queued.discard(id(series))
            await self._write(series)

    async def flush(self) -> None:
        """Writes what is queued now; for a process that is about to end."""
        while not self._pending.empty():
            series = self._pending.get_nowait()
            self._queued.discard(id(series))
            await self._write(series)

    async def _write(self, series: Series) -> None:
        count = series.count
        try:
            if series.written:
                await self._count(series)
            else:
                await self._client.create(EVENT, event_object(series, self._source))
            series.written = count
        except ApiError as error:
            # An event is worth one try: what it tells is in status and logs as well.
            EVENTS_DROPPED.labels("refused").inc()
            log.debug("event not written", reason=error.reason, error=error.message)

    async def _count(self, series: Series) -> None:
        change = {"count": series.count, "lastTimestamp": series.last}
        try:
            await self._client.patch(EVENT, series.name, change, series.namespace)
        except NotFound:  # expired: begin anew, with the count so far
            await self._client.create(EVENT, event_object(series, self._source))


def reference(obj: Object, field_path: str = "") -> Object:
    """The ObjectReference of an object; of a reference, itself."""
    metadata = obj.get("metadata", obj)
    return {
        "apiVersion": obj.get("apiVersion", ""),
        "kind": obj.get("kind", ""),
        "name": metadata.get("name", ""),
        "namespace": metadata.get("namespace", ""),
        "uid": metadata.get("uid", ""),
        **({"fieldPath": field_path} if field_path else {}),
    }


def event_object(series: Series, source: Object) -> Object:
    """The core/v1 Event of a series."""
    subject = {key: value for key, value in series.subject.items() if value}
    return {
        "apiVersion": EVENT.api_version,
        "kind": EVENT.kind,
        "metadata": {"name": series.name, "namespace": series.namespace},
        "involvedObject": subject,
        "reason": series.reason,
        "message": series.message,
        "source": source,
        "firstTimestamp": series.first,
        "lastTimestamp": series.last,
        "count": series.count,
        "type": series.type,
        "eventTime": None,
        "reportingComponent": source["component"],
        "reportingInstance": source.get("host", ""),
    }


def _remember(
    memory: OrderedDict[tuple[str, ...], V], key: tuple[str, ...], value: V, size: int
) -> None:
    """Puts a value in and drops the one not used for longest."""
    memory[key] = value
    memory.move_to_end(key)
    if len(memory) > size:
        memory.popitem(last=False)
