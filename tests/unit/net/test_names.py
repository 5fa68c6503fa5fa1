"""Every published value of a computed name is reproduced (cn2-api.md 3.3 to 3.7)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cn2.net import names

VECTORS: dict[str, list[dict[str, Any]]] = json.loads(
    (Path(__file__).parent / "name_vectors.json").read_text()
)
CLUSTER = "contrail-k8s-kubemanager-mk"
POD_NETWORK_NAMESPACE = CLUSTER + "-contrail"


@pytest.mark.parametrize("v", VECTORS["back_reference"], ids=lambda v: v["name"])
def test_back_reference_key(v: dict[str, Any]) -> None:
    key, value = names.back_reference(v["kind"], v["namespace"], v["name"])
    assert key == f"back-reference.core.juniper.net/{v['sha3_224']}"
    assert len(value) <= 63


@pytest.mark.parametrize("v", VECTORS["parent"], ids=lambda v: v["name"])
def test_parent(v: dict[str, Any]) -> None:
    assert names.parent_label_value(v["namespace"], v["kind"], v["name"]) == v["sha3_224"]


@pytest.mark.parametrize("v", VECTORS["suffix"], ids=lambda v: v["fnv1a32"])
def test_suffix(v: dict[str, Any]) -> None:
    parts = v["parts"]
    assert names.fnv1a32(*parts) == v["fnv1a32"]
    match v["what"]:
        case "VM":
            name = names.virtual_machine_name(*parts)
        case "VMI":
            name = names.interface_name(*parts[:3], int(parts[3]))
        case "IIP pod":
            name = names.pod_address_name(*parts[:5], int(parts[5]), parts[6])
        case _:
            name = names.service_address_name(*parts)
    assert name.endswith("-" + v["fnv1a32"])


@pytest.mark.parametrize("v", VECTORS["tag"], ids=lambda v: v["encoded"])
def test_tag(v: dict[str, Any]) -> None:
    assert names.tag_name(v["type"], v["value"]) == "tag-" + v["encoded"]


def test_whole_names_of_the_walkthrough() -> None:
    assert names.virtual_machine_name(CLUSTER, "default", "nginx") == f"{CLUSTER}-nginx-438edddb"
    assert names.interface_name("default", "vn1-pod", "vn1", 1) == "vn1-pod-b03c1981"
    assert (
        names.pod_address_name(
            CLUSTER, "default", "nginx", POD_NETWORK_NAMESPACE, "default-podnetwork", 0, "v4"
        )
        == f"{CLUSTER}-nginx-9e2dcf80"
    )
    assert (
        names.service_address_name(CLUSTER, "kube-system", "kube-dns")
        == f"{CLUSTER}-kube-dns-e0c7a4a3"
    )


def test_a_long_back_reference_value_is_cut_at_63_characters() -> None:
    name = f"{CLUSTER}-coredns-558bd4d5db-r6nck-9cb64c64"
    value = names.back_reference("VirtualMachine", "", name)[1]
    assert value == "VirtualMachine_contrail-k8s-kubemanager-mk-coredns-558bd4d5db-r"


def test_a_cut_value_never_ends_in_a_separator() -> None:
    value = names.back_reference("Subnet", "", "a" * 55 + "-._b")[1]
    assert value == "Subnet_" + "a" * 55


def test_the_suffix_is_padded_to_eight_digits() -> None:
    texts = (str(i) for i in range(10_000))
    padded = [names.fnv1a32(text) for text in texts]
    assert all(len(value) == 8 for value in padded)
    assert any(value.startswith("0") for value in padded)


def test_mac_of_uid() -> None:
    assert names.mac_of_uid("118ec02f-e0aa-4b1c-8d00-000000000000") == "02:11:8e:c0:2f:e0"
    with pytest.raises(ValueError, match="not a uid"):
        names.mac_of_uid("1234")
