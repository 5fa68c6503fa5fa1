"""Discovery, OpenAPI, version and health, as clients ask for them."""

from __future__ import annotations

from cn2.apiserver.request import Reply

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"


async def test_discovery_comes_in_both_forms(api) -> None:
    legacy = await api("GET", "/apis")
    aggregated = await api("GET", "/apis", accept=AGGREGATED)
    core = await api("GET", "/api/v1")

    assert legacy.body["kind"] == "APIGroupList"
    assert aggregated.body["kind"] == "APIGroupDiscoveryList"
    assert "pods/log" in [resource["name"] for resource in core.body["resources"]]


async def test_a_document_that_is_known_is_not_sent_again(api) -> None:
    first = await api.ask("GET", "/apis", accept=AGGREGATED)
    assert isinstance(first, Reply)
    assert dict(first.headers)["Vary"] == "Accept"


async def test_openapi_is_served_as_protobuf_and_by_group(api) -> None:
    protobuf = await api.ask(
        "GET", "/openapi/v2", accept="application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
    )
    index = await api.get("/openapi/v3")
    path = index["paths"]["apis/core.contrail.juniper.net/v1alpha1"]["serverRelativeURL"]
    document = await api.get(path)

    assert isinstance(protobuf, Reply)
    assert "@" not in protobuf.content_type
    assert document["openapi"] == "3.0.0"


async def test_the_version_is_that_of_the_kubernetes_it_follows(api) -> None:
    assert (await api.get("/version"))["gitVersion"] == "v1.32.4+cn2"


async def test_health_lists_its_checks_when_asked(api) -> None:
    plain = await api.ask("GET", "/readyz")
    verbose = await api.ask("GET", "/readyz?verbose")

    assert isinstance(plain, Reply)
    assert isinstance(verbose, Reply)
    assert plain.body == b"ok"
    assert verbose.body == b"[+]ping ok\nreadyz check passed\n"


async def test_paths_that_are_nowhere_are_not_found(api) -> None:
    for path in (
        "/nonsense",
        "/apis/nonsense",
        "/apis/apps/v9",
        "/api/v1/nonsense",
        "/openapi/v3/x",
    ):
        assert (await api("GET", path)).status == 404, path
    assert (await api("POST", "/version")).status == 405


async def test_metrics_count_requests_by_verb_and_resource(api) -> None:
    await api.get("/api/v1/namespaces/default/pods")
    answer = await api.ask("GET", "/metrics")

    assert isinstance(answer, Reply)
    assert b'apiserver_request_total{code="200",resource="pods",verb="list"}' in answer.body
