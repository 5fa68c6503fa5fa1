"""What the aggregated API server computes, against the labels of the walkthrough."""

from __future__ import annotations

import copy

import pytest
from kind_examples import CLUSTER, EXAMPLES, UID, meta, ref

from cn2.api import conventions
from cn2.api.kind import Object
from cn2.api.kinds import KINDS, by_name

PREFIX = "back-reference.core.juniper.net/"


def nothing(_kind: str, _namespace: str, _name: str) -> None:
    return None


def applied(
    name: str,
    obj: Object | None = None,
    old: Object | None = None,
    lookup: conventions.Lookup = nothing,
) -> Object:
    new = copy.deepcopy(EXAMPLES[name] if obj is None else obj)
    conventions.apply(by_name(name), new, old, lookup)
    return new


def test_the_network_of_the_walkthrough() -> None:
    vn = applied("VirtualNetwork")
    assert vn["metadata"]["labels"] == {
        PREFIX + "c6dbefed51ec7143c19e3d9285d04ea8f7343de4632174839c9549f1": "Subnet_default_vn1-v4"
    }
    assert vn["spec"]["fqName"] == ["default-domain", "default", "vn1"]
    assert vn["spec"]["v4SubnetReference"]["fqName"] == ["default-domain", "default", "vn1-v4"]


def test_the_routing_instance_of_the_walkthrough() -> None:
    ri = applied("RoutingInstance")
    assert ri["metadata"]["labels"] == {
        f"{PREFIX}35c179a1e4e94f04e84921a626afd044d12e08c31c0c16f2e2b759cd": (
            "RouteTarget_target-10.2.2.2-561"
        ),
        f"{PREFIX}3acfef9839cb888c5103a243eb04c2b34931b92c32a156257cd0d501": (
            "RouteTarget_target-64512-8000009"
        ),
        f"{PREFIX}583035cccdfe4b1ce3d00ad2bb7120ab63890eccc91f4509152b7127": (
            "RouteTarget_target-10.1.1.1-561"
        ),
        f"{PREFIX}b876e04fdbe627b791a246ddf58db3af64535c18af924e1c5229e5e6": (
            "RouteTarget_target-23-4561"
        ),
        "core.juniper.net/parent": "2b292ddea1bd7937355c5b143bfd86b1aa46500d307ae7655af90db4",
    }
    assert ri["spec"]["fqName"] == ["default-domain", "default", "vn1", "vn1"]
    default = ri["status"]["defaultRouteTargetReference"]
    assert default["fqName"] == ["target-64512-8000009"]


def test_the_virtual_router_of_the_walkthrough() -> None:
    obj = copy.deepcopy(EXAMPLES["VirtualRouter"])
    obj["spec"]["virtualMachineReferences"].append(
        ref("VirtualMachine", f"{CLUSTER}-coredns-558bd4d5db-r6nck-9cb64c64")
    )
    vr = applied("VirtualRouter", obj)
    assert vr["spec"]["fqName"] == ["default-global-system-config", "minikube"]
    assert vr["metadata"]["labels"] == {
        PREFIX + "2cc848ce973a7ac114af1c01ebc2dd82483d61789f7786459d2f6dec": (
            "VirtualMachine_contrail-k8s-kubemanager-mk-coredns-558bd4d5db-r"
        ),
        PREFIX + "86c78a80e1213ad90936a33375cf4679fe7e1ad0b59d86f6d077008e": (
            "VirtualMachine_contrail-k8s-kubemanager-mk-nginx-438edddb"
        ),
        "core.juniper.net/clusterName": "",
        "core.juniper.net/parent": "9b83eddfaaa5778ad6b99cb81c803529cf911d492b9e7ec6d63d029d",
    }


def test_cluster_scoped_objects_have_their_name_only() -> None:
    assert applied("RouteTarget")["spec"]["fqName"] == ["target-64512-8000009"]
    assert applied("GlobalSystemConfig")["spec"]["fqName"] == ["default-global-system-config"]


def test_an_interface_whose_parent_is_a_namespace() -> None:
    vmi = applied("VirtualMachineInterface")
    assert vmi["spec"]["fqName"] == ["default-domain", "default", "vn1-pod-b03c1981"]


def test_the_name_of_a_child_takes_its_parents_stored_name() -> None:
    def lookup(kind: str, namespace: str, name: str) -> Object | None:
        if (kind, namespace, name) == ("RoutingInstance", "contrail", "default"):
            fq_name = ["default-domain", "contrail", "ip-fabric", "default"]
            return {"metadata": meta(name, namespace), "spec": {"fqName": fq_name}}
        return None

    router = applied("BGPRouter", lookup=lookup)
    assert router["spec"]["fqName"] == [
        "default-domain",
        "contrail",
        "ip-fabric",
        "default",
        "mx",
    ]


def test_the_instance_of_a_virtual_network_router_has_no_parent() -> None:
    ri = applied("RoutingInstance", {"metadata": meta("vnr", "ns1"), "spec": {"parent": {}}})
    assert ri["spec"]["fqName"] == ["default-domain", "ns1", "vnr"]
    assert "labels" not in ri["metadata"]


def test_references_of_virtual_network_routers_count() -> None:
    obj = copy.deepcopy(EXAMPLES["RoutingInstance"])
    obj["status"]["virtualNetworkRouterRouteTargetReferences"] = {
        "ns1/vnr": {"routeTargetReferences": [ref("RouteTarget", "target-64512-8000010")]}
    }
    key = PREFIX + "744aa6b17be94e6f45b4e33d1fa6468a2f1a7a3907b5687ab2a8ae3c"
    labels = applied("RoutingInstance", obj)["metadata"]["labels"]
    assert labels[key] == "RouteTarget_target-64512-8000010"


def test_a_label_goes_with_its_reference_and_users_labels_stay() -> None:
    old = applied("VirtualNetwork")
    old["metadata"]["labels"]["mine"] = "yes"
    new = copy.deepcopy(old)
    del new["spec"]["v4SubnetReference"]
    assert applied("VirtualNetwork", new, old)["metadata"]["labels"] == {"mine": "yes"}


def test_a_label_that_a_controller_puts_in_ahead_of_the_reference_stays() -> None:
    obj = copy.deepcopy(EXAMPLES["RoutingInstance"])
    status = obj.pop("status")
    key = PREFIX + "3acfef9839cb888c5103a243eb04c2b34931b92c32a156257cd0d501"
    obj["metadata"]["labels"] = {key: "RouteTarget_target-64512-8000009"}
    created = applied("RoutingInstance", obj)
    assert key in created["metadata"]["labels"]
    later = applied("RoutingInstance", {**copy.deepcopy(created), "status": status}, created)
    assert key in later["metadata"]["labels"]


def test_labels_left_out_by_an_update_come_back() -> None:
    old = applied("VirtualNetwork")
    new = copy.deepcopy(EXAMPLES["VirtualNetwork"])
    assert applied("VirtualNetwork", new, old)["metadata"]["labels"] == old["metadata"]["labels"]


def test_uid_and_version_left_out_by_an_update_are_kept() -> None:
    old = copy.deepcopy(EXAMPLES["VirtualNetwork"])
    old["spec"]["v4SubnetReference"] |= {"uid": UID, "resourceVersion": "118072"}
    old = applied("VirtualNetwork", old)
    kept = applied("VirtualNetwork", copy.deepcopy(EXAMPLES["VirtualNetwork"]), old)
    assert kept == old


def test_a_reference_to_something_else_loses_the_old_link() -> None:
    old = copy.deepcopy(EXAMPLES["VirtualNetwork"])
    old["spec"]["v4SubnetReference"] |= {"uid": UID, "resourceVersion": "118072"}
    old = applied("VirtualNetwork", old)
    new = copy.deepcopy(old)
    new["spec"]["v4SubnetReference"]["name"] = "other"
    changed = applied("VirtualNetwork", new, old)["spec"]["v4SubnetReference"]
    assert "uid" not in changed
    assert "resourceVersion" not in changed
    assert changed["fqName"] == ["default-domain", "default", "other"]


def test_the_uid_of_an_existing_target_is_filled_in() -> None:
    def lookup(kind: str, namespace: str, name: str) -> Object | None:
        return {"metadata": meta(name, namespace)} if kind == "Subnet" else None

    vn = applied("VirtualNetwork", lookup=lookup)
    assert vn["spec"]["v4SubnetReference"]["uid"] == UID
    assert "resourceVersion" not in vn["spec"]["v4SubnetReference"]


def test_a_reference_without_a_namespace_means_the_objects_own() -> None:
    obj = copy.deepcopy(EXAMPLES["VirtualNetwork"])
    del obj["spec"]["v4SubnetReference"]["namespace"]
    assert (
        applied("VirtualNetwork", obj)["metadata"]["labels"]
        == applied("VirtualNetwork")["metadata"]["labels"]
    )


def test_a_written_status_has_state_and_observation() -> None:
    obj = {"metadata": meta("target-1-1"), "status": {"state": "Success"}}
    assert applied("RouteTarget", obj)["status"] == {"state": "Success", "observation": ""}
    assert "status" not in applied("RouteTarget", {"metadata": meta("target-1-1")})


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
def test_applying_twice_changes_nothing(kind) -> None:  # type: ignore[no-untyped-def]
    once = applied(kind.kind)
    assert applied(kind.kind, once, once) == once


@pytest.mark.parametrize("name", ["Pod", "NetworkAttachmentDefinition", "Kubemanager", "Pool"])
def test_other_families_are_left_alone(name: str) -> None:
    assert applied(name) == EXAMPLES[name]
