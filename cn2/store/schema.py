"""Which schema the values of a store follow.

The store knows no schema itself. Whoever fills it puts a record under `KEY`, in the transaction
that makes every value follow that schema, and says at the next opening which schemas he can read.
A schema that he does not know is a newer one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

KEY = "/schema"


class Record(msgspec.Struct, frozen=True):
    """What was written last about a store's values."""

    schema: str
    migrations: int
    """How many migrations of values have been done, of those that the writer knew."""
    release: str
    """The writer's version, for people."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the one who opens a store can read."""

    schemas: Sequence[str]
    """Oldest first; the last is his own."""
    release: str

    def is_own(self, record: Record | None) -> bool:
        return record is not None and record.schema == self.schemas[-1]

    def reads(self, record: Record | None) -> bool:
        """Stores from before there were records can be read by everybody."""
        return record is None or record.schema in self.schemas


def encode(record: Record) -> bytes:
    return msgspec.json.encode(record)


def decode(value: bytes) -> Record:
    return msgspec.json.decode(value, type=Record)
