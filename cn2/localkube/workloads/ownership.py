"""Which objects a controller owns, by selector and controller reference. Pure.

The rules are those of Kubernetes' ControllerRefManager: nobody takes what another controls; an
orphan that the selector picks is adopted; one's own that it does not pick any more is released.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from cn2.api.access import at, items, mapping, name_of, text
from cn2.api.kind import Kind, Object
from cn2.api.kubernetes.selectors import selector_matches


@dataclass(frozen=True, slots=True)
class Claim:
    """What becomes of the candidates: `owned` already, to be adopted, to be let go."""

    owned: list[Object] = field(default_factory=list)
    adopt: list[Object] = field(default_factory=list)
    release: list[Object] = field(default_factory=list)


def controller_of(obj: Object) -> Object:
    """The owner reference of the controller of an object, {} for an orphan."""
    for reference in items(obj, "metadata", "ownerReferences"):
        if at(reference, "controller") is True:
            return mapping(reference)
    return {}


def controller_uid(obj: Object) -> tuple[str]:
    """An index of objects by the uid of their controller; "" has the orphans."""
    return (text(controller_of(obj), "uid"),)


def controller_reference(kind: Kind, owner: Object) -> Object:
    """The reference by which `owner` controls what it makes."""
    return {
        "apiVersion": kind.api_version,
        "kind": kind.kind,
        "name": name_of(owner),
        "uid": text(owner, "metadata", "uid"),
        "controller": True,
        "blockOwnerDeletion": True,
    }


def claim(owner: Object, selector: Object, candidates: Iterable[Object]) -> Claim:
    """Judges candidates of the owner's namespace."""
    found = Claim()
    uid = text(owner, "metadata", "uid")
    dying = is_deleting(owner)
    for candidate in candidates:
        holder = text(controller_of(candidate), "uid")
        selected = selector_matches(selector, mapping(candidate, "metadata", "labels"))
        if holder == uid:
            if selected:
                found.owned.append(candidate)
            elif not dying:
                found.release.append(candidate)
        elif not holder and selected and not dying and not is_deleting(candidate):
            found.adopt.append(candidate)
    return found


def is_deleting(obj: Object) -> bool:
    return bool(text(obj, "metadata", "deletionTimestamp"))
