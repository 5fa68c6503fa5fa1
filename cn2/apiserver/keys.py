"""Where in the store things are."""

from __future__ import annotations

from cn2.api.kind import Kind

REFUSED = "/refused"
"""Keys of the objects that the last migration had to leave as they were, as a JSON list."""
CLAIM_FAMILIES = ("/claims/", "/holders/", "/wants/")

_CLUSTER = "-"
"""Stands for the namespace of cluster-scoped objects; no namespace has this name."""


def under(kind: Kind, namespace: str = "") -> str:
    """The prefix of a kind's objects, of one namespace or of all."""
    prefix = f"/registry/{kind.group or 'core'}/{kind.plural}/"
    if not kind.namespaced:
        return f"{prefix}{_CLUSTER}/"
    return f"{prefix}{namespace}/" if namespace else prefix


def key(kind: Kind, namespace: str, name: str) -> str:
    """The key of one object."""
    return under(kind, namespace) + name


def claims(pool: str) -> str:
    return f"/claims/{pool}/"


def claim(pool: str, number: int) -> str:
    """The value is the holder."""
    return f"/claims/{pool}/{number:016x}"


def claimed(claim: str) -> tuple[str, int]:
    """Pool and number of a claim's key."""
    pool, _, number = claim.removeprefix("/claims/").rpartition("/")
    return pool, int(number, 16)


def holding(holder: str, pool: str) -> str:
    """The value is the number that `holder` has in `pool`. No name contains a slash, so "//" ends
    a holder whatever its parts are called."""
    return f"/holders/{holder}//{pool}"


def holdings(holder: str) -> str:
    return f"/holders/{holder}//"


def want(holder: str, wanter: str) -> str:
    return f"/wants/{holder}//{wanter}"


def wants(holder: str) -> str:
    return f"/wants/{holder}//"
