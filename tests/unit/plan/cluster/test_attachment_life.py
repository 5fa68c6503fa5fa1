"""A NetworkAttachmentDefinition from its first day to its last (F01 to F07)."""

from __future__ import annotations

import json
from typing import Any

import pytest
import states
from cluster_world import CLUSTER, World

from cn2.api.kinds import (
    INSTANCE_IP,
    NAMESPACE,
    NETWORK_ATTACHMENT_DEFINITION,
    NODE,
    POD,
    ROUTE_TARGET,
    ROUTING_INSTANCE,
    SUBNET,
    VIRTUAL_MACHINE_INTERFACE,
    VIRTUAL_NETWORK,
)
from cn2.plan.cluster import objects

SYSTEM_TARGETS = [f"target-64512-{8000000 + i}" for i in range(9)]


def started(**settings: Any) -> World:
    world = World(**settings)
    world.create(NAMESPACE, states.namespace("default"))
    world.create(NODE, states.node())
    world.settle()
    return world


def with_pod() -> World:
    world = started()
    world.create(NETWORK_ATTACHMENT_DEFINITION, states.definition())
    world.create(POD, states.pod(networks="vn1"))
    world.settle()
    return world


def annotate(world: World, networks: dict[str, Any] | str | None) -> None:
    text = networks if isinstance(networks, str | None) else json.dumps(networks)
    body = {"metadata": {"annotations": {"juniper.net/networks": text}}}
    world.patch(NETWORK_ATTACHMENT_DEFINITION, "vn1", body, "default")


def told(world: World) -> str:
    definition = world.get(NETWORK_ATTACHMENT_DEFINITION, "vn1", "default")
    return objects.notes(definition).get("juniper.net/networks-status", "")


def ours(world: World) -> list[str]:
    return [
        f"{kind.kind}/{name}"
        for kind in (VIRTUAL_NETWORK, SUBNET, ROUTING_INSTANCE)
        for namespace, name in sorted(world.tables[kind.kind].objects)
        if namespace == "default"
    ]


def test_a_deleted_network_comes_back_with_its_numbers_and_its_subnet_untouched() -> None:
    world = with_pod()
    before = world.get(VIRTUAL_NETWORK, "vn1", "default")
    subnet = world.get(SUBNET, "vn1-v4", "default")
    target = world.get(ROUTING_INSTANCE, "vn1", "default")["status"]["defaultRouteTargetReference"]
    world.delete(VIRTUAL_NETWORK, "vn1", "default")
    world.settle()

    after = world.get(VIRTUAL_NETWORK, "vn1", "default")
    assert after["metadata"]["uid"] != before["metadata"]["uid"]
    assert after["status"] == before["status"]
    instance = world.get(ROUTING_INSTANCE, "vn1", "default")
    assert instance["status"]["defaultRouteTargetReference"]["name"] == target["name"]
    assert world.get(SUBNET, "vn1-v4", "default") == subnet
    assert world.settle() == 0


def test_interfaces_keep_their_status_while_a_wanted_network_is_made_again() -> None:
    world = with_pod()
    world.delete(VIRTUAL_NETWORK, "vn1", "default")
    world.settle(kubernetes=False)

    assert world.find(VIRTUAL_NETWORK, "vn1", "default") is None
    assert world.state(VIRTUAL_MACHINE_INTERFACE, "vn1-pod-b03c1981", "default") == "Success"
    assert world.state(INSTANCE_IP, f"{CLUSTER}-vn1-pod-f7921747") == "Success"


def test_a_network_that_another_took_the_numbers_from_meanwhile_still_has_its_own() -> None:
    world = with_pod()
    world.delete(VIRTUAL_NETWORK, "vn1", "default")
    world.settle(kubernetes=False)
    world.create(
        VIRTUAL_NETWORK, {"metadata": {"name": "other", "namespace": "default"}, "spec": {}}
    )
    world.settle(kubernetes=False)
    world.settle()

    numbers = {
        name: world.get(VIRTUAL_NETWORK, name, "default")["status"]["virtualNetworkNetworkId"]
        for name in ("vn1", "other")
    }
    assert numbers == {"vn1": 5, "other": 6}


def test_a_deleted_definition_takes_everything_along_at_once_also_with_pods_attached() -> None:
    world = with_pod()
    world.delete(NETWORK_ATTACHMENT_DEFINITION, "vn1", "default")
    world.settle()

    assert world.find(NETWORK_ATTACHMENT_DEFINITION, "vn1", "default") is None
    assert ours(world) == []
    assert world.names(ROUTE_TARGET) == SYSTEM_TARGETS
    interface = world.get(VIRTUAL_MACHINE_INTERFACE, "vn1-pod-b03c1981", "default")
    assert interface["status"]["state"] == "Pending"
    assert interface["status"]["observation"] == "VirtualNetwork default/vn1 not found"
    assert world.state(VIRTUAL_MACHINE_INTERFACE, "vn1-pod-9789f5cc", "default") == "Success"


def test_a_network_of_the_same_name_adopts_the_addresses_of_living_pods() -> None:
    world = with_pod()
    world.delete(NETWORK_ATTACHMENT_DEFINITION, "vn1", "default")
    world.settle()
    world.create(NETWORK_ATTACHMENT_DEFINITION, states.definition())
    world.settle()

    assert world.get(SUBNET, "vn1-v4", "default")["status"]["ipCount"] == 4
    assert world.state(VIRTUAL_MACHINE_INTERFACE, "vn1-pod-b03c1981", "default") == "Success"
    world.create(POD, states.pod("second", networks="vn1"))
    world.settle()
    addresses = {
        objects.spec(world.get(INSTANCE_IP, name))["instanceIPAddress"]
        for name in world.names(INSTANCE_IP)
    }
    assert {"172.16.10.2", "172.16.10.3"} <= addresses


@pytest.mark.parametrize(
    ("cidr", "state", "observation"),
    [
        ("10.7.0.0/24", "Pending", "172.16.10.2 is not in Subnet default/vn1-v4 (10.7.0.0/24)"),
        ("172.16.10.0/23", "Success", ""),
    ],
    ids=["elsewhere", "larger"],
)
def test_a_network_that_comes_back_with_other_addresses(
    cidr: str, state: str, observation: str
) -> None:
    """A living pod's address that is not of the network any more says so; one that is, is kept."""
    world = with_pod()
    world.delete(NETWORK_ATTACHMENT_DEFINITION, "vn1", "default")
    world.settle()
    world.create(NETWORK_ATTACHMENT_DEFINITION, states.definition(networks={"ipamV4Subnet": cidr}))
    world.settle()
    address = world.get(INSTANCE_IP, f"{CLUSTER}-vn1-pod-f7921747")
    assert address["spec"]["instanceIPAddress"] == "172.16.10.2"
    assert (address["status"]["state"], address["status"]["observation"]) == (state, observation)
    used = world.get(SUBNET, "vn1-v4", "default")["status"]["ipCount"]
    assert used == (4 if state == "Success" else 3)
    assert world.settle() == 0


def test_a_network_that_gets_another_subnet_leaves_living_pods_their_addresses() -> None:
    world = with_pod()
    spec = {"cidr": "10.7.0.0/24", "defaultGateway": "10.7.0.1"}
    metadata = {"namespace": "default", "name": "other"}
    world.create(SUBNET, {"metadata": metadata, "spec": spec})
    reference = {"kind": "Subnet", "namespace": "default", "name": "other"}
    body = {"metadata": {"annotations": {"juniper.net/networks": None}}}
    world.patch(NETWORK_ATTACHMENT_DEFINITION, "vn1", body, "default")
    world.patch(VIRTUAL_NETWORK, "vn1", {"spec": {"v4SubnetReference": reference}}, "default")
    world.settle(kubernetes=False)
    address = world.get(INSTANCE_IP, f"{CLUSTER}-vn1-pod-f7921747")
    assert address["status"]["state"] == "Success"
    assert address["status"]["subnetReference"]["name"] == "vn1-v4"


def test_a_definition_whose_namespace_is_being_deleted_gets_no_network_back() -> None:
    world = with_pod()
    world.patch(NAMESPACE, "default", {"metadata": {"finalizers": ["kubernetes"]}})
    world.delete(NAMESPACE, "default")
    world.delete(VIRTUAL_NETWORK, "vn1", "default")
    world.settle()

    assert world.find(VIRTUAL_NETWORK, "vn1", "default") is None


def test_a_switched_off_controller_ignores_definitions_but_honours_their_end() -> None:
    world = with_pod()
    off = started(enable_nad=False)
    off.create(NETWORK_ATTACHMENT_DEFINITION, states.definition())
    off.settle()
    assert ours(off) == []
    assert told(off) == ""
    assert not objects.finalizers(off.get(NETWORK_ATTACHMENT_DEFINITION, "vn1", "default"))

    off.tables, off.snapshot, off.book = world.tables, world.snapshot, world.book
    off.keys = world.keys
    off.delete(NETWORK_ATTACHMENT_DEFINITION, "vn1", "default")
    off.settle()
    assert ours(off) == []
    assert off.find(NETWORK_ATTACHMENT_DEFINITION, "vn1", "default") is None


BAD = {
    "bad JSON": "{",
    "not an object": "[]",
    "host bits": {"ipamV4Subnet": "172.16.10.1/24"},
    "no CIDR": {"ipamV4Subnet": "172.16.10.0"},
    "other family": {"ipamV4Subnet": "2001:db8::/64"},
    "other family of v6": {"ipamV6Subnet": "10.0.0.0/8"},
    "bad target": {"routeTargetList": ["23:4561"]},
    "target too large": {"importRouteTargetList": ["target:10.1.1.1:65536"]},
    "not a list": {"exportRouteTargetList": "target:1:1"},
    "not a boolean": {"fabricSNAT": "yes"},
    "gateway elsewhere": {"ipamV4Subnet": "10.0.0.0/24", "ipamV4Gateway": "10.0.1.1"},
    "gateway no host": {"ipamV4Subnet": "10.0.0.0/24", "ipamV4Gateway": "10.0.0.255"},
    "no such mode": {"forwardingMode": "l4"},
    "properties no object": {"virtualNetworkProperties": "l3"},
    "multicast": {"ipamV4Subnet": "224.1.0.0/24"},
    "loopback": {"ipamV4Subnet": "127.0.0.0/8"},
    "everything": {"ipamV6Subnet": "::/0"},
}


@pytest.mark.parametrize("networks", BAD.values(), ids=BAD)
def test_bad_input_leaves_nothing_but_a_word_and_heals_when_corrected(networks: Any) -> None:
    world = started()
    world.create(NETWORK_ATTACHMENT_DEFINITION, states.definition(networks=networks))
    world.settle()

    assert told(world).startswith("failed creating VirtualNetwork vn1: ")
    assert ours(world) == []
    assert not objects.finalizers(world.get(NETWORK_ATTACHMENT_DEFINITION, "vn1", "default"))
    assert world.reasons() == ["NetworkFailed"]
    assert world.settle() == 0

    annotate(world, states.SEED_NETWORKS)
    world.settle()
    assert told(world) == "success creating VirtualNetwork vn1 v4Subnet: 172.16.10.0/24 "
    assert world.state(VIRTUAL_NETWORK, "vn1", "default") == "Success"


def test_a_definition_without_our_annotation_is_ignored() -> None:
    world = started()
    other = states.definition()
    del other["metadata"]["annotations"]
    world.create(NETWORK_ATTACHMENT_DEFINITION, other)
    world.settle()
    assert ours(world) == []
    assert world.findings == []


def test_keys_that_are_not_known_are_named_once() -> None:
    world = started()
    asked = {**states.SEED_NETWORKS, "ipamV5Subnet": "x", "colour": "blue"}
    world.create(NETWORK_ATTACHMENT_DEFINITION, states.definition(networks=asked))
    world.settle()
    world.settle()
    assert world.state(VIRTUAL_NETWORK, "vn1", "default") == "Success"
    assert world.reasons() == ["UnknownKeys"]
    assert "colour, ipamV5Subnet" in world.findings[0].message


def test_both_families_are_told_and_shown() -> None:
    world = started()
    asked = {"ipamV4Subnet": "172.16.30.0/24", "ipamV6Subnet": "2001:db8:30::/64"}
    world.create(NETWORK_ATTACHMENT_DEFINITION, states.definition(networks=asked))
    world.create(POD, states.pod(networks="vn1"))
    world.settle()
    assert told(world) == (
        "success creating VirtualNetwork vn1 v4Subnet: 172.16.30.0/24 v6Subnet: 2001:db8:30::/64 "
    )
    assert world.get(SUBNET, "vn1-v6", "default")["spec"]["defaultGateway"] == "2001:db8:30::1"
    note = objects.notes(world.get(POD, "vn1-pod", "default"))["k8s.v1.cni.cncf.io/network-status"]
    assert json.loads(note)[1]["ips"] == ["172.16.30.2", "2001:db8:30::2"]


def test_changed_lists_reach_the_routing_instance_and_drop_the_old_target() -> None:
    world = with_pod()
    annotate(world, {"ipamV4Subnet": "172.16.10.0/24", "routeTargetList": ["target:1:2"]})
    world.settle()

    instance = world.get(ROUTING_INSTANCE, "vn1", "default")
    references = instance["spec"]["routeTargetReferences"]
    assert [(one["name"], one["attributes"]) for one in references] == [("target-1-2", {})]
    assert world.names(ROUTE_TARGET) == sorted(
        [*SYSTEM_TARGETS, "target-64512-8000009", "target-1-2"]
    )
    assert "importRouteTargetList" not in world.get(VIRTUAL_NETWORK, "vn1", "default")["spec"]


def test_a_target_that_two_networks_use_stays_with_the_second() -> None:
    world = started()
    asked = {"routeTargetList": ["target:1:2"]}
    world.create(NETWORK_ATTACHMENT_DEFINITION, states.definition("a", asked))
    world.create(NETWORK_ATTACHMENT_DEFINITION, states.definition("b", asked))
    world.settle()
    world.delete(NETWORK_ATTACHMENT_DEFINITION, "a", "default")
    world.settle()
    assert "target-1-2" in world.names(ROUTE_TARGET)
    world.delete(NETWORK_ATTACHMENT_DEFINITION, "b", "default")
    world.settle()
    assert world.names(ROUTE_TARGET) == SYSTEM_TARGETS


def test_a_free_subnet_is_changed_and_one_in_use_is_not() -> None:
    world = started()
    world.create(NETWORK_ATTACHMENT_DEFINITION, states.definition())
    world.settle()
    annotate(world, {"ipamV4Subnet": "172.16.20.0/24"})
    world.settle()
    subnet = world.get(SUBNET, "vn1-v4", "default")
    assert subnet["spec"]["cidr"] == "172.16.20.0/24"
    network = world.get(VIRTUAL_NETWORK, "vn1", "default")
    assert network["spec"]["v4SubnetReference"]["uid"] == subnet["metadata"]["uid"]

    world.create(POD, states.pod(networks="vn1"))
    world.settle()
    annotate(world, {"ipamV4Subnet": "172.16.30.0/24"})
    world.settle()
    assert "subnet in use" in told(world)
    assert world.get(SUBNET, "vn1-v4", "default")["spec"]["cidr"] == "172.16.20.0/24"
    assert world.state(VIRTUAL_NETWORK, "vn1", "default") == "Success"


def test_a_missing_family_is_added() -> None:
    world = with_pod()
    annotate(world, {**states.SEED_NETWORKS, "ipamV6Subnet": "2001:db8::/64"})
    world.settle()
    assert "v6SubnetReference" in world.get(VIRTUAL_NETWORK, "vn1", "default")["spec"]
    assert world.state(SUBNET, "vn1-v6", "default") == "Success"


def test_labels_of_the_definition_follow_and_those_of_people_stay() -> None:
    world = started()
    world.create(NETWORK_ATTACHMENT_DEFINITION, states.definition(team="red", tier="web"))
    world.settle()
    world.patch(VIRTUAL_NETWORK, "vn1", {"metadata": {"labels": {"mine": "x"}}}, "default")
    body = {"metadata": {"labels": {"team": "blue", "tier": None}}}
    world.patch(NETWORK_ATTACHMENT_DEFINITION, "vn1", body, "default")
    world.settle()
    labels = objects.labels(world.get(VIRTUAL_NETWORK, "vn1", "default"))
    assert labels == {"team": "blue", "mine": "x"}


def test_what_people_set_in_the_network_stays() -> None:
    world = started()
    world.create(NETWORK_ATTACHMENT_DEFINITION, states.definition())
    world.settle()
    body = {"spec": {"virtualNetworkProperties": {"rpf": "disable"}}}
    world.patch(VIRTUAL_NETWORK, "vn1", body, "default")
    world.settle()
    properties = world.get(VIRTUAL_NETWORK, "vn1", "default")["spec"]["virtualNetworkProperties"]
    assert properties == {"forwardingMode": "l2_l3", "rpf": "disable"}


def existing(world: World, targets: list[str]) -> None:
    subnet = {"metadata": {"name": "mine", "namespace": "default"}, "spec": {"cidr": "10.9.0.0/24"}}
    made = world.create(SUBNET, subnet)
    network = {
        "metadata": {"name": "vn1", "namespace": "default"},
        "spec": {
            "v4SubnetReference": objects.reference(SUBNET, made),
            "routeTargetList": targets,
        },
    }
    world.create(VIRTUAL_NETWORK, network)
    world.settle()


def test_an_equal_network_of_somebody_elses_is_used_and_neither_changed_nor_deleted() -> None:
    world = started()
    existing(world, ["target:1:2"])
    asked = {"ipamV4Subnet": "10.9.0.0/24", "routeTargetList": ["target:1:2"]}
    world.create(NETWORK_ATTACHMENT_DEFINITION, states.definition(networks=asked))
    before = world.get(VIRTUAL_NETWORK, "vn1", "default")
    world.settle()
    assert told(world).startswith("success")
    assert world.get(VIRTUAL_NETWORK, "vn1", "default") == before

    world.delete(NETWORK_ATTACHMENT_DEFINITION, "vn1", "default")
    world.settle()
    assert world.find(NETWORK_ATTACHMENT_DEFINITION, "vn1", "default") is None
    assert world.get(VIRTUAL_NETWORK, "vn1", "default") == before


def test_a_differing_network_of_somebody_elses_is_a_failure_that_names_the_difference() -> None:
    world = started()
    existing(world, ["target:1:2"])
    world.create(NETWORK_ATTACHMENT_DEFINITION, states.definition())
    before = world.get(VIRTUAL_NETWORK, "vn1", "default")
    world.settle()
    assert told(world).startswith("failed creating VirtualNetwork vn1: VirtualNetwork default/vn1")
    assert "routeTargetList" in told(world)
    assert "v4SubnetReference" in told(world)
    assert world.get(VIRTUAL_NETWORK, "vn1", "default") == before


def test_a_later_version_of_the_subnet_writes_nothing() -> None:
    world = with_pod()
    world.patch(SUBNET, "vn1-v4", {"metadata": {"annotations": {"a": "b"}}}, "default")
    assert world.settle() == 0


def test_a_routing_instance_deleted_by_hand_comes_back() -> None:
    world = with_pod()
    world.delete(ROUTING_INSTANCE, "vn1", "default")
    world.settle()
    instance = world.get(ROUTING_INSTANCE, "vn1", "default")
    assert instance["status"]["state"] == "Success"
    assert world.state(ROUTE_TARGET, instance["status"]["defaultRouteTargetReference"]["name"])


def test_a_route_target_deleted_by_hand_comes_back() -> None:
    world = with_pod()
    for name in ("target-23-4561", "target-64512-8000009"):
        world.delete(ROUTE_TARGET, name)
    world.settle()
    assert {"target-23-4561", "target-64512-8000009"} <= set(world.names(ROUTE_TARGET))
