"""Who may give away which permissions, and the roles that every cluster has."""

from __future__ import annotations

from typing import Any

import pytest

from cn2.apiserver.request import User

RBAC = "/apis/rbac.authorization.k8s.io/v1"
ROLES = f"{RBAC}/namespaces/default/roles"
BINDINGS = f"{RBAC}/namespaces/default/rolebindings"
CLUSTER_ROLES = f"{RBAC}/clusterroles"
BOB = User("bob", ("system:authenticated",))
PODS = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}
SECRETS = {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "list"]}


def rbac(*verbs: str) -> dict[str, Any]:
    return {
        "apiGroups": ["rbac.authorization.k8s.io"],
        "resources": ["roles", "rolebindings", "clusterroles"],
        "verbs": list(verbs),
    }


def binding(name: str, role: str, who: str = "eve", kind: str = "ClusterRole") -> dict[str, Any]:
    return {
        "metadata": {"name": name},
        "roleRef": {"kind": kind, "name": role},
        "subjects": [{"kind": "User", "name": who}],
    }


async def bob_has(api: Any, *rules: Any) -> None:
    await api.create(CLUSTER_ROLES, {"metadata": {"name": "bobs"}, "rules": list(rules)})
    await api.create(f"{RBAC}/clusterrolebindings", binding("bobs", "bobs", "bob"))


def role(*rules: Any, name: str = "r") -> dict[str, Any]:
    return {"metadata": {"name": name}, "rules": list(rules)}


async def test_a_role_can_give_no_more_than_its_author_has(api) -> None:
    await bob_has(api, PODS, rbac("create", "patch"))
    held = await api("POST", ROLES, role(PODS), user=BOB)
    more = await api("POST", ROLES, role(PODS, SECRETS, name="s"), user=BOB)
    grown = await api(
        "PATCH",
        f"{ROLES}/r",
        {"rules": [SECRETS]},
        user=BOB,
        content_type="application/merge-patch+json",
    )

    assert held.status == 201
    assert (more.status, more.message) == (
        403,
        'roles.rbac.authorization.k8s.io "s" is forbidden: user "bob"'
        ' (groups=["system:authenticated"]) is attempting to grant RBAC permissions not currently'
        ' held:\n{APIGroups:[""], Resources:["secrets"], Verbs:["get", "list"]}',
    )
    assert grown.status == 403


async def test_escalate_lifts_the_limit_for_roles_and_bind_for_bindings(api) -> None:
    await bob_has(api, rbac("create", "escalate", "bind"))

    assert (await api("POST", ROLES, role(SECRETS), user=BOB)).status == 201
    assert (await api("POST", BINDINGS, binding("b", "cluster-admin"), user=BOB)).status == 201


async def test_a_binding_gives_no_more_than_its_author_has(api) -> None:
    await bob_has(api, PODS, rbac("create"))
    await api.create(ROLES, role(PODS))
    held = await api("POST", BINDINGS, binding("a", "r", kind="Role"), user=BOB)
    more = await api("POST", BINDINGS, binding("b", "cluster-admin"), user=BOB)
    unknown = await api("POST", BINDINGS, binding("c", "nosuch"), user=BOB)

    assert (held.status, more.status, unknown.status) == (201, 403, 404)
    assert '{NonResourceURLs:["*"], Verbs:["*"]}' in more.message


async def test_nobody_has_a_namespaces_role_everywhere(api) -> None:
    await api.create(ROLES, role(SECRETS))
    cluster = await api("POST", f"{RBAC}/clusterrolebindings", binding("b", "r", kind="Role"))

    assert (cluster.status, cluster.message) == (
        422,
        'ClusterRoleBinding.rbac.authorization.k8s.io "b" is invalid: roleRef.kind:'
        ' Unsupported value: "Role": supported values: "ClusterRole"',
    )


async def test_only_who_may_do_all_aggregates(api) -> None:
    await bob_has(api, rbac("create"))
    rule = {"clusterRoleSelectors": [{"matchLabels": {"a": "b"}}]}
    body = {"metadata": {"name": "agg"}, "aggregationRule": rule}
    refused = await api("POST", CLUSTER_ROLES, body, user=BOB)

    assert "must have cluster-admin privileges" in refused.message
    assert (await api("POST", CLUSTER_ROLES, body)).status == 201


@pytest.mark.parametrize(
    ("into", "resource", "verb", "allowed"),
    [
        ("view", "virtualnetworks.core.contrail.juniper.net", "get", True),
        ("view", "pods", "watch", True),
        ("view", "pods/log", "get", True),
        ("view", "secrets", "get", False),
        ("edit", "secrets", "get", True),
        ("edit", "pods/exec", "create", True),
        ("edit", "network-attachment-definitions.k8s.cni.cncf.io", "create", True),
        ("edit", "virtualmachineinterfaces.core.contrail.juniper.net", "update", False),
        ("edit", "resourcequotas", "update", False),
        ("admin", "rolebindings.rbac.authorization.k8s.io", "create", True),
    ],
)
async def test_what_the_roles_for_people_are_made_of(
    api, into: str, resource: str, verb: str, allowed: bool
) -> None:
    made = await api.get(f"{CLUSTER_ROLES}/system:aggregate-to-{into}")
    plural, _, group = resource.partition(".")

    assert allowed == any(
        group in rule["apiGroups"] and plural in rule["resources"] and verb in rule["verbs"]
        for rule in made["rules"]
    )
