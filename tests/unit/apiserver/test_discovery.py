import pytest

from cn2.api.kind import Kind
from cn2.apiserver import discovery

POD = Kind(
    group="",
    version="v1",
    kind="Pod",
    plural="pods",
    namespaced=True,
    short_names=("po",),
    categories=("all",),
    status=True,
    subresources=("exec", "log"),
)
VN = Kind(group="core.x", version="v1alpha1", kind="VN", plural="vns", namespaced=True)
VN1 = Kind(group="core.x", version="v1beta1", kind="VN", plural="vns", namespaced=True)
NODE = Kind(group="", version="v1", kind="Node", plural="nodes", namespaced=False)
KINDS = (POD, VN, VN1, NODE)


def test_groups_leave_out_the_core_group_and_prefer_the_stabler_version():
    [group] = discovery.group_list(KINDS)["groups"]
    assert group["name"] == "core.x"
    assert [version["version"] for version in group["versions"]] == ["v1beta1", "v1alpha1"]
    assert group["preferredVersion"] == {"groupVersion": "core.x/v1beta1", "version": "v1beta1"}
    assert discovery.group(KINDS, "core.x")["versions"] == group["versions"]


def test_unknown_groups_and_versions_are_none():
    assert discovery.group(KINDS, "y") is None
    assert discovery.group(KINDS, "") is None
    assert discovery.resource_list(KINDS, "core.x", "v2") is None


def test_resources_carry_names_verbs_and_subresources():
    resources = discovery.resource_list(KINDS, "", "v1")["resources"]
    assert [entry["name"] for entry in resources] == [
        "nodes",
        "pods",
        "pods/exec",
        "pods/log",
        "pods/status",
    ]
    pods, exec_ = resources[1], resources[2]
    assert pods["shortNames"] == ["po"]
    assert pods["categories"] == ["all"]
    assert pods["singularName"] == "pod"
    assert pods["verbs"][0] == "create"
    assert exec_["kind"] == "PodExecOptions"
    assert exec_["verbs"] == ["create", "get"]


def test_the_storage_version_hash_is_that_of_kubernetes():
    """A real kube-apiserver publishes xPOwRZ+Yhw8= for pods."""
    assert discovery.storage_version_hash(POD) == "xPOwRZ+Yhw8="


@pytest.mark.parametrize("version", ["v2", "v2beta1"])
def test_the_aggregated_documents_split_at_the_core_group(version):
    core = discovery.aggregated(KINDS, core=True, version=version)
    others = discovery.aggregated(KINDS, core=False, version=version)
    assert core["apiVersion"] == f"apidiscovery.k8s.io/{version}"
    assert [item["metadata"]["name"] for item in core["items"]] == [""]
    assert [item["metadata"]["name"] for item in others["items"]] == ["core.x"]
    pods = core["items"][0]["versions"][0]["resources"][1]
    assert pods["scope"] == "Namespaced"
    assert pods["singularResource"] == "pod"
    assert [entry["subresource"] for entry in pods["subresources"]] == ["exec", "log", "status"]
    assert pods["subresources"][2]["responseKind"] == pods["responseKind"]


def test_the_entity_tag_changes_with_the_document():
    assert discovery.etag({"a": 1}) != discovery.etag({"a": 2})
