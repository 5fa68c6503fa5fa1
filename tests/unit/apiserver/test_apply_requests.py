"""Apply patches through the kernel: what is stored, and who owns it."""

import json

VN = "/apis/core.contrail.juniper.net/v1alpha1/namespaces/default/virtualnetworks/vn"
NAD = "/apis/k8s.cni.cncf.io/v1/namespaces/default/network-attachment-definitions/nad"


def network(**rest):
    return {
        "apiVersion": "core.contrail.juniper.net/v1alpha1",
        "kind": "VirtualNetwork",
        "metadata": {"name": "vn"},
        **rest,
    }


async def apply(api, url, obj, manager="one", more=""):
    return await api(
        "PATCH",
        f"{url}?fieldManager={manager}{more}",
        json.dumps(obj).encode(),
        content_type="application/apply-patch+yaml",
    )


def owned(obj):
    return {
        (entry["manager"], entry.get("subresource", "")): entry["fieldsV1"]
        for entry in obj["metadata"]["managedFields"]
    }


async def test_what_an_apply_says_is_owned_and_what_the_server_adds_is_not(api):
    made = await apply(api, VN, network(spec={"routeTargetList": ["target:1:1"]}))
    assert made.status == 201
    assert made.body["spec"]["fqName"] == ["default-domain", "default", "vn"]
    assert made.body["spec"]["virtualNetworkProperties"]["rpf"] == "enable"
    assert owned(made.body) == {("one", ""): {"f:spec": {"f:routeTargetList": {}}}}


async def test_applying_again_keeps_the_revision(api):
    config = network(spec={"routeTargetList": ["target:1:1"]})
    made = await apply(api, VN, config)
    api.clock.forward(60)
    again = await apply(api, VN, config)
    assert (again.status, again.body) == (200, made.body)


async def test_status_is_ignored_on_the_object_and_owned_on_its_subresource(api):
    config = network(spec={"fabricSNAT": True}, status={"state": "Success"})
    made = await apply(api, VN, config)
    assert "status" not in made.body
    assert owned(made.body) == {("one", ""): {"f:spec": {"f:fabricSNAT": {}}}}
    config["spec"] = {"fabricSNAT": False}
    written = await apply(api, f"{VN}/status", config)
    assert written.status == 200
    assert written.body["spec"]["fabricSNAT"] is True
    assert written.body["status"]["state"] == "Success"
    assert owned(written.body) == {
        ("one", ""): {"f:spec": {"f:fabricSNAT": {}}},
        ("one", "status"): {"f:status": {"f:state": {}}},
    }


async def test_a_conflict_names_field_and_owner_and_force_takes_it(api):
    await apply(api, VN, network(spec={"fabricSNAT": True}))
    refused = await apply(api, VN, network(spec={"fabricSNAT": False}), "two")
    assert (refused.status, refused.body["reason"]) == (409, "Conflict")
    assert refused.message == (
        'Apply failed with 1 conflict: conflict with "one": .spec.fabricSNAT'
    )
    assert refused.body["details"]["causes"] == [
        {
            "reason": "FieldManagerConflict",
            "message": 'conflict with "one"',
            "field": ".spec.fabricSNAT",
        }
    ]
    forced = await apply(api, VN, network(spec={"fabricSNAT": False}), "two", "&force=true")
    assert forced.body["spec"]["fabricSNAT"] is False
    assert owned(forced.body) == {("two", ""): {"f:spec": {"f:fabricSNAT": {}}}}


async def test_what_is_no_longer_applied_goes(api):
    config = network(spec={"routeTargetList": ["target:1:1"]})
    config["metadata"]["labels"] = {"a": "b"}
    await apply(api, VN, config)
    later = await apply(api, VN, network(spec={}))
    assert "routeTargetList" not in later.body["spec"]
    assert "labels" not in later.body["metadata"]


async def test_the_spec_of_a_custom_resource_is_owned_as_such_by_its_creator(api):
    obj = {
        "apiVersion": "k8s.cni.cncf.io/v1",
        "kind": "NetworkAttachmentDefinition",
        "metadata": {"name": "nad"},
        "spec": {"config": "{}"},
    }
    made = await api.create(NAD.rpartition("/")[0], obj)
    assert owned(made) == {("tester", ""): {"f:spec": {".": {}, "f:config": {}}}}


async def test_an_apply_says_who_applies(api) -> None:
    answered = await api(
        "PATCH",
        "/api/v1/namespaces/default/configmaps/a",
        {"apiVersion": "v1", "kind": "ConfigMap"},
        content_type="application/apply-patch+yaml",
    )

    assert (answered.status, answered.message) == (
        422,
        'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value:'
        " is required for apply patch",
    )
