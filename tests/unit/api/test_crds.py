"""CustomResourceDefinitions: complete, structural, and without what apiextensions refuses."""

from __future__ import annotations

from typing import Any

from cn2.api.crds import custom_resource_definitions, definition
from cn2.api.kinds import NETWORK_ATTACHMENT_DEFINITION, SUBNET, VIRTUAL_ROUTER


def nodes(schema: Any, path: str = "") -> Any:
    if isinstance(schema, dict):
        yield path, schema
        for key, value in schema.items():
            yield from nodes(value, f"{path}.{key}")


def test_there_is_one_for_each_kind_of_cn2() -> None:
    names = [crd["metadata"]["name"] for crd in custom_resource_definitions()]
    assert len(names) == len(set(names)) == 28
    assert "network-attachment-definitions.k8s.cni.cncf.io" in names
    assert "virtualnetworks.core.contrail.juniper.net" in names


def test_the_definition_of_the_attachment_definition() -> None:
    spec = definition(NETWORK_ATTACHMENT_DEFINITION)["spec"]
    assert spec["names"] == {
        "kind": "NetworkAttachmentDefinition",
        "listKind": "NetworkAttachmentDefinitionList",
        "plural": "network-attachment-definitions",
        "singular": "networkattachmentdefinition",
        "shortNames": ["net-attach-def"],
    }
    (version,) = spec["versions"]
    assert "subresources" not in version
    own = version["schema"]["openAPIV3Schema"]["properties"]["spec"]
    assert own == {"type": "object", "properties": {"config": {"type": "string"}}}


def test_columns_are_paths() -> None:
    (version,) = definition(SUBNET)["spec"]["versions"]
    columns = [(c["name"], c["jsonPath"]) for c in version["additionalPrinterColumns"]]
    assert columns == [
        ("CIDR", ".spec.cidr"),
        ("Usage", ".status.allocationUsage"),
        ("State", ".status.state"),
        ("Age", ".metadata.creationTimestamp"),
    ]
    assert version["subresources"] == {"status": {}}


def test_only_what_apiextensions_knows_is_in_a_schema() -> None:
    for crd in custom_resource_definitions():
        (version,) = crd["spec"]["versions"]
        for path, node in nodes(version["schema"]["openAPIV3Schema"]):
            assert not {
                "x-cn2-reference",
                "x-cn2-struct",
                "x-kubernetes-patch-strategy",
                "x-kubernetes-patch-merge-key",
            } & set(node), path


def test_keys_of_list_maps_are_required_or_have_a_default() -> None:
    for crd in [*custom_resource_definitions(), definition(VIRTUAL_ROUTER)]:
        (version,) = crd["spec"]["versions"]
        for path, node in nodes(version["schema"]["openAPIV3Schema"]):
            for key in node.get("x-kubernetes-list-map-keys", []):
                item = node["items"]
                has_default = "default" in item["properties"][key]
                assert has_default or key in item["required"], path
