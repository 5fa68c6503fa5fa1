"""Changes of form that stored objects go through when a newer program opens an older store.

A field with a default needs none: defaults are filled in for every object.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cn2.api.kind import FieldError, Kind, Object
from cn2.api.validation import checker


@dataclass(frozen=True, slots=True)
class Migration:
    """One change of the objects of one kind."""

    name: str
    kind: str
    change: Callable[[Object], None]
    """Changes an object in place; does nothing to one that has the new form."""


MIGRATIONS: tuple[Migration, ...] = ()
"""In the order in which they came to be: new ones are added at the end, none is ever removed."""


def migrate(kind: Kind, new: Object, old: Object, done: int) -> list[FieldError]:
    """Brings `new`, a copy of the stored `old` that has gone through the first `done` migrations,
    to its present form, in place. Returns what today's rules find wrong with it."""
    for migration in MIGRATIONS[done:]:
        if migration.kind == kind.kind:
            migration.change(new)
    check = checker(kind)
    check.default(new)
    errors = check.check(new)
    if errors:
        return errors
    if kind.complete is not None:
        kind.complete(new, old)
    return kind.validate(new, old) if kind.validate is not None else []
