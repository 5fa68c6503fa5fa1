"""What pods ask for and get: networks and addresses."""

from __future__ import annotations

import json

import pytest
from looks import (
    asking,
    complains,
    delete_pods,
    hand_made,
    inside,
    interfaces,
    reaches,
    success,
    targets,
    warnings,
)
from machine import Machine
from networks import network, pod, together

pytestmark = [pytest.mark.e2e, pytest.mark.root, pytest.mark.kubectl, pytest.mark.timeout(120)]


def test_the_json_form(machine: Machine) -> None:
    """F09: address, MAC, name and namespace exactly as asked; one network twice, two interfaces."""
    machine.kubectl("create", "namespace", "team1")
    manifest = json.loads(network("green", "172.16.60.0/24", "2001:db8:60::/64"))
    manifest["metadata"]["namespace"] = "team1"
    machine.apply(json.dumps(manifest))
    asked = [
        {
            "name": "green",
            "namespace": "team1",
            "ips": ["172.16.60.50", "2001:db8:60::50"],
            "mac": "de:ad:00:00:30:32",
            "interface": "net1",
            "cni-args": {"net.juniper.contrail.interfacegroup": "net1"},
        },
        {"name": "green", "namespace": "team1", "cni-args": None},
    ]
    machine.apply(pod("exact", json.dumps(asked)))
    found = interfaces(machine, "exact")
    seen = json.loads(inside(machine, "exact", "ip", "-json", "address", "show", "net1"))[0]

    assert found["net1"]["ips"] == ["172.16.60.50", "2001:db8:60::50"]
    assert found["net1"]["name"] == "team1/green"
    assert seen["address"] == found["net1"]["mac"] == "de:ad:00:00:30:32"
    assert {(one["local"], one["prefixlen"]) for one in seen["addr_info"]} >= {
        ("172.16.60.50", 24),
        ("2001:db8:60::50", 64),
    }
    assert found["eth2"]["ips"][0] == "172.16.60.2"
    names = [
        one["metadata"]["name"]
        for one in machine.items("vmi")
        if one["spec"]["virtualNetworkReference"]["name"] == "green"
    ]
    assert len(set(names)) == 2

    machine.apply(pod("short", "team1/green"))
    assert interfaces(machine, "short")["eth1"]["ips"][0] == "172.16.60.3"
    delete_pods(machine, "exact", "short")


def test_addresses_that_cannot_be_had(machine: Machine) -> None:
    """F09: pending with an event, nothing allocated; going on when it can be had."""
    machine.apply(network("taken", "172.16.61.0/24"))
    machine.apply(pod("holder", asking(name="taken", ips=["172.16.61.50"])))
    machine.running("holder")
    wrong = {
        "used": ("172.16.61.50", "is used by"),
        "foreign": ("172.16.99.50", "is not in Subnet"),
        "gateway": ("172.16.61.1", "is reserved"),
        "last": ("172.16.61.255", "is reserved"),
        "family": ("2001:db8::5", "has no v6 Subnet"),
    }
    machine.apply(
        together(*(pod(name, asking(name="taken", ips=[ip])) for name, (ip, _) in wrong.items()))
    )

    def all_told() -> bool:
        said = warnings(machine)
        return all(
            any(reason in one for one in said.get(name, ())) for name, (_, reason) in wrong.items()
        )

    machine.until(all_told, "every pod says why it waits")
    phases = {one["metadata"]["name"]: one["status"]["phase"] for one in machine.items("pod")}
    assert {phases[name] for name in wrong} == {"Pending"}
    owners = {
        one["metadata"]["annotations"].get("kube-manager.juniper.net/pod-name")
        for one in machine.items("iip,vmi,vm")
    }
    assert owners.isdisjoint(wrong)
    machine.until(lambda: machine.get("subnet", "taken-v4")["status"]["ipCount"] == 4)

    delete_pods(machine, "holder")
    assert interfaces(machine, "used")["eth1"]["ips"] == ["172.16.61.50"]
    fixed = asking(name="taken", ips=["172.16.61.51"])
    machine.kubectl(
        "annotate", "--overwrite", "pod", "foreign", f"k8s.v1.cni.cncf.io/networks={fixed}"
    )
    assert interfaces(machine, "foreign")["eth1"]["ips"] == ["172.16.61.51"]
    delete_pods(machine, *wrong)


def test_a_pod_waits_for_its_network(machine: Machine) -> None:
    """F08: an event names the network; the pod starts by itself when it appears."""
    machine.apply(pod("early", "dawn"))
    complains(machine, "early", "default/dawn not found")
    machine.apply(network("dawn", v6="2001:db8:61::/64"))

    assert interfaces(machine, "early")["eth1"]["ips"] == ["2001:db8:61::2"]
    assert reaches(machine, "early", "eth1", "2001:db8:61::1")


def test_a_running_pod_keeps_its_networks(machine: Machine) -> None:
    """An edit of its request changes nothing and is told."""
    before = interfaces(machine, "early")
    machine.kubectl(
        "annotate", "--overwrite", "pod", "early", "k8s.v1.cni.cncf.io/networks=dawn,blue"
    )
    complains(machine, "early", "create it again")
    vmis = [one for one in machine.items("vmi") if "early" in one["metadata"]["name"]]

    assert len(vmis) == 2
    assert interfaces(machine, "early") == before
    delete_pods(machine, "early")


def test_exactly_one_default_route(machine: Machine) -> None:
    """F11: the default route is eth0's, in each family; 1500 bytes everywhere (F15)."""
    machine.apply(network("azure", "172.16.29.0/24", "2001:db8:29::/64"))
    machine.apply(pod("routed", "azure"))
    machine.running("routed")
    links = json.loads(inside(machine, "routed", "ip", "-json", "link"))
    for family in ("-4", "-6"):
        routes = json.loads(inside(machine, "routed", "ip", "-json", family, "route"))
        assert [one["dev"] for one in routes if one["dst"] == "default"] == ["eth0"]
    assert {one["mtu"] for one in links if one["ifname"] != "lo"} == {1500}
    router = machine.get("vr", "-A")["items"][0]
    names = [one["name"] for one in router["spec"]["virtualMachineReferences"]]
    assert any(name.startswith("contrail-k8s-kubemanager-mk-routed-") for name in names)
    delete_pods(machine, "routed")
    machine.until(
        lambda: not machine.get("vr", "-A")["items"][0]["spec"].get("virtualMachineReferences")
    )


def test_the_same_name_again_and_again(machine: Machine) -> None:
    """Deleted by force and made again at once: no address twice, everything comes to rest."""
    machine.apply(network("azure", "172.16.29.0/24", "2001:db8:29::/64"))
    machine.apply(pod("witness", "azure"))
    machine.running("witness")
    for _ in range(4):
        machine.apply(pod("again", "azure"))
        machine.kubectl("delete", "pod", "again", "--force", "--grace-period=0")
    machine.apply(pod("again", "azure"))
    ips = interfaces(machine, "again")["eth1"]["ips"]
    held = [one["spec"].get("instanceIPAddress") for one in machine.items("iip")]

    assert reaches(machine, "witness", "eth1", ips[0])
    assert len(held) == len(set(held))
    machine.until(lambda: len(list((machine.data_dir / "netns").glob("pod-*"))) == 2)
    delete_pods(machine, "again", "witness")
    machine.until(lambda: not machine.items("vm") and not machine.items("vmi"))


# -- networks and addresses -------------------------------------------------------------------


def test_a_full_subnet(machine: Machine) -> None:
    """F21: a /30 has one address for pods; who waits says so and gets it when it is free."""
    machine.apply(network("tiny", "10.9.9.0/30"))
    machine.apply(pod("first", "tiny"))
    machine.running("first")
    machine.apply(pod("second", "tiny"))
    complains(machine, "second", "is exhausted")
    machine.until(
        lambda: machine.get("subnet", "tiny-v4")["status"]["allocationUsage"] == "100.00%"
    )
    delete_pods(machine, "first")

    assert interfaces(machine, "second")["eth1"]["ips"] == ["10.9.9.2"]
    delete_pods(machine, "second")
    machine.until(lambda: machine.get("subnet", "tiny-v4")["status"]["allocationUsage"] == "75.00%")


def test_a_network_without_a_definition(machine: Machine) -> None:
    """F08, F21: pods may name a VirtualNetwork; addresses come from its Subnet's ranges only;
    a Subnet with addresses is not deleted by hand."""
    spans = [{"from": f"172.16.72.{n}", "to": f"172.16.72.{n}"} for n in (10, 20)]
    ranges = [{"key": "a", "ipRanges": spans}]
    machine.apply(hand_made("bare", "172.16.72.0/24", ranges=ranges))
    for name, asked in (("r1", "bare"), ("r2", "default/bare")):
        machine.apply(pod(name, asked))
        machine.running(name)
    machine.apply(pod("r3", "bare"))
    complains(machine, "r3", "is exhausted")
    refused = machine.shell("kubectl delete subnet bare-v4")

    assert [interfaces(machine, name)["eth1"]["ips"][0] for name in ("r1", "r2")] == [
        "172.16.72.10",
        "172.16.72.20",
    ]
    assert "are in use" in refused
    assert "deletionTimestamp" not in machine.get("subnet", "bare-v4")["metadata"]
    delete_pods(machine, "r1", "r2", "r3")
    machine.kubectl("delete", "vn", "bare", "--timeout=20s")
    machine.until(lambda: machine.get("vn", "bare") is None)
    machine.kubectl("delete", "subnet", "bare-v4", "--timeout=20s")


def test_a_network_that_waits_for_its_subnet(machine: Machine) -> None:
    """A reference to what is not there yet is Pending and says so; two networks share a Subnet
    and never an address."""
    both = [
        json.loads(hand_made(name, "172.16.73.0/24", subnet="shared"))["items"]
        for name in ("one", "two")
    ]
    machine.apply(together(json.dumps(both[0][1]), json.dumps(both[1][1])))
    machine.until(
        lambda: (
            machine.get("vn", "one").get("status", {}).get("observation")
            == "Subnet default/shared not found"
        )
    )
    machine.apply(json.dumps(both[0][0]))
    success(machine, "one", "two")
    machine.apply(together(pod("on-one", "one"), pod("on-two", "two")))
    ips = {interfaces(machine, name)["eth1"]["ips"][0] for name in ("on-one", "on-two")}

    assert ips == {"172.16.73.2", "172.16.73.3"}
    delete_pods(machine, "on-one", "on-two")


def test_a_number_comes_back(machine: Machine) -> None:
    """F26: created, deleted, created: the same VNI when nobody else took it."""
    numbers = []
    for _ in range(2):
        machine.apply(network("number", "172.16.74.0/24"))
        success(machine, "number")
        numbers.append(machine.get("vn", "number")["status"]["virtualNetworkNetworkId"])
        machine.kubectl("delete", "net-attach-def", "number", "--timeout=20s")
        machine.until(lambda: machine.get("ri", "number") is None)

    assert numbers[0] == numbers[1]


def test_a_network_edited_by_hand(machine: Machine) -> None:
    """F22: lists of a VirtualNetwork reach its RoutingInstance, and leave it with their target."""
    machine.apply(hand_made("edited", "172.16.75.0/24"))
    success(machine, "edited")

    def lists(*names: str) -> None:
        body = {"spec": {"importRouteTargetList": list(names)}}
        machine.kubectl("patch", "vn", "edited", "--type=merge", "-p", json.dumps(body))

    lists("target:64512:900")
    machine.until(lambda: targets(machine, "edited") == {"target-64512-900": "import"})
    machine.until(lambda: machine.get("rt", "target-64512-900"))
    lists()
    machine.until(lambda: targets(machine, "edited") == {})
    machine.until(lambda: machine.get("rt", "target-64512-900") is None)


def test_a_network_comes_back_with_other_addresses(machine: Machine) -> None:
    """A pod that lived through it is silent and says why; new pods work, nobody leaks."""
    machine.apply(network("reborn", "172.16.76.0/24"))
    machine.apply(pod("survivor", "reborn"))
    machine.running("survivor")
    machine.kubectl("delete", "net-attach-def", "reborn", "--timeout=20s")
    machine.apply(network("reborn", "172.16.77.0/24"))
    success(machine, "reborn")
    machine.until(
        lambda: any(
            "172.16.76.2 is not in Subnet" in one["status"].get("observation", "")
            for one in machine.items("iip")
        )
    )
    for name in ("young", "younger"):
        machine.apply(pod(name, "reborn"))
        machine.running(name)
    young = interfaces(machine, "young")["eth1"]["ips"][0]

    assert young == "172.16.77.2"
    assert reaches(machine, "younger", "eth1", young)
    assert reaches(machine, "survivor", "eth0", "10.244.0.1")
    assert not reaches(machine, "survivor", "eth1", "172.16.76.1")
    delete_pods(machine, "survivor", "young", "younger")
