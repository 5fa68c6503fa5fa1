"""From what a client sent to an object that is complete and right, the same for every write."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cn2.api import conventions
from cn2.api.kind import Family, FieldError, Kind, Object
from cn2.api.kinds import by_name
from cn2.api.validation import checker, unknown_field
from cn2.apiserver import (
    escalation,
    fields,
    limit_ranges,
    namespaces,
    node_ports,
    priority,
    quotas,
    service_ips,
)
from cn2.apiserver.authz import Attributes, Authorizer
from cn2.apiserver.backend import Backend
from cn2.apiserver.errors import bad_request, invalid
from cn2.apiserver.options import Unknown, WriteOptions
from cn2.apiserver.request import User
from cn2.net.names import BACK_REFERENCE_PREFIX

Manage = Callable[[Object | None, Object], None]
"""Sets managedFields of the second object, given the first as it was."""


@dataclass(frozen=True, slots=True)
class Schemed:
    """An object whose fields are known and defaulted, and what to warn of."""

    obj: Object
    warnings: tuple[str, ...] = ()


def fit_schema(
    kind: Kind, obj: Object, options: WriteOptions, old: Object | None = None
) -> Schemed:
    """Drops or refuses unknown fields, fills in defaults, checks types and bounds."""
    check = checker(kind)
    unknown = [*options.duplicates, *(unknown_field(path) for path in check.prune(obj))]
    if unknown and options.unknown is Unknown.STRICT:
        raise bad_request(f"strict decoding error: {', '.join(unknown)}")
    check.default(obj)
    errors = check.check(obj, old)
    if errors:
        raise invalid(kind, obj["metadata"].get("name", ""), errors)
    return Schemed(obj, tuple(unknown) if options.unknown is Unknown.WARN else ())


def begin_status(kind: Kind, obj: Object) -> None:
    """The status of a new object: never what its creator says, at most what it starts with."""
    if kind.status:
        obj.pop("status", None)
    if namespaces.is_namespace(kind):
        namespaces.begin(obj)
    elif (kind.group, kind.plural) == ("", "pods"):
        obj["status"] = {"phase": "Pending"}
    elif (kind.group, kind.plural) == ("", "services"):
        obj["status"] = {"loadBalancer": {}}


def updater(backend: Backend, kind: Kind, options: WriteOptions, subresource: str) -> Manage:
    """Ownership of fields for everything but apply patches."""
    # CN2's own kinds show main and status writes of a manager in one entry.
    shown = "" if kind.family is Family.AGGREGATED else subresource

    def manage(old: Object | None, new: Object) -> None:
        fields.record_update(
            _begun(kind, new) if old is None else old,
            new,
            manager=options.manager,
            api_version=kind.api_version,
            subresource=shown,
            now=backend.now(),
            schema=kind.schema,
            typed=kind.family is not Family.CRD,
        )

    return manage


def _begun(kind: Kind, new: Object) -> Object | None:
    """What a create starts from: nothing, or a labels map that is the server's own.

    CN2's server begins the map of back-reference labels itself: who sends nothing but these owns
    his label, but not the map (seen on RoutingInstances).
    """
    labels = new["metadata"].get("labels")
    if kind.family is not Family.AGGREGATED or not labels:
        return None
    if all(label.startswith(BACK_REFERENCE_PREFIX) for label in labels):
        return {"metadata": {"labels": {}}}
    return None


def complete(
    backend: Backend, kind: Kind, new: Object, old: Object | None, options: WriteOptions
) -> tuple[str, ...]:
    """What the server computes itself, and the checks that no schema can say; what to warn of."""
    if kind.family is Family.AGGREGATED:
        conventions.apply(kind, new, old, backend.lookup)
        if options.user is not None and not options.component:
            _check_access(backend, kind, new, old, options.user)
    service_ips.assign(backend, kind, new, old)
    node_ports.assign(backend, kind, new, old)
    limit_ranges.admit(backend, kind, new, old)
    priority.admit(backend, kind, new, old)
    if kind.complete is not None:
        kind.complete(new, old)
    errors = _errors(backend, kind, new, old, options)
    if errors and old is not None:
        # What was wrong before is not refused now: a finalizer or a status must get through.
        known = _errors(backend, kind, old, old, options)
        errors = [error for error in errors if error not in known]
    if errors:
        raise invalid(kind, new["metadata"]["name"], errors)
    escalation.check(backend, options.user, kind, new, old)
    quotas.admit(backend, kind, new, old)
    if options.component or (old is not None and _asked(new) == _asked(old)):
        return ()
    inert = (f"{kind.kind} is stored but has no effect yet: {kind.inert}",) if kind.inert else ()
    return (*inert, *kind.warn(new, old)) if kind.warn is not None else inert


def _asked(obj: Object) -> Any:
    """The parts of an object in which people ask for something."""
    return obj["metadata"].get("annotations"), obj.get("spec")


def _check_access(
    backend: Backend, kind: Kind, new: Object, old: Object | None, user: User
) -> None:
    """Raises Forbidden for a new reference into another namespace in which the user may not read
    what it names: else one could use a stranger's Subnet by knowing its name."""
    own = new["metadata"].get("namespace", "")
    known = {conventions.target(ref, own) for ref in conventions.references(kind, old or {})}
    for ref in conventions.references(kind, new):
        named, namespace, name = which = conventions.target(ref, own)
        if not namespace or namespace == own or which in known:
            continue
        try:
            other = by_name(named)
        except KeyError:
            continue  # no such kind: the checks of the referring one say so
        attributes = Attributes(
            verb="get",
            group=other.group,
            resource=other.plural,
            subresource="",
            namespace=namespace,
            name=name,
        )
        Authorizer(backend).check(user, attributes)


def _errors(
    backend: Backend, kind: Kind, new: Object, old: Object | None, options: WriteOptions
) -> list[FieldError]:
    errors = list(kind.validate(new, old)) if kind.validate is not None else []
    if kind.validate_among is not None and not options.component and not errors:
        errors += kind.validate_among(new, old, backend.lookup)
    return errors


def as_written(sent: Any, final: Any, old: Any) -> Any:
    """What a client sent, with what the server kept from the old object because it was left out.

    The client's field manager owns what it wrote and keeps owning what was kept for it; what the
    server computed anew belongs to nobody.
    """
    if not (isinstance(sent, dict) and isinstance(final, dict) and isinstance(old, dict)):
        return sent
    merged = dict(sent)
    for key, before in old.items():
        if key in sent:
            merged[key] = as_written(sent[key], final.get(key), before)
        elif key in final and final[key] == before:
            merged[key] = before
    return merged
