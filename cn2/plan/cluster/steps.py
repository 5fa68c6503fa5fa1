"""The orders that a plan gives. All steps of one answer are independent of each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from cn2.api.kind import Kind, Object
from cn2.plan.finding import Finding


@dataclass(frozen=True, slots=True)
class Claimed:
    """The pick that a write makes good: on a conflict the pick is dropped and made again."""

    pool: str
    holder: str
    number: int


@dataclass(frozen=True, slots=True)
class Create:
    """Create `object`."""

    kind: Kind
    object: Object


@dataclass(frozen=True, slots=True)
class Patch:
    """Merge `body` into an object."""

    kind: Kind
    namespace: str
    name: str
    body: dict[str, Any]
    uid: str
    """Of the object that was looked at: a successor of the same name is another object."""
    subresource: str = ""
    claimed: Claimed | None = None
    last: bool = False
    """Takes the last finalizer from an object that is being deleted: afterwards it is gone."""


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete one incarnation of an object."""

    kind: Kind
    namespace: str
    name: str
    uid: str


@dataclass(frozen=True, slots=True)
class Allocate:
    """Ask the server for a number of `pool`; the write that carries it makes the claim."""

    pool: str
    holder: str
    avoid: frozenset[int] = field(default_factory=frozenset)
    """Numbers that are picked for others already."""


@dataclass(frozen=True, slots=True)
class Promise:
    """Remember a number that the plan picked by itself."""

    pool: str
    holder: str
    number: int


@dataclass(frozen=True, slots=True)
class Say:
    """Tell people."""

    finding: Finding


@dataclass(frozen=True, slots=True)
class Later:
    """Look again after so many seconds, though nothing may have changed."""

    seconds: float


Step = Create | Patch | Delete | Allocate | Promise | Say | Later
Steps = list[Step]
