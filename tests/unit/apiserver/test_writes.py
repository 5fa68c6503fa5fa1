"""Creating, changing and no change at all."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from cn2.store.journal import JournalFailed

CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"
NETWORKS = "/apis/core.contrail.juniper.net/v1alpha1/namespaces/default/virtualnetworks"
NADS = "/apis/k8s.cni.cncf.io/v1/namespaces/default/network-attachment-definitions"


def config_map(name: str = "a", **data: str) -> dict[str, Any]:
    return {"metadata": {"name": name}, "data": data}


async def test_a_new_object_gets_its_identity_from_the_server(api) -> None:
    sent = config_map(x="1")
    sent["metadata"] |= {"uid": "mine", "creationTimestamp": "1999-01-01T00:00:00Z"}
    created = await api.create(CONFIG_MAPS, sent)

    metadata = created["metadata"]
    assert metadata["uid"] != "mine"
    assert metadata["creationTimestamp"] == "2026-01-01T00:00:00Z"
    assert metadata["resourceVersion"] == str(api.backend.store.revision)
    assert await api.get(f"{CONFIG_MAPS}/a") == created


async def test_the_same_name_twice_already_exists(api) -> None:
    await api.create(CONFIG_MAPS, config_map())
    answered = await api("POST", CONFIG_MAPS, config_map())

    assert (answered.status, answered.reason) == (409, "AlreadyExists")


async def test_of_concurrent_creates_of_one_name_one_wins(api) -> None:
    answers = await asyncio.gather(*(api("POST", CONFIG_MAPS, config_map()) for _ in range(5)))

    assert sorted(a.status for a in answers) == [201, 409, 409, 409, 409]


async def test_names_are_generated_and_checked_by_the_kinds_rule(api) -> None:
    generated = await api.create(CONFIG_MAPS, {"metadata": {"generateName": "a-"}})
    refused = await api("POST", CONFIG_MAPS, config_map("Upper"))
    nameless = await api("POST", CONFIG_MAPS, {"metadata": {}})
    network = await api.create(NETWORKS, {"metadata": {"name": "Upper"}})

    assert len(generated["metadata"]["name"]) == len("a-") + 5
    assert (refused.status, refused.reason) == (422, "Invalid")
    assert nameless.message.endswith("Required value: name or generateName is required")
    assert network["metadata"]["name"] == "Upper"


async def test_what_does_not_match_the_url_is_refused(api) -> None:
    other_type = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}}
    other_namespace = {"metadata": {"name": "a", "namespace": "elsewhere"}}

    assert (await api("POST", CONFIG_MAPS, other_type)).status == 400
    assert (await api("POST", CONFIG_MAPS, other_namespace)).status == 400
    assert (await api("POST", CONFIG_MAPS, b"{")).status == 400
    assert (await api("POST", CONFIG_MAPS, b"[]")).status == 400


@pytest.mark.parametrize("content_type", ["application/yaml", "application/merge-patch+json"])
async def test_yaml_that_refers_to_itself_is_refused(api, content_type: str) -> None:
    await api.create(CONFIG_MAPS, {"metadata": {"name": "a"}})
    method, url = (
        ("POST", CONFIG_MAPS) if content_type.endswith("yaml") else ("PATCH", f"{CONFIG_MAPS}/a")
    )
    body = b"metadata: {name: b}\ndata: {a: &a [x, x], b: &b [*a, *a], c: [*b, *b]}\n"
    refused = await api(method, url, body, content_type=content_type)

    assert (refused.status, refused.reason) == (400, "BadRequest")
    assert "aliases" in refused.message


async def test_yaml_is_as_good_as_json(api) -> None:
    text = b"metadata: {name: a}\ndata:\n  day: '2026-01-01'\n"
    created = await api.create(CONFIG_MAPS, text, content_type="application/yaml")

    assert created["data"] == {"day": "2026-01-01"}


async def test_unknown_fields_are_refused_warned_of_or_ignored(api) -> None:
    sent = {**config_map(), "nonsense": 1}
    strict = await api("POST", f"{CONFIG_MAPS}?fieldValidation=Strict", sent)
    warned = await api("POST", f"{CONFIG_MAPS}?fieldValidation=Warn&dryRun=All", sent)
    ignored = await api("POST", f"{CONFIG_MAPS}?fieldValidation=Ignore&dryRun=All", sent)

    assert strict.message == 'strict decoding error: unknown field "nonsense"'
    assert warned.headers == {"Warning": '299 - "unknown field \\"nonsense\\""'}
    assert ignored.headers == {}
    assert "nonsense" not in warned.body


async def test_a_warning_has_no_control_character(api) -> None:
    """A header with one cannot be sent, and the client would get no answer at all."""
    path = f"{CONFIG_MAPS}?fieldValidation=Warn&dryRun=All"
    warned = await api("POST", path, {**config_map(), "\x00\n\x7f": 1})
    assert warned.headers["Warning"].isprintable()


async def test_a_dry_run_answers_and_changes_nothing(api) -> None:
    revision = api.backend.store.revision
    answered = await api("POST", f"{CONFIG_MAPS}?dryRun=All", config_map())

    assert answered.status == 201
    assert api.backend.store.revision == revision


async def test_status_is_written_only_through_its_subresource(api) -> None:
    created = await api.create(
        NETWORKS, {"metadata": {"name": "vn1"}, "status": {"state": "Success"}}
    )
    assert "status" not in created

    await api.merge(
        f"{NETWORKS}/vn1/status", {"status": {"state": "Success"}, "spec": {"fabricSNAT": True}}
    )
    changed = await api.merge(f"{NETWORKS}/vn1", {"status": {"state": "Failure"}})

    assert changed["status"] == {"state": "Success", "observation": ""}
    assert changed["spec"]["fabricSNAT"] is False


async def test_generation_counts_changes_of_intent_only(api) -> None:
    url = f"{NETWORKS}/vn1"
    await api.create(NETWORKS, {"metadata": {"name": "vn1"}})
    labelled = await api.merge(url, {"metadata": {"labels": {"a": "b"}}})
    told = await api.merge(f"{url}/status", {"status": {"state": "Success"}})
    meant = await api.merge(url, {"spec": {"fabricSNAT": True}})

    generations = [o["metadata"]["generation"] for o in (labelled, told, meant)]
    assert generations == [1, 1, 2]


async def test_a_write_that_changes_nothing_keeps_the_revision(api) -> None:
    created = await api.create(CONFIG_MAPS, config_map(x="1"))
    revision = api.backend.store.revision
    api.clock.forward(60)
    replaced = await api("PUT", f"{CONFIG_MAPS}/a", config_map(x="1"))
    patched = await api.merge(f"{CONFIG_MAPS}/a", {"data": {"x": "1"}})

    assert replaced.body == patched == created
    assert api.backend.store.revision == revision


async def test_what_the_server_computed_survives_an_update_that_leaves_it_out(api) -> None:
    reference = {
        "apiVersion": "core.contrail.juniper.net/v1alpha1",
        "kind": "Subnet",
        "namespace": "default",
        "name": "vn1-v4",
    }
    sent = {"metadata": {"name": "vn1"}, "spec": {"v4SubnetReference": reference}}
    created = await api.create(NETWORKS, sent)
    again = await api("PUT", f"{NETWORKS}/vn1", sent)

    assert created["spec"]["fqName"] == ["default-domain", "default", "vn1"]
    assert list(created["metadata"]["labels"].values()) == ["Subnet_default_vn1-v4"]
    assert again.body == created


async def test_a_stale_revision_conflicts_and_a_missing_one_overwrites(api) -> None:
    created = await api.create(CONFIG_MAPS, config_map(x="1"))
    stale = {**created, "data": {"x": "2"}}
    first = await api("PUT", f"{CONFIG_MAPS}/a", stale)
    second = await api("PUT", f"{CONFIG_MAPS}/a", {**stale, "data": {"x": "3"}})
    blind = await api("PUT", f"{CONFIG_MAPS}/a", config_map(x="4"))

    assert first.status == 200
    assert (second.status, second.reason) == (409, "Conflict")
    assert "please apply your changes to the latest version" in second.message
    assert blind.body["data"] == {"x": "4"}


async def test_a_custom_resource_is_replaced_only_with_its_revision(api) -> None:
    created = await api.create(NADS, {"metadata": {"name": "vn1"}, "spec": {"config": "{}"}})
    blind = await api("PUT", f"{NADS}/vn1", {"metadata": {"name": "vn1"}})
    known = await api("PUT", f"{NADS}/vn1", created)

    assert "must be specified for an update" in blind.message
    assert known.status == 200


async def test_another_uid_is_another_object(api) -> None:
    created = await api.create(CONFIG_MAPS, config_map())
    created["metadata"] |= {"uid": "other", "resourceVersion": ""}
    answered = await api("PUT", f"{CONFIG_MAPS}/a", created)

    assert (answered.status, answered.reason) == (409, "Conflict")


async def test_put_does_not_create(api) -> None:
    assert (await api("PUT", f"{CONFIG_MAPS}/a", config_map())).status == 404


async def test_concurrent_patches_without_a_revision_all_succeed(api) -> None:
    await api.create(CONFIG_MAPS, config_map())
    await asyncio.gather(
        *(api.merge(f"{CONFIG_MAPS}/a", {"data": {f"k{i}": "v"}}) for i in range(10))
    )

    assert len((await api.get(f"{CONFIG_MAPS}/a"))["data"]) == 10


async def test_a_patch_may_name_the_revision_it_was_made_for(api) -> None:
    created = await api.create(CONFIG_MAPS, config_map())
    await api.merge(f"{CONFIG_MAPS}/a", {"data": {"x": "1"}})
    stale = {"metadata": {"resourceVersion": created["metadata"]["resourceVersion"]}, "data": {}}
    answered = await api(
        "PATCH",
        f"{CONFIG_MAPS}/a",
        {**stale, "data": {"y": "2"}},
        content_type="application/merge-patch+json",
    )

    assert (answered.status, answered.reason) == (409, "Conflict")


async def test_patch_types_are_those_of_the_kinds_family(api) -> None:
    await api.create(CONFIG_MAPS, config_map(x="1"))
    await api.create(NETWORKS, {"metadata": {"name": "vn1"}})
    strategic = "application/strategic-merge-patch+json"
    operations = [{"op": "replace", "path": "/data/x", "value": "2"}]

    merged = await api("PATCH", f"{CONFIG_MAPS}/a", {"data": {"y": "3"}}, content_type=strategic)
    assert merged.body["data"] == {"x": "1", "y": "3"}
    patched = await api(
        "PATCH", f"{CONFIG_MAPS}/a", operations, content_type="application/json-patch+json"
    )
    assert patched.body["data"] == {"x": "2", "y": "3"}
    refused = await api("PATCH", f"{NETWORKS}/vn1", {}, content_type=strategic)
    assert refused.status == 415


async def test_identity_cannot_be_patched(api) -> None:
    created = await api.create(CONFIG_MAPS, config_map())
    patch = {"metadata": {"creationTimestamp": None, "managedFields": None, "generation": 9}}
    patched = await api.merge(f"{CONFIG_MAPS}/a", patch)

    assert patched["metadata"] == created["metadata"]


async def test_bad_labels_are_refused(api) -> None:
    sent = config_map()
    sent["metadata"]["labels"] = {"ok": "bad value!"}
    answered = await api("POST", CONFIG_MAPS, sent)

    assert answered.status == 422
    assert answered.body["details"]["causes"][0]["field"] == "metadata.labels"


async def test_fields_that_stand_twice_are_refused_or_warned_of(api) -> None:
    body = b'{"metadata":{"name":"a"},"data":{"k":"1","k":"2"},"data":{"k":"3","l":"4","l":"5"}}'
    strict = await api("POST", f"{CONFIG_MAPS}?fieldValidation=Strict", body)
    warned = await api("POST", CONFIG_MAPS, body)

    assert (strict.status, strict.message) == (
        400,
        'strict decoding error: duplicate field "data", duplicate field "data.l"',
    )
    assert warned.body["data"] == {"k": "3", "l": "5"}
    assert [value for name, value in warned.headers.items() if name == "Warning"]


async def test_patches_cannot_make_an_object_larger_than_a_request(api) -> None:
    url = "/apis/apps/v1/namespaces/default/deployments"
    env = [{"name": f"A{number}", "value": "x" * 1000} for number in range(1600)]
    container = {"name": "c", "image": "i", "env": env}
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [container]}}
    spec = {"selector": {"matchLabels": {"a": "b"}}, "template": template}
    await api.create(url, {"metadata": {"name": "d"}, "spec": spec})
    more = {"spec": {"template": {"spec": {"initContainers": [container | {"name": "i"}]}}}}
    grown = await api("PATCH", f"{url}/d", more, content_type="application/merge-patch+json")

    assert (grown.status, grown.reason) == (413, "RequestEntityTooLarge")


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (
            {"data": {"k": "x" * (1 << 20) + "y"}},
            "[]: Too long: may not be more than 1048576 bytes",
        ),
        (
            {"metadata": {"annotations": {"k": "x" * (256 << 10)}}},
            "metadata.annotations: Too long: may not be more than 262144 bytes",
        ),
    ],
)
async def test_data_and_annotations_have_a_limit(api, body: Any, told: str) -> None:
    body.setdefault("metadata", {})["name"] = "a"
    refused = await api("POST", CONFIG_MAPS, body)

    assert (refused.status, refused.message) == (422, f'ConfigMap "a" is invalid: {told}')


async def test_nothing_is_created_in_a_namespace_that_is_not_there_or_ending(api) -> None:
    nowhere = await api("POST", "/api/v1/namespaces/nowhere/configmaps", config_map())
    await api.create("/api/v1/namespaces", {"metadata": {"name": "short"}})
    await api("DELETE", "/api/v1/namespaces/short")
    ending = await api("POST", "/api/v1/namespaces/short/configmaps", config_map())

    assert (nowhere.status, nowhere.message) == (404, 'namespaces "nowhere" not found')
    assert (ending.status, ending.body["details"]["causes"][0]["reason"]) == (
        403,
        "NamespaceTerminating",
    )


async def test_a_service_gets_an_address_and_keeps_it(api) -> None:
    services = "/api/v1/namespaces/default/services"
    spec = {"ports": [{"port": 80}], "selector": {"app": "x"}}
    first = await api.create(services, {"metadata": {"name": "a"}, "spec": dict(spec)})
    second = await api.create(services, {"metadata": {"name": "b"}, "spec": dict(spec)})
    chosen = await api.create(
        services, {"metadata": {"name": "c"}, "spec": {**spec, "clusterIP": "10.96.0.10"}}
    )
    taken = await api(
        "POST", services, {"metadata": {"name": "d"}, "spec": {**spec, "clusterIP": "10.96.0.10"}}
    )
    outside = await api(
        "POST", services, {"metadata": {"name": "d"}, "spec": {**spec, "clusterIP": "1.2.3.4"}}
    )
    headless = await api.create(
        services, {"metadata": {"name": "e"}, "spec": {**spec, "clusterIP": "None"}}
    )
    updated = await api(
        "PUT",
        f"{services}/a",
        {"metadata": {"name": "a"}, "spec": {**spec, "selector": {"app": "y"}}},
    )

    assert first["spec"]["clusterIP"] == "10.96.1.0"
    assert second["spec"]["clusterIP"] == "10.96.1.1"
    assert chosen["spec"]["clusterIPs"] == ["10.96.0.10"]
    assert taken.status == 422
    assert outside.status == 422
    assert headless["spec"]["clusterIP"] == "None"
    assert updated.body["spec"]["clusterIP"] == "10.96.1.0"
    assert (await api.get(f"{services}/kubernetes"))["spec"]["clusterIP"] == "10.96.0.1"


async def test_a_freed_service_address_is_given_again(api) -> None:
    services = "/api/v1/namespaces/default/services"
    await api.create(services, {"metadata": {"name": "a"}, "spec": {"ports": [{"port": 80}]}})
    await api("DELETE", f"{services}/a")
    again = await api.create(
        services, {"metadata": {"name": "b"}, "spec": {"ports": [{"port": 80}]}}
    )

    assert again["spec"]["clusterIP"] == "10.96.1.0"


async def test_a_status_write_for_another_uid_conflicts(api) -> None:
    await api.create(NETWORKS, {"metadata": {"name": "vn1"}})
    answered = await api(
        "PATCH",
        f"{NETWORKS}/vn1/status",
        {"metadata": {"uid": "other"}, "status": {"state": "Success"}},
        content_type="application/merge-patch+json",
    )

    assert (answered.status, answered.reason) == (409, "Conflict")


async def test_a_store_that_cannot_write_is_a_server_error_and_nothing_changed(
    api, store, monkeypatch
) -> None:
    created = await api.create(CONFIG_MAPS, config_map(x="1"))

    async def full(*_: object) -> None:
        raise JournalFailed("database or disk is full")

    with monkeypatch.context() as disk:
        disk.setattr(store._journal, "append", full)
        answered = await api(
            "PATCH",
            f"{CONFIG_MAPS}/a",
            {"data": {"x": "2"}},
            content_type="application/merge-patch+json",
        )
    assert (answered.status, answered.reason) == (503, "ServiceUnavailable")
    assert "disk is full" in answered.message
    assert await api.get(f"{CONFIG_MAPS}/a") == created
    await api.merge(f"{CONFIG_MAPS}/a", {"data": {"x": "2"}})


async def test_a_namespaces_finalizers_and_name_label_survive_an_update(api) -> None:
    url = "/api/v1/namespaces/default"
    replaced = await api("PUT", url, {"metadata": {"name": "default", "labels": {"a": "b"}}})

    assert replaced.body["spec"] == {"finalizers": ["kubernetes"]}
    labels = {"a": "b", "kubernetes.io/metadata.name": "default"}
    assert replaced.body["metadata"]["labels"] == labels
    assert replaced.body["status"] == {"phase": "Active"}


async def test_an_encoded_slash_names_nothing(api) -> None:
    await api.create(CONFIG_MAPS, config_map())

    assert (await api("GET", "/api/v1/namespaces/default%2Fa/configmaps")).status == 404
    assert (await api("GET", f"{CONFIG_MAPS}/a%2Fb")).status == 404


@pytest.mark.parametrize("levels", [900, 5000])
async def test_what_is_nested_too_deeply_is_the_clients_mistake(api, levels: int) -> None:
    deep = b'{"a":' * levels + b"1" + b"}" * levels
    created = await api(
        "POST",
        "/apis/apps/v1/namespaces/default/controllerrevisions",
        b'{"metadata":{"name":"x"},"revision":1,"data":%b}' % deep,
    )
    await api.create("/api/v1/namespaces/default/configmaps", {"metadata": {"name": "flat"}})
    patched = await api(
        "PATCH",
        "/api/v1/namespaces/default/configmaps/flat",
        b'{"data":%b}' % deep,
        content_type="application/merge-patch+json",
    )

    assert created.status == 400
    assert patched.status in (400, 422)


@pytest.mark.parametrize("field", ["labels", "annotations", "generateName"])
@pytest.mark.parametrize("value", [5, True, [1]])
async def test_metadata_of_a_wrong_type_is_refused(api, field: str, value: Any) -> None:
    for url in ("/api/v1/namespaces", "/api/v1/namespaces/default/configmaps"):
        created = await api("POST", url, {"metadata": {field: value}})
        await api.create(url, {"metadata": {"name": "whole"}})
        patched = await api(
            "PATCH",
            f"{url}/whole",
            {"metadata": {field: value}},
            content_type="application/merge-patch+json",
        )

        assert (created.status, patched.status) == (400, 400)
        assert f"metadata.{field}: must be" in patched.message
