"""Pods, their interfaces and addresses, from binding to the end (F08 to F12, F21, F40)."""

from __future__ import annotations

import json
from typing import Any

import pytest
import states
from cluster_world import CLUSTER, CLUSTER_NAMESPACE, World

from cn2.api.kinds import (
    INSTANCE_IP,
    NAMESPACE,
    NETWORK_ATTACHMENT_DEFINITION,
    NODE,
    POD,
    SERVICE,
    SUBNET,
    VIRTUAL_MACHINE,
    VIRTUAL_MACHINE_INTERFACE,
    VIRTUAL_ROUTER,
)
from cn2.plan.cluster import objects, pods


def started() -> World:
    world = World()
    world.create(NAMESPACE, states.namespace("default"))
    world.create(NODE, states.node())
    world.create(NETWORK_ATTACHMENT_DEFINITION, states.definition())
    world.settle()
    return world


def addresses(world: World) -> dict[str, str]:
    """Pod's address in vn1, by pod; "" for none."""
    return {
        objects.notes(address)["kube-manager.juniper.net/pod-name"]: objects.spec(address).get(
            "instanceIPAddress", ""
        )
        for address in world.tables[INSTANCE_IP.kind].objects.values()
        if objects.spec(address)["virtualNetworkReference"]["name"] == "vn1"
    }


def status(world: World, pod: str = "vn1-pod") -> list[dict[str, Any]]:
    text = objects.notes(world.get(POD, pod, "default")).get("k8s.v1.cni.cncf.io/network-status")
    found: list[dict[str, Any]] = json.loads(text) if text else []
    return found


def counts(world: World) -> dict[str, int]:
    return {name: len(table.objects) for name, table in world.tables.items() if name != "Event"}


def test_a_pod_on_the_default_network_only_is_told_its_machine_and_nothing_else() -> None:
    world = started()
    world.create(POD, states.pod("nginx"))
    world.settle()
    assert set(objects.notes(world.get(POD, "nginx", "default"))) == {
        "kube-manager.juniper.net/vm-uuid"
    }
    assert world.names(VIRTUAL_MACHINE) == [f"{CLUSTER}-nginx-438edddb"]
    assert world.names(VIRTUAL_MACHINE_INTERFACE) == ["nginx-3fa02bbb"]
    assert world.names(INSTANCE_IP) == [f"{CLUSTER}-nginx-9e2dcf80"]


@pytest.mark.parametrize(
    "pod",
    [states.pod("host", hostNetwork=True), states.pod("unbound", node="")],
    ids=["host network", "not bound"],
)
def test_no_network_is_made_for_a_pod_that_needs_none(pod: dict[str, Any]) -> None:
    world = started()
    world.create(POD, pod)
    world.settle()
    assert world.names(VIRTUAL_MACHINE) == []


def test_a_finished_pod_gives_its_address_back() -> None:
    world = started()
    world.create(POD, states.pod(networks="vn1"))
    world.settle()
    world.patch(POD, "vn1-pod", {"status": {"phase": "Succeeded"}}, "default")
    world.settle()
    assert world.names(VIRTUAL_MACHINE) == []
    assert addresses(world) == {}


def test_interfaces_and_addresses_say_their_node_their_pod_and_their_place() -> None:
    world = started()
    pod = world.create(POD, states.pod(networks="vn1"))
    world.settle()
    interface = world.get(VIRTUAL_MACHINE_INTERFACE, "vn1-pod-b03c1981", "default")
    address = world.get(INSTANCE_IP, f"{CLUSTER}-vn1-pod-f7921747")
    machine = world.get(VIRTUAL_MACHINE, f"{CLUSTER}-vn1-pod-c478b06e")
    for obj in (interface, address):
        assert objects.labels(obj)["core.juniper.net/virtualRouter"] == "minikube"
        assert objects.notes(obj)["kube-manager.juniper.net/pod-uid"] == pod["metadata"]["uid"]
        assert obj["metadata"]["ownerReferences"][0]["uid"] == machine["metadata"]["uid"]
        assert obj["metadata"]["ownerReferences"][0]["controller"] is True
    assert objects.notes(interface) | {"interface": "eth1", "index": "1/2"} == objects.notes(
        interface
    )
    assert interface["spec"]["parent"]["kind"] == "Namespace"
    assert interface["status"]["routingInstanceReferences"][0]["name"] == "vn1"
    assert address["spec"]["cidr"] == "172.16.10.0/24"
    assert address["status"]["subnetReference"]["name"] == "vn1-v4"
    assert objects.finalizers(address) == ["instance-ip-deallocation.finalizers.core.juniper.net"]
    assert machine["spec"] == {
        "serverType": "container",
        "serverName": "vn1-pod",
        "serverNamespace": "default",
        "serverClusterName": "",
    }


def test_only_the_first_interface_takes_its_address_from_the_nodes_block() -> None:
    world = started()
    world.create(NODE, states.node("second", "192.168.177.48", 1))
    world.create(POD, states.pod(networks="vn1", node="second"))
    world.settle()
    assert [one["ips"] for one in status(world)] == [["10.244.1.1"], ["172.16.10.2"]]
    subnet = world.get(SUBNET, "default-podnetwork-pod-v4-subnet", CLUSTER_NAMESPACE)
    assert [one["key"] for one in subnet["spec"]["ranges"]] == ["minikube", "second"]


def test_a_missing_network_is_told_when_it_lasts_and_the_pod_goes_on_by_itself() -> None:
    world = started()
    world.create(POD, states.pod(networks="vn1, default/vn2"))
    world.settle()
    assert world.findings == []
    world.clock += 2
    world.settle()
    world.settle()
    assert world.reasons() == ["NetworkNotReady"]
    assert "default/vn2" in world.findings[0].message
    assert world.names(VIRTUAL_MACHINE_INTERFACE) == []

    other = states.definition("vn2", {"ipamV4Subnet": "172.16.20.0/24"})
    world.create(NETWORK_ATTACHMENT_DEFINITION, other)
    world.settle()
    assert [one["interface"] for one in status(world)] == ["eth0", "eth1", "eth2"]


def test_the_json_form_gets_exactly_what_it_asks_for() -> None:
    world = started()
    asked = [
        {
            "name": "vn1",
            "namespace": "default",
            "ips": ["172.16.10.50"],
            "mac": "DE:AD:00:00:30:32",
            "interface": "net1",
            "cni-args": None,
        },
        {"name": "vn1"},
    ]
    world.create(POD, states.pod(networks=json.dumps(asked)))
    world.settle()
    first, second = status(world)[1:]
    assert first == {
        "name": "default/vn1",
        "interface": "net1",
        "ips": ["172.16.10.50"],
        "mac": "de:ad:00:00:30:32",
        "dns": {},
    }
    assert (second["interface"], second["ips"]) == ("eth2", ["172.16.10.2"])


def test_allowed_address_pairs_reach_the_interface() -> None:
    world = started()
    pairs = [{"ip": "172.16.10.100/32", "mac": "00:00:5e:00:01:01", "addressMode": "active-active"}]
    key = "net.juniper.contrail.allowedAddressPairs"
    asked = [{"name": "vn1", "cni-args": {key: json.dumps(pairs)}}]
    world.create(POD, states.pod(networks=json.dumps(asked)))
    world.settle()
    interface = world.get(VIRTUAL_MACHINE_INTERFACE, "vn1-pod-b03c1981", "default")
    assert interface["spec"]["allowedAddressPairs"]["allowedAddressPair"] == [
        {
            "ip": {"ipPrefix": "172.16.10.100", "ipPrefixLen": 32},
            "mac": "00:00:5e:00:01:01",
            "addressMode": "active-active",
        }
    ]


@pytest.mark.parametrize(
    ("ip", "says"),
    [
        ("172.16.10.1", "is reserved"),
        ("172.16.10.255", "is reserved"),
        ("172.16.10.2", "is used by"),
        ("10.9.9.9", "is not in Subnet default/vn1-v4"),
    ],
)
def test_an_address_that_cannot_be_had_is_told_and_nothing_is_allocated(ip: str, says: str) -> None:
    world = started()
    world.create(POD, states.pod("first", networks="vn1"))
    world.settle()
    usage = world.get(SUBNET, "vn1-v4", "default")["status"]["ipCount"]
    asked = json.dumps([{"name": "vn1", "ips": [ip]}])
    world.create(POD, states.pod(networks=asked))
    world.settle()
    world.clock += 2
    world.settle()
    assert status(world) == []
    assert world.find(VIRTUAL_MACHINE, f"{CLUSTER}-vn1-pod-c478b06e") is None
    on_pod = [one for one in world.findings if one.about["kind"] == "Pod"]
    assert [one.reason for one in on_pod] == ["AddressUnavailable"]
    assert says in on_pod[0].message
    assert world.get(SUBNET, "vn1-v4", "default")["status"]["ipCount"] == usage


def test_an_address_that_was_taken_is_given_when_it_becomes_free() -> None:
    world = started()
    world.create(POD, states.pod("first", networks="vn1"))
    world.settle()
    asked = json.dumps([{"name": "vn1", "ips": ["172.16.10.2"]}])
    world.create(POD, states.pod(networks=asked))
    world.settle()
    world.delete(POD, "first", "default")
    world.settle()
    assert status(world)[1]["ips"] == ["172.16.10.2"]


@pytest.mark.parametrize(
    "networks",
    [
        "[",
        "a/b/c",
        "vn 1",
        "vn1@eth0",
        "vn1@lo",
        "vn1@a-name-too-long-",
        '{"name": "vn1"}',
        '[{"namespace": "x"}]',
        '[{"name": "vn1", "namespace": 5}]',
        '[{"name": "vn1/2"}]',
        '[{"name": "vn1", "interface": 7}]',
        '[{"name": "vn1", "ips": "172.16.10.9"}]',
        '[{"name": "vn1", "mac": 5}]',
        '[{"name": "vn1", "mac": "01:00:5e:00:00:01"}]',
        '[{"name": "vn1", "cni-args": []}]',
    ],
)
def test_a_request_that_cannot_be_read_is_told(networks: str) -> None:
    world = started()
    world.create(POD, states.pod(networks=networks))
    world.settle()
    assert world.reasons() == ["InvalidNetworks"]
    assert world.names(VIRTUAL_MACHINE) == []


def test_an_address_asked_for_twice_by_one_pod_is_told() -> None:
    world = started()
    asked = [{"name": "vn1", "ips": ["172.16.10.9"]}, {"name": "vn1", "ips": ["172.16.10.9"]}]
    world.create(POD, states.pod(networks=json.dumps(asked)))
    world.settle()
    world.clock += 2
    world.settle()
    assert [one.message for one in world.findings] == ["172.16.10.9 is asked for twice"]


def test_a_correction_heals_a_pod_for_which_nothing_was_made() -> None:
    world = started()
    world.create(POD, states.pod(networks='[{"name": "vn1", "ips": ["10.9.9.9"]}]'))
    world.settle()
    fixed = {"k8s.v1.cni.cncf.io/networks": '[{"name": "vn1", "ips": ["172.16.10.9"]}]'}
    world.patch(POD, "vn1-pod", {"metadata": {"annotations": fixed}}, "default")
    world.settle()
    assert status(world)[1]["ips"] == ["172.16.10.9"]


def test_a_pod_keeps_the_networks_that_it_began_with() -> None:
    """Interfaces cannot come to a pod that runs: an edit is told, and changes nothing."""
    world = started()
    world.create(NETWORK_ATTACHMENT_DEFINITION, states.definition("vn2", {}))
    world.create(POD, states.pod(networks="vn1"))
    world.settle()
    before, told = counts(world), status(world)
    edited = {"k8s.v1.cni.cncf.io/networks": "vn1,vn2"}
    world.patch(POD, "vn1-pod", {"metadata": {"annotations": edited}}, "default")
    world.settle()
    assert (counts(world), status(world)) == (before, told)
    assert world.reasons() == ["NetworksChanged"]


def test_a_running_pod_gets_no_address_of_a_family_that_its_network_gains() -> None:
    world = started()
    world.create(POD, states.pod(networks="vn1"))
    world.settle()
    world.patch(POD, "vn1-pod", {"status": {"podIPs": [{"ip": "10.244.0.1"}]}}, "default")
    both = {"ipamV4Subnet": "172.16.10.0/24", "ipamV6Subnet": "2001:db8::/64"}
    annotation = {"juniper.net/networks": json.dumps(both)}
    body = {"metadata": {"annotations": annotation}}
    world.patch(NETWORK_ATTACHMENT_DEFINITION, "vn1", body, "default")
    world.settle()
    world.create(POD, states.pod("later", networks="vn1"))
    world.settle()
    assert status(world)[1]["ips"] == ["172.16.10.2"]
    assert status(world, "later")[1]["ips"] == ["172.16.10.3", "2001:db8::2"]


def test_an_address_deleted_under_a_running_pod_comes_back_as_it_was() -> None:
    world = started()
    asked = '[{"name": "vn1", "ips": ["172.16.10.2"]}]'
    for name, networks in (("first", "vn1"), ("vn1-pod", "vn1")):
        world.create(POD, states.pod(name, networks=networks))
        world.settle()
    world.patch(POD, "vn1-pod", {"status": {"podIPs": [{"ip": "10.244.0.2"}]}}, "default")
    world.delete(POD, "first", "default")
    world.delete(INSTANCE_IP, f"{CLUSTER}-vn1-pod-f7921747")
    world.settle()
    assert addresses(world)["vn1-pod"] == "172.16.10.3"
    world.create(POD, states.pod("second", networks=asked))
    world.settle()
    assert addresses(world) == {"vn1-pod": "172.16.10.3", "second": "172.16.10.2"}


def test_the_second_pod_of_a_full_subnet_waits_for_the_first() -> None:
    world = started()
    tiny = states.definition("vn2", {"ipamV4Subnet": "10.5.0.0/30"})
    world.create(NETWORK_ATTACHMENT_DEFINITION, tiny)
    for name in ("first", "second"):
        world.create(POD, states.pod(name, networks="vn2"))
        world.settle()
    waiting = [
        address
        for address in world.tables[INSTANCE_IP.kind].objects.values()
        if objects.state(address) != "Success"
    ]
    assert [objects.status(one)["observation"] for one in waiting] == [
        "Subnet default/vn2-v4 (10.5.0.0/30) is exhausted"
    ]
    assert world.get(SUBNET, "vn2-v4", "default")["status"]["allocationUsage"] == "100.00%"
    assert "AddressesExhausted" in world.reasons()
    world.clock += pods.PATIENCE
    world.settle()
    assert pods.VM_UUID in objects.notes(world.get(POD, "second", "default"))
    world.delete(POD, "first", "default")
    world.settle()
    assert status(world, "second")[1]["ips"] == ["10.5.0.2"]


def test_a_pod_is_told_its_machine_and_its_networks_in_one_write() -> None:
    world = started()
    world.create(POD, states.pod(networks="vn1"))
    world.settle()

    told = [step for manager, step in world.writes if manager == "kubemanager" and step.kind is POD]
    assert [sorted(step.body["metadata"]["annotations"]) for step in told] == [
        ["k8s.v1.cni.cncf.io/network-status", "kube-manager.juniper.net/vm-uuid"]
    ]


def test_addresses_outside_ranges_are_never_given() -> None:
    world = started()
    ranges = [{"key": "a", "ipRanges": [{"from": "172.16.10.7", "to": "172.16.10.8"}]}]
    world.patch(SUBNET, "vn1-v4", {"spec": {"ranges": ranges}}, "default")
    for name in "abc":
        world.create(POD, states.pod(name, networks="vn1"))
        world.settle()
    assert addresses(world) == {"a": "172.16.10.7", "b": "172.16.10.8", "c": ""}


def test_a_pod_that_is_gone_leaves_nothing() -> None:
    world = started()
    world.create(POD, states.pod("zero", networks="vn1"))
    world.settle()
    world.delete(POD, "zero", "default")
    world.settle()
    before = counts(world)
    usage = world.get(SUBNET, "vn1-v4", "default")["status"]
    for n in range(20):
        world.create(POD, states.pod(f"pod-{n}", networks="vn1"))
    world.settle()
    assert len(addresses(world)) == len(set(addresses(world).values())) == 20
    for n in range(20):
        world.delete(POD, f"pod-{n}", "default")
    world.settle()
    assert counts(world) == before
    assert world.get(SUBNET, "vn1-v4", "default")["status"] == usage
    assert "virtualMachineReferences" not in world.get(VIRTUAL_ROUTER, "minikube")["spec"]


def test_the_virtual_router_lets_go_before_the_machine_is_deleted() -> None:
    world = started()
    world.create(POD, states.pod())
    world.settle()
    world.writes.clear()
    world.delete(POD, "vn1-pod", "default")
    world.settle()
    kinds = [step.kind.kind for _, step in world.writes if hasattr(step, "kind")]
    assert kinds.index("VirtualRouter") < kinds.index("VirtualMachine")


def test_a_pod_of_the_same_name_waits_for_the_earlier_ones_objects() -> None:
    world = started()
    old = world.create(POD, states.pod(networks="vn1"))
    world.settle()
    hold = {"metadata": {"finalizers": ["test/hold"]}}
    world.patch(VIRTUAL_MACHINE_INTERFACE, "vn1-pod-b03c1981", hold, "default")
    world.delete(POD, "vn1-pod", "default")
    new = world.create(POD, states.pod(networks="vn1"))
    world.settle()
    assert old["metadata"]["uid"] != new["metadata"]["uid"]
    assert status(world) == []
    assert world.findings == []

    release = {"metadata": {"finalizers": None}}
    world.patch(VIRTUAL_MACHINE_INTERFACE, "vn1-pod-b03c1981", release, "default")
    world.settle()
    assert len(status(world)) == 2
    interface = world.get(VIRTUAL_MACHINE_INTERFACE, "vn1-pod-b03c1981", "default")
    uid = objects.notes(interface)["kube-manager.juniper.net/pod-uid"]
    assert uid == new["metadata"]["uid"]


def test_an_object_of_somebody_elses_is_never_adopted() -> None:
    world = started()
    stranger = {
        "metadata": {"name": "vn1-pod-b03c1981", "namespace": "default"},
        "spec": {"virtualNetworkReference": {"name": "vn1", "namespace": "default"}},
    }
    before = world.create(VIRTUAL_MACHINE_INTERFACE, stranger)["metadata"]["uid"]
    world.create(POD, states.pod(networks="vn1"))
    world.settle()
    assert world.reasons() == ["NameCollision"]
    assert status(world) == []
    world.delete(POD, "vn1-pod", "default")
    world.settle()
    interface = world.get(VIRTUAL_MACHINE_INTERFACE, "vn1-pod-b03c1981", "default")
    assert interface["metadata"]["uid"] == before


def test_a_services_address_is_held_while_the_service_lives() -> None:
    world = started()
    world.create(SERVICE, states.service("frontend", "10.108.75.218"))
    world.create(SERVICE, states.service("headless", "None"))
    world.create(SERVICE, states.service("kubernetes", "10.96.0.1"))
    world.settle()
    assert world.names(INSTANCE_IP) == [f"{CLUSTER}-frontend-55dee962"]
    assert world.state(INSTANCE_IP, f"{CLUSTER}-frontend-55dee962") == "Success"
    world.delete(SERVICE, "frontend", "default")
    world.settle()
    assert world.names(INSTANCE_IP) == []


def test_a_service_made_again_with_another_address_holds_that_one() -> None:
    world = started()
    world.create(SERVICE, states.service("frontend", "10.108.75.218"))
    world.settle()
    world.delete(SERVICE, "frontend", "default")
    world.create(SERVICE, states.service("frontend", "10.108.75.219"))
    world.settle()
    address = world.get(INSTANCE_IP, f"{CLUSTER}-frontend-55dee962")
    assert address["spec"]["instanceIPAddress"] == "10.108.75.219"


def test_a_node_that_is_gone_takes_its_virtual_router_along() -> None:
    world = started()
    world.delete(NODE, "minikube")
    world.settle()
    assert world.names(VIRTUAL_ROUTER) == []


def test_a_mac_is_free_again_when_the_pod_that_had_it_has_finished() -> None:
    world = started()
    asked = json.dumps([{"name": "vn1", "mac": "02:00:00:00:00:42"}])
    world.create(POD, states.pod("first", networks=asked))
    world.settle()
    world.create(POD, states.pod("second", networks=asked))
    world.settle()
    assert len(status(world, "first")) == 2 and status(world, "second") == []

    world.patch(POD, "first", {"status": {"phase": "Failed"}}, "default")
    world.settle()

    assert len(status(world, "second")) == 2
