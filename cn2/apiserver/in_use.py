"""What people may not delete while others use it (cn2-api.md 10 #26).

The system's own components may: a Subnet goes with the definition that asked for it, also with
pods attached, and a namespace takes along what is in it.
"""

from __future__ import annotations

from cn2.api.kind import Kind, Object
from cn2.api.kinds import by_name
from cn2.apiserver import keys
from cn2.apiserver.backend import Backend
from cn2.apiserver.digest import header
from cn2.apiserver.errors import conflict
from cn2.apiserver.request import User
from cn2.net.names import back_reference

_COMPONENT = "system:cn2:"


def is_component(user: User) -> bool:
    """Whether a request comes from a part of the system."""
    return user.name.startswith(_COMPONENT)


def check(backend: Backend, kind: Kind, obj: Object) -> None:
    """Raises Conflict when the object is in use; the message names one that uses it."""
    name = obj["metadata"]["name"]
    if kind.pool_of is not None:
        claims = backend.store.latest_under(keys.claims(kind.pool_of(obj)))
        if claims:
            who = claims[0].value.decode()
            raise conflict(kind, name, f"{len(claims)} numbers of it are in use, by {who} first")
    for other in kind.kept_by:
        _check_references(backend, kind, obj, by_name(other))


def _check_references(backend: Backend, kind: Kind, obj: Object, other: Kind) -> None:
    metadata = obj["metadata"]
    label, _ = back_reference(kind.kind, metadata.get("namespace", ""), metadata["name"])
    for entry in backend.store.latest_under(keys.under(other)):
        user = header(entry)
        if label in (user.labels or {}):
            why = f"{other.kind} {'/'.join(filter(None, (user.namespace, user.name)))} refers to it"
            raise conflict(kind, metadata["name"], why)
