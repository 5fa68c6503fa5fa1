"""What a plan has to say about an object that it cannot do right by."""

from __future__ import annotations

from dataclasses import dataclass

from cn2.api.kind import Object


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that a person must know of; it becomes an event about `about`."""

    about: Object
    reason: str
    """CamelCase and constant, e.g. `NetworkNotReady`."""
    message: str
    """Names the objects and values concerned."""
    warning: bool = True
    """A Warning, otherwise Normal."""
