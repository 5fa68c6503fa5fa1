"""Who may do what: administrators everything, everybody else what RBAC objects allow.

Rules are those of the stored ClusterRoles and Roles that bindings give to the user. There is
nothing that denies: what no rule allows is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cn2.api.kind import Kind, Object
from cn2.api.kinds import CLUSTER_ROLE, CLUSTER_ROLE_BINDING, ROLE, ROLE_BINDING
from cn2.apiserver import codec, keys
from cn2.apiserver.authn import MASTERS
from cn2.apiserver.backend import Backend
from cn2.apiserver.errors import ApiError
from cn2.apiserver.request import User
from cn2.apiserver.routing import Target
from cn2.store.interface import Entry

_KEPT = 10_000
"""Decoded roles and bindings; rebuilt from the entries when emptied."""

Rule = Object
"""An rbac.authorization.k8s.io/v1 PolicyRule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attributes:
    """What is to be done. A `path` stands for everything that is no resource."""

    verb: str
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""

    @property
    def full_resource(self) -> str:
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource

    @classmethod
    def of(cls, verb: str, target: Target) -> Attributes:
        return cls(
            verb=verb,
            group=target.kind.group,
            resource=target.kind.plural,
            subresource=target.subresource,
            namespace=target.namespace,
            name=target.name,
        )


class Authorizer:
    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._decoded: dict[str, tuple[int, Object]] = {}

    def allows(self, user: User, attributes: Attributes) -> bool:
        if MASTERS in user.groups:
            return True
        return any(covers(rule, attributes) for rule in self.rules(user, attributes.namespace))

    def check(self, user: User, attributes: Attributes) -> None:
        """Raises Forbidden for what no rule allows."""
        if not self.allows(user, attributes):
            raise _refusal(user, attributes)

    def rules(self, user: User, namespace: str) -> Iterator[Rule]:
        """The rules that a user has in a namespace (`""`: cluster-wide only)."""
        for binding in self._all(CLUSTER_ROLE_BINDING, ""):
            if _names(binding, user, ""):
                yield from self._role(binding, "")
        if namespace:
            for binding in self._all(ROLE_BINDING, namespace):
                if _names(binding, user, namespace):
                    yield from self._role(binding, namespace)

    def _role(self, binding: Object, namespace: str) -> list[Rule]:
        ref = binding.get("roleRef") or {}
        kind = CLUSTER_ROLE if ref.get("kind") == CLUSTER_ROLE.kind else ROLE
        where = namespace if kind is ROLE else ""
        entry = self._backend.store.get(keys.key(kind, where, ref.get("name", "")))
        return list(self._decode(entry).get("rules") or ()) if entry else []

    def _all(self, kind: Kind, namespace: str) -> Iterator[Object]:
        for entry in self._backend.store.list(keys.under(kind, namespace)).entries:
            yield self._decode(entry)

    def _decode(self, entry: Entry) -> Object:
        known = self._decoded.get(entry.key)
        if known is None or known[0] != entry.revision:
            if len(self._decoded) >= _KEPT:
                self._decoded.clear()
            known = self._decoded[entry.key] = (entry.revision, codec.decode(entry))
        return known[1]


def _refusal(user: User, attributes: Attributes) -> ApiError:
    """Forbidden, in kube-apiserver's words."""
    if attributes.path:
        message = f'User "{user.name}" cannot {attributes.verb} path "{attributes.path}"'
        return ApiError(403, "Forbidden", f"forbidden: {message}")
    group = attributes.group
    shown = f"{attributes.resource}.{group}" if group else attributes.resource
    quoted = f' "{attributes.name}"' if attributes.name else ""
    where = (
        f'in the namespace "{attributes.namespace}"'
        if attributes.namespace
        else "at the cluster scope"
    )
    message = (
        f'{shown}{quoted} is forbidden: User "{user.name}" cannot {attributes.verb} resource'
        f' "{attributes.full_resource}" in API group "{group}" {where}'
    )
    details: dict[str, Any] = {"kind": attributes.resource}
    if attributes.name:
        details["name"] = attributes.name
    if group:
        details["group"] = group
    return ApiError(403, "Forbidden", message, details)


def _names(binding: Object, user: User, namespace: str) -> bool:
    return any(_is(subject, user, namespace) for subject in binding.get("subjects") or ())


def _is(subject: Object, user: User, namespace: str) -> bool:
    name = subject.get("name")
    match subject.get("kind"):
        case "User":
            return name == user.name
        case "Group":
            return name in user.groups
        case "ServiceAccount":
            where = subject.get("namespace") or namespace
            return user.name == f"system:serviceaccount:{where}:{name}"
        case _:
            return False


def covers(rule: Rule, attributes: Attributes) -> bool:
    if not _has(rule.get("verbs"), attributes.verb):
        return False
    if attributes.path:
        return any(_matches(url, attributes.path) for url in rule.get("nonResourceURLs") or ())
    names = rule.get("resourceNames") or ()
    return (
        _has(rule.get("apiGroups"), attributes.group)
        and _has_resource(rule.get("resources") or (), attributes)
        and (not names or attributes.name in names)
    )


def _has(listed: Any, value: str) -> bool:
    return bool(listed) and ("*" in listed or value in listed)


def _has_resource(resources: Any, attributes: Attributes) -> bool:
    wanted = {"*", attributes.full_resource}
    if attributes.subresource:
        wanted.add(f"*/{attributes.subresource}")
    return not wanted.isdisjoint(resources)


def _matches(url: str, path: str) -> bool:
    return url == path or (url.endswith("*") and path.startswith(url[:-1]))
