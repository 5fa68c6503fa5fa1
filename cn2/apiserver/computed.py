"""Kinds whose objects are not stored but computed for each request: they are read-only."""

from __future__ import annotations

from dataclasses import dataclass

from cn2.api.crds import definition
from cn2.api.kind import Family, Kind, Object
from cn2.api.kinds import CUSTOM_RESOURCE_DEFINITION, KINDS, POOL, SERVICE
from cn2.apiserver import codec, pools
from cn2.apiserver.backend import Backend
from cn2.apiserver.digest import Selection
from cn2.apiserver.errors import not_found
from cn2.apiserver.request import Request
from cn2.net.names import fnv1a32_number
from cn2.store.interface import Entry


def is_computed(kind: Kind) -> bool:
    return kind is POOL or kind is CUSTOM_RESOURCE_DEFINITION


def get(backend: Backend, kind: Kind, name: str) -> Object:
    """One object; NotFound for names that nothing has."""
    if kind is POOL:
        return pools.get(backend, kind, name)
    for found in _definitions(backend):
        if found["metadata"]["name"] == name:
            return found
    raise not_found(kind, name)


@dataclass(frozen=True, slots=True)
class Computed:
    """All objects that a request selects, as if they had been stored at `revision`."""

    entries: list[Entry]
    revision: int


def every(backend: Backend, kind: Kind, request: Request) -> Computed:
    revision = backend.store.revision
    objects = pools.every(backend) if kind is POOL else _definitions(backend)
    select = Selection(
        backend.digests,
        kind,
        request.query.get("labelSelector", ""),
        request.query.get("fieldSelector", ""),
    )
    entries = (
        Entry(f"{kind.plural}/{obj['metadata']['name']}", codec.dump(obj), revision, revision)
        for obj in objects
    )
    return Computed([entry for entry in entries if select(entry)], revision)


def _definitions(backend: Backend) -> list[Object]:
    """The definitions of the kinds that are custom resources on a cluster too."""
    oldest = backend.latest_object(SERVICE, "default", "kubernetes")
    since = oldest["metadata"]["creationTimestamp"] if oldest else backend.now()
    return [_established(kind, since) for kind in KINDS if kind.family is Family.CRD]


def _established(kind: Kind, since: str) -> Object:
    made = definition(kind)
    name, spec = made["metadata"]["name"], made["spec"]
    conditions = [
        {
            "type": type_,
            "status": "True",
            "lastTransitionTime": since,
            "reason": reason,
            "message": message,
        }
        for type_, reason, message in (
            ("NamesAccepted", "NoConflicts", "no conflicts found"),
            ("Established", "InitialNamesAccepted", "the initial names have been accepted"),
        )
    ]
    uid = f"00000000-0000-4000-8000-{fnv1a32_number(name):012x}"
    return {
        **made,
        "metadata": {
            **made["metadata"],
            "uid": uid,
            "resourceVersion": "1",
            "generation": 1,
            "creationTimestamp": since,
        },
        "spec": {**spec, "conversion": {"strategy": "None"}},
        "status": {
            "conditions": conditions,
            "acceptedNames": spec["names"],
            "storedVersions": [kind.version],
        },
    }
