"""Nobody grants what he does not hold: the checks of kube-apiserver's RBAC storage."""

from __future__ import annotations

import json
from collections.abc import Iterator

from cn2.api.access import items, mapping, text
from cn2.api.kind import Kind, Object
from cn2.api.kinds import CLUSTER_ROLE, CLUSTER_ROLE_BINDING, ROLE, ROLE_BINDING
from cn2.apiserver.authn import MASTERS
from cn2.apiserver.authz import Attributes, Authorizer, Rule, covers
from cn2.apiserver.backend import Backend
from cn2.apiserver.errors import ApiError, forbidden, not_found
from cn2.apiserver.request import User

_GROUP = ROLE.group
_EVERYTHING: list[Rule] = [
    {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]},
    {"verbs": ["*"], "nonResourceURLs": ["*"]},
]


def check(backend: Backend, user: User | None, kind: Kind, new: Object, old: Object | None) -> None:
    """Raises Forbidden for a role or a binding that would give more than `user` has."""
    if user is None or MASTERS in user.groups or kind.group != _GROUP:
        return
    if kind is ROLE or kind is CLUSTER_ROLE:
        _check_role(Authorizer(backend), user, kind, new, old)
    elif kind is ROLE_BINDING or kind is CLUSTER_ROLE_BINDING:
        _check_binding(backend, user, kind, new, old)


def _check_role(
    authorizer: Authorizer, user: User, kind: Kind, new: Object, old: Object | None
) -> None:
    namespace = new["metadata"].get("namespace", "")
    name = new["metadata"]["name"]
    if _may(authorizer, user, "escalate", kind, namespace, name):
        return
    held = list(authorizer.rules(user, namespace))
    aggregates = new.get("aggregationRule")
    changed = aggregates and aggregates != (old or {}).get("aggregationRule")
    if changed and _lacking(held, _EVERYTHING):
        raise forbidden(kind, name, "must have cluster-admin privileges to use the aggregationRule")
    if old is None or new.get("rules") != old.get("rules"):
        _require(kind, name, user, held, items(new, "rules"))


def _check_binding(
    backend: Backend, user: User, kind: Kind, new: Object, old: Object | None
) -> None:
    if old is not None and all(new.get(k) == old.get(k) for k in ("roleRef", "subjects")):
        return
    authorizer = Authorizer(backend)
    namespace = new["metadata"].get("namespace", "")
    ref = mapping(new, "roleRef")
    role_kind = CLUSTER_ROLE if text(ref, "kind") == CLUSTER_ROLE.kind else ROLE
    role_name = text(ref, "name")
    if _may(authorizer, user, "bind", role_kind, namespace, role_name):
        return
    where = namespace if role_kind.namespaced else ""
    role = backend.latest_object(role_kind, where, role_name)
    if role is None:
        raise not_found(role_kind, role_name)
    held = list(authorizer.rules(user, namespace))
    _require(kind, new["metadata"]["name"], user, held, items(role, "rules"))


def _may(
    authorizer: Authorizer, user: User, verb: str, kind: Kind, namespace: str, name: str
) -> bool:
    return authorizer.allows(
        user,
        Attributes(verb=verb, group=_GROUP, resource=kind.plural, namespace=namespace, name=name),
    )


def _require(kind: Kind, name: str, user: User, held: list[Rule], wanted: list[Rule]) -> None:
    lacking = _lacking(held, wanted)
    if lacking:
        raise _refusal(kind, name, user, lacking)


def _refusal(kind: Kind, name: str, user: User, lacking: list[Attributes]) -> ApiError:
    groups = json.dumps(list(user.groups), separators=(",", ":"))
    told = "\n".join(sorted(_compact(lacking)))
    why = (
        f"user {json.dumps(user.name)} (groups={groups}) is attempting to grant RBAC permissions"
        f" not currently held:\n{told}"
    )
    return forbidden(kind, name, why)


def _lacking(held: list[Rule], wanted: list[Rule]) -> list[Attributes]:
    return [
        one for rule in wanted for one in _each(rule) if not any(covers(have, one) for have in held)
    ]


def _each(rule: Rule) -> Iterator[Attributes]:
    """A rule taken apart into single permissions."""
    for verb in items(rule, "verbs"):
        for path in items(rule, "nonResourceURLs"):
            yield Attributes(verb=verb, path=path)
        for group in items(rule, "apiGroups"):
            for resource in items(rule, "resources"):
                plural, _, subresource = resource.partition("/")
                for name in items(rule, "resourceNames") or [""]:
                    yield Attributes(
                        verb=verb,
                        group=group,
                        resource=plural,
                        subresource=subresource,
                        name=name,
                    )


def _compact(lacking: list[Attributes]) -> Iterator[str]:
    """Single permissions as rules, those that differ in the verb together."""
    verbs: dict[tuple[str, ...], list[str]] = {}
    for one in lacking:
        key = (one.path, one.group, one.full_resource if one.resource else "", one.name)
        known = verbs.setdefault(key, [])
        if one.verb not in known:
            known.append(one.verb)
    for (path, group, resource, name), together in verbs.items():
        parts = (
            [f"NonResourceURLs:{_list(path)}"]
            if path
            else [
                f"APIGroups:{_list(group)}",
                f"Resources:{_list(resource)}",
                *([f"ResourceNames:{_list(name)}"] if name else []),
            ]
        )
        yield f"{{{', '.join([*parts, f'Verbs:{_list(*together)}'])}}}"


def _list(*values: str) -> str:
    return f"[{', '.join(json.dumps(value) for value in values)}]"
