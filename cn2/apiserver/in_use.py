"""What people may not delete while others use it (cn2-api.md 10 #26).

The system's own components may: a Subnet goes with the definition that asked for it, also with
pods attached, and a namespace takes along what is in it.
"""

from __future__ import annotations

from cn2.api.access import at
from cn2.api.kind import Kind, Object
from cn2.api.kinds import by_name
from cn2.apiserver import keys
from cn2.apiserver.backend import Backend
from cn2.apiserver.digest import header
from cn2.apiserver.errors import conflict
from cn2.apiserver.request import User
from cn2.net.names import back_reference

_COMPONENT = "system:cn2:"
POD = "Pod"


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
    if kind.made_for is not None and (pod := kind.made_for(obj)) is not None:
        _check_pod(backend, kind, name, *pod)
    for other in kind.kept_by:
        _check_references(backend, kind, obj, by_name(other))


def _check_pod(
    backend: Backend, kind: Kind, name: str, namespace: str, pod_name: str, uid: str
) -> None:
    """What a running pod stands on: its address would be free for others."""
    pod = backend.lookup(POD, namespace, pod_name)
    if pod is None or pod["metadata"]["uid"] != uid:
        return
    if at(pod, "status", "phase") not in ("Succeeded", "Failed"):
        why = f"Pod {namespace}/{pod_name} uses it; it goes when the pod is deleted"
        raise conflict(kind, name, why)


def _check_references(backend: Backend, kind: Kind, obj: Object, other: Kind) -> None:
    metadata = obj["metadata"]
    label, _ = back_reference(kind.kind, metadata.get("namespace", ""), metadata["name"])
    for entry in backend.store.latest_under(keys.under(other)):
        user = header(entry)
        if label in (user.labels or {}):
            why = f"{other.kind} {'/'.join(filter(None, (user.namespace, user.name)))} refers to it"
            raise conflict(kind, metadata["name"], why)
