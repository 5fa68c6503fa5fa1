"""Who is let in, as whom, and what they may do."""

from __future__ import annotations

from typing import Any

import pytest

from cn2.apiserver.errors import ApiError
from cn2.apiserver.request import User

ACCOUNTS = "/api/v1/namespaces/default/serviceaccounts"
PODS = "/api/v1/namespaces/default/pods"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
REVIEWS = "/apis/authorization.k8s.io/v1"
BOB = User("bob", ("system:authenticated",))


def certificate(name: str, *organizations: str) -> dict[str, Any]:
    pairs = [("organizationName", o) for o in organizations] + [("commonName", name)]
    return {"subject": tuple((pair,) for pair in pairs)}


async def bearer(api: Any, **spec: Any) -> dict[str, str]:
    issued = await api.create(f"{ACCOUNTS}/sa/token", {"spec": spec})
    return {"authorization": f"Bearer {issued['status']['token']}"}


async def grant(api: Any, verbs: list[str], resources: list[str], subject: Any) -> None:
    rules = [{"verbs": verbs, "apiGroups": [""], "resources": resources}]
    ref = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "r"}
    namespaced = f"{RBAC}/namespaces/default"
    await api.create(f"{namespaced}/roles", {"metadata": {"name": "r"}, "rules": rules})
    await api.create(
        f"{namespaced}/rolebindings",
        {"metadata": {"name": "b"}, "subjects": [subject], "roleRef": ref},
    )


async def test_a_certificates_name_is_the_user_and_its_organizations_the_groups(api) -> None:
    user = api.kernel.authenticate(certificate("alice", "ops", "system:masters"), {})

    assert (user.name, user.groups) == ("alice", ("ops", "system:masters", "system:authenticated"))


@pytest.mark.parametrize(
    "headers",
    [{}, {"authorization": "Bearer nonsense"}, {"authorization": "Basic YTpi"}, {"x": "y"}],
)
async def test_nobody_without_credentials(api, headers: dict[str, str]) -> None:
    with pytest.raises(ApiError) as refused:
        api.kernel.authenticate(None, headers)

    assert refused.value.code == 401


async def test_a_bad_token_is_not_made_good_by_a_certificate(api) -> None:
    with pytest.raises(ApiError):
        api.kernel.authenticate(certificate("a", "system:masters"), {"authorization": "Bearer x"})


async def test_a_token_ends_with_its_time_its_account_and_its_pod(api) -> None:
    await api.create(ACCOUNTS, {"metadata": {"name": "sa"}})
    spec = {"containers": [{"name": "c", "image": "i"}]}
    await api.create(PODS, {"metadata": {"name": "p"}, "spec": spec})
    plain = await bearer(api)
    of_pod = await bearer(api, boundObjectRef={"kind": "Pod", "apiVersion": "v1", "name": "p"})
    elsewhere = await bearer(api, audiences=["elsewhere"])
    for headers in (plain, of_pod):
        api.kernel.authenticate(None, headers)

    await api("DELETE", f"{PODS}/p")
    for headers in (of_pod, elsewhere):
        with pytest.raises(ApiError):
            api.kernel.authenticate(None, headers)
    api.kernel.authenticate(None, plain)
    api.clock.forward(3601)
    with pytest.raises(ApiError):
        api.kernel.authenticate(None, plain)
    fresh = await bearer(api)
    await api("DELETE", f"{ACCOUNTS}/sa")
    await api.create(ACCOUNTS, {"metadata": {"name": "sa"}})
    with pytest.raises(ApiError):
        api.kernel.authenticate(None, fresh)


async def test_what_no_rule_allows_is_forbidden(api) -> None:
    answered = await api("GET", PODS, user=BOB)

    assert (answered.status, answered.reason) == (403, "Forbidden")
    assert answered.message == (
        'pods is forbidden: User "bob" cannot list resource "pods" in API group ""'
        ' in the namespace "default"'
    )
    assert (await api("GET", "/metrics", user=BOB)).status == 403
    assert (await api("GET", "/version", user=BOB)).status == 200


@pytest.mark.parametrize(
    "subject",
    [
        {"kind": "User", "name": "bob"},
        {"kind": "Group", "name": "system:authenticated"},
    ],
)
async def test_a_role_allows_what_it_says_where_it_is_bound(api, subject: Any) -> None:
    await grant(api, ["list"], ["pods"], subject)

    assert (await api("GET", PODS, user=BOB)).status == 200
    assert (await api("GET", "/api/v1/pods", user=BOB)).status == 403
    assert (await api("GET", f"{PODS}?watch=1", user=BOB)).status == 403
    assert (await api("GET", f"{PODS}/p/log", user=BOB)).status == 403
    assert (await api("GET", "/api/v1/namespaces/kube-system/pods", user=BOB)).status == 403


async def test_a_role_can_name_subresources_and_single_objects(api) -> None:
    await grant(api, ["get"], ["pods/log"], {"kind": "User", "name": "bob"})
    role = f"{RBAC}/namespaces/default/roles/r"
    assert (await api("GET", f"{PODS}/p/log", user=BOB)).status == 404

    rules = [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"], "resourceNames": ["p"]}]
    await api.merge(role, {"rules": rules})
    assert (await api("GET", f"{PODS}/p", user=BOB)).status == 404
    assert (await api("GET", f"{PODS}/q", user=BOB)).status == 403


async def test_an_apply_that_creates_needs_the_right_to_create(api) -> None:
    await grant(api, ["patch"], ["configmaps"], {"kind": "User", "name": "bob"})
    url = "/api/v1/namespaces/default/configmaps/a"
    how = {"user": BOB, "content_type": "application/apply-patch+yaml"}
    applied = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}
    refused = await api("PATCH", f"{url}?fieldManager=m", applied, **how)
    await api.create("/api/v1/namespaces/default/configmaps", applied)
    allowed = await api("PATCH", f"{url}?fieldManager=m", applied, **how)

    assert (refused.status, allowed.status) == (403, 200)
    assert 'cannot create resource "configmaps"' in refused.message


async def test_a_cluster_binding_counts_everywhere(api) -> None:
    rules = [{"verbs": ["get", "list"], "apiGroups": [""], "resources": ["pods"]}]
    await api.create(f"{RBAC}/clusterroles", {"metadata": {"name": "r"}, "rules": rules})
    account = {"kind": "ServiceAccount", "namespace": "default", "name": "sa"}
    ref = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "r"}
    await api.create(
        f"{RBAC}/clusterrolebindings",
        {"metadata": {"name": "b"}, "subjects": [account], "roleRef": ref},
    )
    user = User("system:serviceaccount:default:sa", ("system:authenticated",))

    assert (await api("GET", "/api/v1/pods", user=user)).status == 200
    assert (await api("GET", "/api/v1/nodes", user=user)).status == 403


def access(**attributes: str) -> dict[str, Any]:
    return {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }


async def test_everybody_may_ask_what_they_may(api) -> None:
    url = f"{REVIEWS}/selfsubjectaccessreviews"
    question = access(verb="list", resource="pods", namespace="default")
    refused = await api.create(url, question, user=BOB)
    await grant(api, ["list"], ["pods"], {"kind": "User", "name": "bob"})
    allowed = await api.create(url, question, user=BOB)
    rules = await api.create(
        f"{REVIEWS}/selfsubjectrulesreviews", {"spec": {"namespace": "default"}}, user=BOB
    )

    assert refused["status"]["allowed"] is False
    assert allowed["status"] == {"allowed": True}
    assert {"verbs": ["list"], "apiGroups": [""], "resources": ["pods"]} in rules["status"][
        "resourceRules"
    ]


async def test_only_those_allowed_may_ask_about_others(api) -> None:
    url = f"{REVIEWS}/subjectaccessreviews"
    question = access(verb="list", resource="pods")
    question["spec"]["user"] = "bob"

    assert (await api("POST", url, question, user=BOB)).status == 403
    assert (await api.create(url, question))["status"]["allowed"] is False


async def test_a_token_review_names_the_bearer(api) -> None:
    await api.create(ACCOUNTS, {"metadata": {"name": "sa"}})
    token = (await bearer(api))["authorization"].removeprefix("Bearer ")
    url = "/apis/authentication.k8s.io/v1/tokenreviews"
    good = await api.create(url, {"spec": {"token": token}})
    bad = await api.create(url, {"spec": {"token": "nonsense"}})

    assert good["status"]["user"]["username"] == "system:serviceaccount:default:sa"
    assert bad["status"]["authenticated"] is False


async def test_a_token_review_tells_for_whom_the_token_is(api) -> None:
    await api.create(ACCOUNTS, {"metadata": {"name": "sa"}})
    issued = await bearer(api, audiences=["vault"])
    token = issued["authorization"].removeprefix("Bearer ")
    url = "/apis/authentication.k8s.io/v1/tokenreviews"
    here = await api.create(url, {"spec": {"token": token}})
    there = await api.create(url, {"spec": {"token": token, "audiences": ["other", "vault"]}})

    assert here["status"]["authenticated"] is False
    assert there["status"]["audiences"] == ["vault"]


async def test_administrators_can_act_as_others_and_others_cannot(api) -> None:
    headers = {"impersonate-user": "bob", "impersonate-group": "ops"}
    acting = api.kernel.authenticate(certificate("root", "system:masters"), headers)

    assert (acting.name, acting.groups) == ("bob", ("ops", "system:authenticated"))
    with pytest.raises(ApiError) as refused:
        api.kernel.authenticate(certificate("eve"), headers)
    assert refused.value.code == 403


async def test_a_group_to_act_as_without_a_user_is_refused_and_not_ignored(api) -> None:
    with pytest.raises(ApiError) as refused:
        api.kernel.authenticate(certificate("root", "system:masters"), {"impersonate-group": "ops"})
    assert refused.value.code == 400
