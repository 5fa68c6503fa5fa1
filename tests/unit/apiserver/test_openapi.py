import json

import pytest

from cn2.api.kind import Family, Kind
from cn2.apiserver import openapi

SPEC = {
    "type": "object",
    "required": ["cidr"],
    "properties": {
        "cidr": {"type": "string", "enum": ["a", "b"], "description": "A block."},
        "port": {"x-kubernetes-int-or-string": True},
        "open": {
            "type": "object",
            "x-kubernetes-preserve-unknown-fields": True,
            "properties": {"known": {"type": "string"}},
        },
        "maybe": {"type": "string", "nullable": True, "description": "Perhaps."},
        "ref": {"type": "object", "x-cn2-reference": True, "properties": {"name": {}}},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        "list": {"type": "array", "items": {"type": "integer"}, "x-kubernetes-list-type": "set"},
    },
}
VN = Kind(
    group="core.contrail.juniper.net",
    version="v1alpha1",
    kind="VirtualNetwork",
    plural="virtualnetworks",
    namespaced=True,
    family=Family.AGGREGATED,
    status=True,
    description="A collection of endpoints.",
    schema={"type": "object", "properties": {"spec": SPEC}},
)
POD = Kind(
    group="",
    version="v1",
    kind="Pod",
    plural="pods",
    namespaced=True,
    schema={"type": "object", "properties": {"spec": {"type": "object"}}},
)
KINDS = (VN, POD)
VN_NAME = "net.juniper.contrail.core.v1alpha1.VirtualNetwork"
VN_PATH = "/apis/core.contrail.juniper.net/v1alpha1/namespaces/{namespace}/virtualnetworks"


def decode(data):
    """Protobuf wire format as {field number: [value, ...]}."""
    found, position = {}, 0

    def varint():
        nonlocal position
        shift = number = 0
        while True:
            byte = data[position]
            position += 1
            number |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return number

    while position < len(data):
        key = varint()
        if key & 7 == 2:
            length = varint()
            value = data[position : position + length]
            position += length
        elif key & 7 == 1:
            value = data[position : position + 8]
            position += 8
        else:
            value = varint()
        found.setdefault(key >> 3, []).append(value)
    return found


def named(entries):
    pairs = [decode(entry) for entry in entries]
    return {pair[1][0].decode(): pair[2][0] for pair in pairs}


def test_the_index_points_at_one_document_per_group_and_version():
    index = openapi.v3_index(KINDS)["paths"]
    assert list(index) == ["api/v1", "apis/core.contrail.juniper.net/v1alpha1"]
    url = index["api/v1"]["serverRelativeURL"]
    assert url.startswith("/openapi/v3/api/v1?hash=")


def test_the_hash_follows_the_content():
    more = Kind(group="", version="v1", kind="Node", plural="nodes", namespaced=False)
    first, second = openapi.Documents(KINDS), openapi.Documents((*KINDS, more))
    assert first.hash("api/v1") != second.hash("api/v1")
    vn = "apis/core.contrail.juniper.net/v1alpha1"
    assert first.hash(vn) == second.hash(vn)


def test_documents_that_are_not_served_are_none():
    documents = openapi.Documents(KINDS)
    assert documents.v3("apis/x/v1") is None
    assert documents.v3("nonsense") is None
    assert documents.v3("apis//v1") is None
    assert openapi.v3(KINDS, "x", "v1") is None


def test_v3_describes_the_kind_with_its_group_version_and_kind():
    schemas = openapi.v3(KINDS, VN.group, VN.version)["components"]["schemas"]
    vn = schemas[VN_NAME]
    assert vn["description"] == "A collection of endpoints."
    assert vn["x-kubernetes-group-version-kind"] == [
        {"group": VN.group, "kind": "VirtualNetwork", "version": "v1alpha1"}
    ]
    assert vn["properties"]["metadata"]["allOf"] == [
        {"$ref": "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"}
    ]
    assert vn["properties"]["spec"]["properties"]["maybe"]["nullable"] is True
    assert VN_NAME + "List" in schemas


def test_our_own_extensions_are_not_published():
    assert "x-cn2" not in json.dumps([openapi.v2(KINDS), openapi.v3(KINDS, VN.group, VN.version)])


@pytest.mark.parametrize(("kind", "strategic"), [(VN, False), (POD, True)])
def test_patch_says_what_it_takes(kind, strategic):
    document = openapi.v3(KINDS, kind.group, kind.version)
    [patch] = [
        item["patch"] for path, item in document["paths"].items() if path.endswith("s/{name}")
    ]
    names = {parameter["name"] for parameter in patch["parameters"]}
    assert names == {"dryRun", "fieldManager", "fieldValidation", "force"}
    types = patch["requestBody"]["content"]
    assert ("application/strategic-merge-patch+json" in types) is strategic
    assert "application/apply-patch+yaml" in types
    assert patch["x-kubernetes-group-version-kind"]["kind"] == kind.kind


def test_only_kinds_with_status_have_a_status_path():
    paths = openapi.v2(KINDS)["paths"]
    assert VN_PATH + "/{name}/status" in paths
    assert not any(path.startswith("/api/v1") and path.endswith("/status") for path in paths)


def test_v2_says_nothing_that_version_2_cannot_say():
    spec = openapi.v2(KINDS)["definitions"][VN_NAME]["properties"]["spec"]["properties"]
    assert spec["port"] == {"type": "string", "format": "int-or-string"}
    assert spec["maybe"] == {"description": "Perhaps."}
    assert "properties" not in spec["open"]


def test_the_protobuf_document_holds_definitions_and_paths():
    document = decode(openapi.v2_protobuf(KINDS))
    assert document[1] == [b"2.0"]
    definitions = named(decode(document[9][0])[1])
    assert set(definitions) == set(openapi.v2(KINDS)["definitions"])
    vn = decode(definitions[VN_NAME])
    assert vn[4] == [b"A collection of endpoints."]
    gvk = decode(named(vn[31])["x-kubernetes-group-version-kind"])[2][0]
    assert json.loads(gvk)[0]["kind"] == "VirtualNetwork"
    spec = decode(named(decode(vn[25][0])[1])["spec"])
    assert spec[19] == [b"cidr"]
    fields = named(decode(spec[25][0])[1])
    cidr = decode(fields["cidr"])
    assert decode(cidr[22][0])[1] == [b"string"]
    assert [decode(choice)[2][0] for choice in cidr[20]] == [b'"a"', b'"b"']
    labels = decode(decode(fields["labels"])[21][0])
    assert decode(decode(labels[1][0])[22][0])[1] == [b"string"]


def test_the_protobuf_document_shows_dry_run_at_patch():
    paths = named(decode(decode(openapi.v2_protobuf(KINDS))[8][0])[2])
    patch = decode(decode(paths[VN_PATH + "/{name}"])[8][0])
    queries = [
        decode(decode(decode(item)[1][0])[2][0])[3][0]
        for item in patch[8]
        if 2 in decode(decode(item)[1][0])
    ]
    assert b"dryRun" in [decode(query)[4][0] for query in queries]
    gvk = decode(named(patch[13])["x-kubernetes-group-version-kind"])[2][0]
    assert json.loads(gvk) == {
        "group": VN.group,
        "kind": "VirtualNetwork",
        "version": "v1alpha1",
    }
