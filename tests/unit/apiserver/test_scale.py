"""The /scale of workloads: their size apart from the rest."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cn2.api.kinds import KINDS
from cn2.apiserver import discovery, openapi

APPS = "/apis/apps/v1/namespaces/default"
WORKLOADS = ["deployments", "replicasets", "statefulsets"]


async def workload(api: Any, plural: str = "deployments", **spec: Any) -> dict[str, Any]:
    template = {
        "metadata": {"labels": {"app": "web"}},
        "spec": {"containers": [{"name": "c", "image": "i"}]},
    }
    whole = {"selector": {"matchLabels": {"app": "web"}}, "template": template, **spec}
    created: dict[str, Any] = await api.create(
        f"{APPS}/{plural}", {"metadata": {"name": "web"}, "spec": whole}
    )
    return created


@pytest.mark.parametrize("plural", WORKLOADS)
async def test_the_scale_shows_size_and_selector(api, plural) -> None:
    created = await workload(api, plural, replicas=2)

    scale = await api.get(f"{APPS}/{plural}/web/scale")

    assert (scale["apiVersion"], scale["kind"]) == ("autoscaling/v1", "Scale")
    assert scale["metadata"]["uid"] == created["metadata"]["uid"]
    assert scale["spec"] == {"replicas": 2}
    assert scale["status"] == {"replicas": 0, "selector": "app=web"}


async def test_a_written_scale_changes_the_size_and_nothing_else(api) -> None:
    created = await workload(api)
    scale = await api.get(f"{APPS}/deployments/web/scale")
    scale["spec"]["replicas"] = 5

    answered = await api("PUT", f"{APPS}/deployments/web/scale", scale)
    found = await api.get(f"{APPS}/deployments/web")

    assert (answered.status, answered.body["spec"]) == (200, {"replicas": 5})
    assert found["spec"] == {**created["spec"], "replicas": 5}
    assert found["metadata"]["generation"] == 2


async def test_a_patch_of_the_scale(api) -> None:
    await workload(api)

    merge = "application/merge-patch+json"
    change = {"spec": {"replicas": 0}}
    answered = await api("PATCH", f"{APPS}/deployments/web/scale", change, content_type=merge)

    assert (answered.status, answered.body["spec"]) == (200, {})
    assert (await api.get(f"{APPS}/deployments/web"))["spec"]["replicas"] == 0


async def test_a_scale_that_is_stale_or_negative_is_refused(api) -> None:
    await workload(api)
    path = f"{APPS}/deployments/web/scale"
    stale = {"metadata": {"name": "web", "resourceVersion": "1"}, "spec": {"replicas": 3}}
    negative = {"metadata": {"name": "web"}, "spec": {"replicas": -1}}

    assert (await api("PUT", path, stale)).reason == "Conflict"
    refused = await api("PUT", path, negative)
    assert refused.body["message"] == (
        'Scale.autoscaling "web" is invalid: spec.replicas: Invalid value: -1:'
        " must be greater than or equal to 0"
    )
    assert (await api("GET", f"{APPS}/deployments/other/scale")).reason == "NotFound"


async def test_what_has_no_size_has_no_scale(api) -> None:
    await workload(api, "daemonsets")

    assert (await api("GET", f"{APPS}/daemonsets/web/scale")).status == 404


def test_discovery_and_openapi_tell_of_it() -> None:
    listed = discovery.resource_list(KINDS, "apps", "v1")
    assert listed is not None
    named = {entry["name"]: entry for entry in listed["resources"]}
    assert named["deployments/scale"] == {
        "name": "deployments/scale",
        "singularName": "",
        "namespaced": True,
        "group": "autoscaling",
        "version": "v1",
        "kind": "Scale",
        "verbs": ["get", "patch", "update"],
    }
    document = openapi.v3(KINDS, "apps", "v1")
    assert document is not None
    path = "/apis/apps/v1/namespaces/{namespace}/deployments/{name}/scale"
    assert "io.k8s.api.autoscaling.v1.Scale" in json.dumps(document["paths"][path]["get"])
    assert "io.k8s.api.autoscaling.v1.Scale" in document["components"]["schemas"]
