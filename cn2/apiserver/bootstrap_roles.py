"""The roles that every cluster has: cluster-admin, admin, edit, view, and what all users may.

Rules come from the table of kinds, so that CN2's kinds are in them too. As in Kubernetes the three
roles for people are aggregated: who labels a ClusterRole of his own adds to them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cn2.api.kind import Family, Kind, Object
from cn2.api.kinds import CLUSTER_ROLE, CLUSTER_ROLE_BINDING, KINDS
from cn2.apiserver.authn import AUTHENTICATED, MASTERS

AUTOUPDATE = "rbac.authorization.kubernetes.io/autoupdate"
_GROUP = CLUSTER_ROLE.group
_BOOTSTRAPPING = {"kubernetes.io/bootstrapping": "rbac-defaults"}
_LABEL = "rbac.authorization.k8s.io/aggregate-to-"
_READ = ["get", "list", "watch"]
_WRITE = ["create", "delete", "deletecollection", "patch", "update"]

_EVERYBODY: tuple[Object, ...] = (
    {
        "verbs": ["create"],
        "apiGroups": ["authorization.k8s.io"],
        "resources": ["selfsubjectaccessreviews", "selfsubjectrulesreviews"],
    },
    {
        "verbs": ["create"],
        "apiGroups": ["authentication.k8s.io"],
        "resources": ["selfsubjectreviews"],
    },
    {
        "verbs": ["get"],
        "nonResourceURLs": [
            *("/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez", "/readyz"),
            *("/openapi", "/openapi/*", "/version", "/version/"),
        ],
    },
)
"""What Kubernetes gives to system:authenticated (system:basic-user, system:discovery)."""

_ONLY_READ = frozenset(
    {"limitranges", "resourcequotas", "namespaces", "routinginstances", "virtualmachineinterfaces"}
)
"""Kinds in a namespace that are set by who runs the cluster, or made by the controllers."""
_STREAMS = ("pods/attach", "pods/exec", "pods/portforward", "pods/proxy")
_ANSWERS = ("log", "scale", "status")
"""Subresources that show something of an object."""


def objects() -> Iterator[tuple[Kind, Object]]:
    """ClusterRoles and ClusterRoleBindings to create where they are not there."""
    everything = [
        {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]},
        {"nonResourceURLs": ["*"], "verbs": ["*"]},
    ]
    yield _role("cluster-admin", {}, rules=everything)
    yield _binding("cluster-admin", MASTERS)
    for name, rules in kept():
        yield _role(name, _labels(name), rules=rules)
    for name, above in (("admin", ""), ("edit", "admin"), ("view", "edit")):
        labels = {_LABEL + above: "true"} if above else {}
        selector = {"matchLabels": {_LABEL + name: "true"}}
        yield _role(name, labels, rules=[], aggregationRule={"clusterRoleSelectors": [selector]})
    for name in ("system:basic-user", "system:discovery"):
        yield _binding(name, AUTHENTICATED)


def kept() -> Iterator[tuple[str, list[Object]]]:
    """Roles whose rules follow the table of kinds, by name."""
    rbac = [kind for kind in KINDS if kind.group == _GROUP and kind.namespaced]
    yield "system:aggregate-to-admin", _rules(rbac, [*_READ, *_WRITE])
    yield "system:aggregate-to-edit", _edit_rules()
    yield "system:aggregate-to-view", _rules(_shown(), _READ, _ANSWERS)
    yield "system:basic-user", [rule for rule in _EVERYBODY if rule.get("resources")]
    yield "system:discovery", [rule for rule in _EVERYBODY if rule.get("nonResourceURLs")]


def _labels(name: str) -> dict[str, str]:
    into = name.removeprefix("system:aggregate-to-")
    return {} if into == name else {_LABEL + into: "true"}


def _shown() -> list[Kind]:
    """What a viewer may see: no secrets, and not who may do what."""
    hidden = ("secrets", "namespaces")
    shown = [
        kind
        for kind in KINDS
        if kind.namespaced and kind.group != _GROUP and kind.plural not in hidden
    ]
    return [*(kind for kind in KINDS if kind.kind == "Namespace"), *shown]


def _edit_rules() -> list[Object]:
    secrets = [kind for kind in KINDS if (kind.group, kind.plural) == ("", "secrets")]
    edited = [
        kind
        for kind in (*_shown(), *secrets)
        if kind.plural not in _ONLY_READ and (kind.family is not Family.CRD or "cni" in kind.group)
    ]
    return [
        *_rules(edited, _WRITE, ("scale",)),
        *_rules(secrets, _READ),
        _rule("", ["pods/eviction", "serviceaccounts/token"], ["create"]),
        _rule("", _STREAMS, ["create", "get"]),
        _rule("", ["serviceaccounts"], ["impersonate"]),
    ]


def _rules(
    kinds: Iterable[Kind], verbs: list[str], subresources: tuple[str, ...] = ()
) -> list[Object]:
    """One rule for each group."""
    resources: dict[str, list[str]] = {}
    for kind in kinds:
        parts = {*kind.subresources, *(("status",) if kind.status else ())}
        listed = [kind.plural, *(f"{kind.plural}/{part}" for part in subresources if part in parts)]
        resources.setdefault(kind.group, []).extend(listed)
    return [_rule(group, sorted(resources[group]), verbs) for group in sorted(resources)]


def _rule(group: str, resources: Iterable[str], verbs: list[str]) -> Object:
    return {"apiGroups": [group], "resources": list(resources), "verbs": verbs}


def _role(name: str, labels: dict[str, str], **content: object) -> tuple[Kind, Object]:
    return CLUSTER_ROLE, _object(CLUSTER_ROLE, name, labels) | content


def _binding(role: str, group: str) -> tuple[Kind, Object]:
    obj = _object(CLUSTER_ROLE_BINDING, role, {})
    obj["roleRef"] = {"apiGroup": _GROUP, "kind": CLUSTER_ROLE.kind, "name": role}
    obj["subjects"] = [{"apiGroup": _GROUP, "kind": "Group", "name": group}]
    return CLUSTER_ROLE_BINDING, obj


def _object(kind: Kind, name: str, labels: dict[str, str]) -> Object:
    metadata = {
        "name": name,
        "labels": {**_BOOTSTRAPPING, **labels},
        "annotations": {AUTOUPDATE: "true"},
    }
    return {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": metadata}
