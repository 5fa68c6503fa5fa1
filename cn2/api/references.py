"""References between objects, and what an update that leaves things out keeps of them."""

from __future__ import annotations

from typing import Any

_IDENTITY = ("apiVersion", "kind", "namespace", "name")
_LINK = ("uid", "resourceVersion")


def same_referent(one: Any, other: Any) -> bool:
    """Whether two references name the same object, whatever else they carry."""
    return (
        isinstance(one, dict)
        and isinstance(other, dict)
        and all(one.get(key) == other.get(key) for key in _IDENTITY)
    )


def _is_reference(value: Any) -> bool:
    return isinstance(value, dict) and "kind" in value and "name" in value


def keep(new: Any, old: Any, *keys: str) -> None:
    """Keep what the server or a controller filled in earlier where an update leaves it out."""
    if not isinstance(new, dict) or not isinstance(old, dict):
        return
    for key in keys:
        if new.get(key) in (None, "") and old.get(key) not in (None, ""):
            new[key] = old[key]


def keep_references(new: Any, old: Any) -> None:
    """Walk two versions of a value. A reference that still names the same object keeps the uid
    and resourceVersion that the update leaves out; one that names another object loses those
    that were copied from before. References in lists are matched by what they name."""
    if isinstance(new, dict) and isinstance(old, dict):
        if _is_reference(new):
            _keep_link(new, old)
        for key, value in new.items():
            keep_references(value, old.get(key))
    elif isinstance(new, list) and isinstance(old, list):
        # By what they name: a VirtualRouter refers to every VirtualMachine of its node.
        before = {_identity(other): other for other in reversed(old) if _is_reference(other)}
        for item in new:
            if _is_reference(item) and (known := before.get(_identity(item))) is not None:
                keep_references(item, known)


def _identity(reference: dict[str, Any]) -> tuple[str, ...]:
    # As text: an object that is not yet checked may carry anything, also what has no hash.
    return tuple(repr(reference.get(key)) for key in _IDENTITY)


def _keep_link(new: dict[str, Any], old: dict[str, Any]) -> None:
    if same_referent(new, old):
        if new.get("uid") in (None, "", old.get("uid")):
            keep(new, old, *_LINK)
    elif new.get("uid") and new.get("uid") == old.get("uid"):
        for key in _LINK:
            new.pop(key, None)
