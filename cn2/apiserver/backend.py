"""What the verbs work with: the store, the clock, and what is made up at random."""

from __future__ import annotations

import ipaddress
import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from cn2.api.kind import Kind, Object
from cn2.api.kinds import by_name
from cn2.apiserver import codec, keys
from cn2.apiserver.digest import Digests
from cn2.apiserver.errors import ApiError, not_found
from cn2.store.interface import Entry, Store

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_SUFFIX_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
"""Kubernetes' alphabet for generated names: no vowels, so no words."""


def _clock() -> datetime:
    return datetime.now(UTC)


def _suffix() -> str:
    return "".join(secrets.choice(_SUFFIX_LETTERS) for _ in range(5))


def _uid() -> str:
    return str(uuid.uuid4())  # of the system's randomness: no seed and no fork repeats it


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """Everything a verb may touch; tests replace the clock and the random parts."""

    store: Store
    service_cidr: Network = field(default_factory=lambda: ipaddress.ip_network("10.96.0.0/12"))
    clock: Callable[[], datetime] = _clock
    new_uid: Callable[[], str] = _uid
    new_suffix: Callable[[], str] = _suffix
    digests: Digests = field(default_factory=Digests)

    def now(self) -> str:
        """The time as metadata carries it: RFC 3339, whole seconds, UTC."""
        return timestamp(self.clock())

    def latest(self, kind: Kind, namespace: str, name: str) -> Entry | None:
        return self.store.latest(keys.key(kind, namespace, name))

    def latest_object(self, kind: Kind, namespace: str, name: str) -> Object | None:
        entry = self.latest(kind, namespace, name)
        return None if entry is None else codec.decode(entry)

    def lookup(self, kind: str, namespace: str, name: str) -> Object | None:
        """A stored object by its kind's name, as references carry it."""
        try:
            found = by_name(kind)
        except KeyError:
            return None
        return self.latest_object(found, namespace, name)

    async def existing(self, kind: Kind, namespace: str, name: str) -> Entry:
        """The newest entry of an object, committed or on its way; NotFound when there is none."""
        entry = self.latest(kind, namespace, name)
        if entry is None:
            raise await self._settled_not_found(kind, name)
        return entry

    async def _settled_not_found(self, kind: Kind, name: str) -> ApiError:
        # The deletion may still be on its way to the disk: nobody is told of it before it is there.
        await self.store.settled()
        return not_found(kind, name)


def timestamp(when: datetime) -> str:
    return when.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"
