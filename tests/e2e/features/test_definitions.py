"""What a NetworkAttachmentDefinition becomes, and what it does not."""

from __future__ import annotations

import json

import pytest
from looks import (
    delete_pods,
    edit,
    hand_made,
    interfaces,
    reaches,
    success,
    targets,
    told,
)
from machine import Machine
from networks import network, pod

pytestmark = [pytest.mark.e2e, pytest.mark.root, pytest.mark.kubectl, pytest.mark.timeout(120)]


def test_a_definition_becomes_a_network(machine: Machine) -> None:
    """F02, F03, F22: Subnets, VN, RI with exactly its references, the status byte for byte."""
    machine.apply(
        network(
            "blue",
            "172.16.30.0/24",
            "2001:db8:30::/64",
            routeTargetList=["target:64512:30"],
            importRouteTargetList=["target:64512:31"],
            exportRouteTargetList=["target:64512:32"],
        )
    )
    success(machine, "blue")
    definition, vn = machine.get("net-attach-def", "blue"), machine.get("vn", "blue")
    row = machine.kubectl("get", "vn", "blue", "--no-headers").split()

    assert told(machine, "blue") == (
        "success creating VirtualNetwork blue v4Subnet: 172.16.30.0/24 v6Subnet: 2001:db8:30::/64 "
    )
    assert definition["metadata"]["generation"] == 1
    assert definition["metadata"]["finalizers"] == [
        "virtual-network.finalizers.kube-manager.juniper.net"
    ]
    assert {
        key: value for key, value in vn["metadata"]["annotations"].items() if "nad-" in key
    } == {
        "juniper.net/nad-name": "blue",
        "juniper.net/nad-namespace": "default",
        "juniper.net/nad-cluster-name": "contrail-k8s-kubemanager-mk",
    }
    assert vn["spec"]["fabricSNAT"] is False
    assert vn["spec"]["virtualNetworkProperties"] == {"forwardingMode": "l2_l3", "rpf": "enable"}
    assert row[2:4] == ["v6,v4", "Success"]
    assert (
        machine.get("subnet", "blue-v4")["spec"]
        | {
            "cidr": "172.16.30.0/24",
            "defaultGateway": "172.16.30.1",
        }
        == machine.get("subnet", "blue-v4")["spec"]
    )
    assert targets(machine, "blue") == {
        "target-64512-30": "both",
        "target-64512-31": "import",
        "target-64512-32": "export",
    }
    default = machine.get("ri", "blue")["status"]["defaultRouteTargetReference"]["name"]
    assert default.startswith("target-64512-80000")


BAD: dict[str, str] = {
    "json": "{",
    "list": "[]",
    "length": '{"ipamV4Subnet": "172.16.10.0/33"}',
    "host-bits": '{"ipamV4Subnet": "172.16.10.5/24"}',
    "family": '{"ipamV4Subnet": "2001:db8::/64"}',
    "number": '{"ipamV4Subnet": 17}',
    "target": '{"ipamV4Subnet": "172.16.50.0/24", "routeTargetList": ["64512:5"]}',
    "no-list": '{"ipamV4Subnet": "172.16.50.0/24", "routeTargetList": "target:1:2"}',
    "snat": '{"ipamV4Subnet": "172.16.50.0/24", "fabricSNAT": "yes"}',
    "mode": '{"ipamV4Subnet": "172.16.50.0/24", "forwardingMode": "l7"}',
    "gateway": '{"ipamV4Subnet": "172.16.50.0/24", "ipamV4Gateway": "10.0.0.1"}',
    "multicast": '{"ipamV4Subnet": "224.0.0.0/24"}',
    "properties": '{"virtualNetworkProperties": "l3"}',
}


def test_bad_definitions_are_refused_and_leave_nothing(machine: Machine) -> None:
    """F07: refused when they are written; a good one that is edited badly stays as it was."""
    for name, text in BAD.items():
        manifest = json.loads(network(f"bad-{name}"))
        manifest["metadata"]["annotations"]["juniper.net/networks"] = text
        with pytest.raises(AssertionError, match=f'NetworkAttachmentDefinition "bad-{name}" is in'):
            machine.apply(json.dumps(manifest))
    plain = json.loads(network("plain"))
    del plain["metadata"]["annotations"]
    machine.apply(json.dumps(plain))
    machine.apply(network("bad-json", "172.16.50.0/24"))
    success(machine, "bad-json")
    with pytest.raises(AssertionError, match="has host bits set; the network"):
        edit(machine, "bad-json", ipamV4Subnet="172.16.51.1/24")
    names = {one["metadata"]["name"] for one in machine.items("vn,subnet,ri,net-attach-def")}

    assert {name for name in names if name.startswith(("bad-", "plain"))} == {
        "bad-json",
        "bad-json-v4",
        "plain",
    }
    machine.kubectl("delete", "net-attach-def", "bad-json", "plain")


def test_a_definition_changes(machine: Machine) -> None:
    """F06: lists and switches in place; a free Subnet anew; one in use is refused and kept."""
    machine.apply(network("moving", "172.16.51.0/24", routeTargetList=["target:64512:77"]))
    success(machine, "moving")
    edit(
        machine,
        "moving",
        ipamV4Subnet="172.16.51.0/24",
        routeTargetList=["target:64512:78"],
        fabricSNAT=True,
    )
    machine.until(lambda: targets(machine, "moving") == {"target-64512-78": "both"})
    machine.until(lambda: machine.get("rt", "target-64512-77") is None)
    assert machine.get("vn", "moving")["spec"]["fabricSNAT"] is True

    number = machine.get("vn", "moving")["status"]["virtualNetworkNetworkId"]
    edit(machine, "moving", ipamV4Subnet="172.16.52.0/24")
    cidr = "172.16.52.0/24"
    machine.until(lambda: (machine.get("subnet", "moving-v4") or {})["spec"]["cidr"] == cidr)
    machine.until(lambda: cidr in told(machine, "moving"))
    assert machine.get("vn", "moving")["status"]["virtualNetworkNetworkId"] == number

    machine.apply(pod("mover", "moving"))
    machine.running("mover")
    edit(machine, "moving", ipamV4Subnet="172.16.53.0/24")
    machine.until(lambda: "subnet in use" in told(machine, "moving"))
    assert machine.get("subnet", "moving-v4")["spec"]["cidr"] == cidr

    edit(machine, "moving", ipamV4Subnet=cidr, ipamV6Subnet="2001:db8:52::/64")
    machine.until(lambda: "v6Subnet: 2001:db8:52::/64" in told(machine, "moving"))
    machine.apply(pod("later", "moving"))
    both = interfaces(machine, "later")["eth1"]["ips"]
    assert (both[0], both[1].startswith("2001:db8:52::")) == ("172.16.52.3", True)
    assert interfaces(machine, "mover")["eth1"]["ips"] == ["172.16.52.2"]
    assert reaches(machine, "later", "eth1", "172.16.52.2")
    assert reaches(machine, "mover", "eth1", "172.16.52.1")
    assert reaches(machine, "mover", "eth0", "10.244.0.1")
    delete_pods(machine, "mover", "later")


def test_a_network_that_is_there_already(machine: Machine) -> None:
    """Equal: used, never changed, never deleted by us. Different: a failure that says how."""
    for name in ("mine", "other"):
        machine.apply(hand_made(name, "172.16.70.0/24"))
    success(machine, "mine", "other")
    before = machine.get("vn", "mine")
    machine.apply(network("mine", "172.16.70.0/24"))
    machine.apply(network("other", "172.16.71.0/24"))
    machine.until(lambda: told(machine, "mine").startswith("success"))
    machine.until(lambda: "exists and differs in v4SubnetReference" in told(machine, "other"))
    machine.kubectl("delete", "net-attach-def", "mine", "other", "--timeout=20s")

    assert machine.get("vn", "mine") == before
    assert machine.get("vn", "other") and machine.get("subnet", "mine-v4")
