"""Kinds that are served in more than one group or version, and definitions that are computed."""

from __future__ import annotations

from typing import Any

CORE = "/api/v1/namespaces/default/events"
NEW = "/apis/events.k8s.io/v1/namespaces/default/events"
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
BUDGETS = "namespaces/default/poddisruptionbudgets"


def event(name: str) -> dict[str, Any]:
    return {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": name, "namespace": "default"},
        "regarding": {"kind": "Pod", "name": "p", "namespace": "default"},
        "note": "text",
        "reason": "Why",
        "reportingController": "me",
        "eventTime": "2026-01-01T00:00:00.000000Z",
    }


async def test_an_event_of_the_new_group_is_the_same_object_as_a_core_event(api) -> None:
    made = await api.create(f"{NEW}?fieldValidation=Strict", event("e"))
    core = await api.get(f"{CORE}/e")
    listed = await api.get(f"{NEW}?fieldSelector=regarding.name%3Dp")
    none = await api.get(f"{NEW}?fieldSelector=regarding.name%3Dq")
    patched = await api.merge(f"{NEW}/e", {"note": "more"})

    assert (made["apiVersion"], made["note"], made["regarding"]["name"]) == (
        "events.k8s.io/v1",
        "text",
        "p",
    )
    assert (core["apiVersion"], core["message"], core["involvedObject"]["name"]) == (
        "v1",
        "text",
        "p",
    )
    assert listed["apiVersion"] == "events.k8s.io/v1"
    assert [item["note"] for item in listed["items"]] == ["text"]
    assert none["items"] == []
    assert patched["note"] == "more"
    assert (await api.get(f"{CORE}/e"))["message"] == "more"


async def test_a_watch_of_the_new_group_sees_core_events(api) -> None:
    watch = await api.watch(f"{NEW}?resourceVersion={api.backend.store.revision}")
    body = {"metadata": {"name": "e"}, "involvedObject": {"name": "p"}, "message": "text"}
    await api.create(CORE, body)
    seen = await watch.next()
    await watch.close()

    assert (seen["type"], seen["object"]["apiVersion"], seen["object"]["note"]) == (
        "ADDED",
        "events.k8s.io/v1",
        "text",
    )


async def test_old_kubectl_writes_budgets_in_the_beta_version(api) -> None:
    body = {
        "apiVersion": "policy/v1beta1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "b"},
        "spec": {"minAvailable": 1},
    }
    made = await api.create(f"/apis/policy/v1beta1/{BUDGETS}", body)
    now = await api.get(f"/apis/policy/v1/{BUDGETS}/b")
    group = await api.get("/apis/policy")

    assert (made["apiVersion"], now["apiVersion"]) == ("policy/v1beta1", "policy/v1")
    assert group["preferredVersion"]["version"] == "v1"
    assert [version["version"] for version in group["versions"]] == ["v1", "v1beta1"]


async def test_definitions_of_custom_resources_are_listed_and_established(api) -> None:
    listed = await api.get(DEFINITIONS)
    name = "network-attachment-definitions.k8s.cni.cncf.io"
    one = await api.get(f"{DEFINITIONS}/{name}")
    chosen = await api.get(f"{DEFINITIONS}?fieldSelector=metadata.name%3D{name}")
    refused = await api("DELETE", f"{DEFINITIONS}/{name}")

    names = [item["metadata"]["name"] for item in listed["items"]]
    assert name in names
    assert "virtualnetworks.core.contrail.juniper.net" not in names
    assert {c["type"]: c["status"] for c in one["status"]["conditions"]} == {
        "Established": "True",
        "NamesAccepted": "True",
    }
    assert [item["metadata"]["name"] for item in chosen["items"]] == [name]
    assert refused.status == 405
    assert (await api("GET", f"{DEFINITIONS}/nosuch")).status == 404
