"""Binding, logs, exec, tokens: parts of an object that are orders or questions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cn2.apiserver.request import Stream, Tunnel

PODS = "/api/v1/namespaces/default/pods"
ACCOUNTS = "/api/v1/namespaces/default/serviceaccounts"


async def pod(api: Any, *containers: str, **spec: Any) -> dict[str, Any]:
    listed = [{"name": name, "image": "i"} for name in containers or ("c",)]
    created: dict[str, Any] = await api.create(
        PODS, {"metadata": {"name": "p"}, "spec": {"containers": listed, **spec}}
    )
    return created


def binding(node: str, **metadata: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Binding",
        "metadata": {"name": "p", **metadata},
        "target": {"kind": "Node", "name": node},
    }


async def test_a_binding_puts_a_pod_on_a_node_once(api) -> None:
    created = await pod(api)
    answered = await api("POST", f"{PODS}/p/binding", binding("n1", uid=created["metadata"]["uid"]))
    again = await api("POST", f"{PODS}/p/binding", binding("n2"))
    bound = await api.get(f"{PODS}/p")

    assert (answered.status, answered.body["status"]) == (201, "Success")
    assert (again.status, again.reason) == (409, "Conflict")
    assert bound["spec"]["nodeName"] == "n1"
    assert bound["metadata"]["managedFields"] == created["metadata"]["managedFields"]
    condition = bound["status"]["conditions"][0]
    assert (condition["type"], condition["status"]) == ("PodScheduled", "True")


async def test_a_binding_for_another_pod_of_that_name_is_refused(api) -> None:
    await pod(api)

    assert (await api("POST", f"{PODS}/p/binding", binding("n1", uid="other"))).status == 409


async def test_logs_are_read_from_the_pods_node(api) -> None:
    await pod(api, nodeName="n1")
    answer = await api.ask("GET", f"{PODS}/p/log?follow=true&tailLines=5")

    assert isinstance(answer, Stream)
    assert answer.content_type == "text/plain"
    chunks = [chunk async for chunk in answer.chunks]
    assert chunks == [b"n1 /logs/default/p/c?follow=true&tailLines=5"]


async def test_exec_and_port_forward_are_handed_through_to_the_node(api) -> None:
    await pod(api, nodeName="n1")
    exec_ = await api.ask("POST", f"{PODS}/p/exec?command=a%20b&command=c&stdin=true")
    forward = await api.ask("GET", f"{PODS}/p/portforward?ports=80")

    assert exec_ == Tunnel(
        Path("/nodes/n1.sock"), "/exec/default/p/c?command=a%20b&command=c&stdin=true"
    )
    assert forward == Tunnel(Path("/nodes/n1.sock"), "/portforward/default/p?ports=80")


async def test_the_container_must_be_known_and_unambiguous(api) -> None:
    await pod(api, "a", "b", nodeName="n1")
    unnamed = await api("GET", f"{PODS}/p/log")
    unknown = await api("GET", f"{PODS}/p/log?container=x")
    named = await api.ask("GET", f"{PODS}/p/log?container=b")

    assert unnamed.message.endswith("choose one of: [a b]")
    assert unknown.status == 400
    assert isinstance(named, Stream)


async def test_a_pod_without_a_node_has_no_logs(api) -> None:
    await pod(api)

    assert (await api("GET", f"{PODS}/p/log")).message == "pod p does not have a host assigned"


async def test_unknown_subresources_and_methods_are_refused(api) -> None:
    await pod(api)

    assert (await api("GET", f"{PODS}/p/nonsense")).status == 404
    assert (await api("DELETE", f"{PODS}/p/binding")).status == 405
    assert (await api("GET", "/api/v1/namespaces/default/configmaps/a/status")).status == 404


@pytest.mark.parametrize(("query", "options"), [("?dryRun=All", None), ("", {"dryRun": ["All"]})])
async def test_an_eviction_that_is_only_tried_evicts_nobody(api, query: str, options: Any) -> None:
    await pod(api)
    tried = await api("POST", f"{PODS}/p/eviction{query}", {"deleteOptions": options})
    await api.get(f"{PODS}/p")
    meant = await api("POST", f"{PODS}/p/eviction", {})

    assert (tried.status, meant.status) == (201, 201)
    assert (await api("GET", f"{PODS}/p")).status == 404


@pytest.mark.parametrize(
    ("method", "url", "body"),
    [
        ("POST", f"{PODS}/p/binding", {"target": "n1"}),
        ("POST", f"{PODS}/p/eviction", {"deleteOptions": "now"}),
        ("DELETE", f"{PODS}/p", {"preconditions": ["uid"]}),
        ("DELETE", f"{PODS}/p?preconditions=uid", None),
        ("POST", f"{ACCOUNTS}/sa/token", {"spec": "an hour"}),
        ("POST", f"{ACCOUNTS}/sa/token", {"spec": {"boundObjectRef": "p"}}),
        ("PUT", "/api/v1/namespaces/default/finalize", {"spec": []}),
        ("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", {"spec": "me"}),
    ],
)
async def test_what_should_be_an_object_and_is_not_is_the_clients_mistake(
    api, method: str, url: str, body: Any
) -> None:
    await pod(api)
    await api.create(ACCOUNTS, {"metadata": {"name": "sa"}})

    assert (await api(method, url, body)).status == 400


async def token(api: Any, **spec: Any) -> dict[str, Any]:
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
    created: dict[str, Any] = await api.create(f"{ACCOUNTS}/sa/token", request)
    return created


async def test_a_token_makes_its_bearer_the_service_account(api) -> None:
    account = await api.create(ACCOUNTS, {"metadata": {"name": "sa"}})
    issued = await token(api, expirationSeconds=3600)
    user = api.kernel.authenticate(None, {"authorization": f"Bearer {issued['status']['token']}"})

    assert issued["status"]["expirationTimestamp"] == "2026-01-01T01:00:00Z"
    assert user.name == "system:serviceaccount:default:sa"
    assert user.uid == account["metadata"]["uid"]
    assert "system:serviceaccounts:default" in user.groups


async def test_a_token_needs_an_account_and_ten_minutes(api) -> None:
    missing = await api("POST", f"{ACCOUNTS}/sa/token", {"spec": {}})
    await api.create(ACCOUNTS, {"metadata": {"name": "sa"}})
    short = await api("POST", f"{ACCOUNTS}/sa/token", {"spec": {"expirationSeconds": 10}})

    assert missing.status == 404
    assert short.status == 400


async def test_a_token_is_bound_only_to_what_it_can_end_with(api) -> None:
    account = await api.create(ACCOUNTS, {"metadata": {"name": "sa"}})
    ref = {"kind": "ServiceAccount", "name": "sa", "uid": account["metadata"]["uid"]}
    refused = await api("POST", f"{ACCOUNTS}/sa/token", {"spec": {"boundObjectRef": ref}})

    assert refused.status == 400
    assert "Pod, Node, Secret" in refused.message
