"""Every promise of the network side that people can see, on one system with real kubectl.

The features' numbers (F02 ...) are those of the feature list; what crosses the wires is in
test_packets, what comes back by itself in test_healing.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from machine import CN2, Machine
from networks import network, pod, together

import cn2

pytestmark = [pytest.mark.e2e, pytest.mark.root, pytest.mark.kubectl, pytest.mark.timeout(120)]

CLUSTER_NAMESPACE = "contrail-k8s-kubemanager-mk-contrail"
PLUGIN = Path(cn2.__file__).parent / "native" / "contrail-k8s-cni"
STATUS = "juniper.net/networks-status"
GROUP_VERSION = "core.contrail.juniper.net/v1alpha1"


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    with Machine("--pod-v6-subnet", "fd00:244::/64") as machine:
        yield machine


def told(machine: Machine, name: str) -> str:
    """The status annotation of a definition."""
    notes = machine.get("net-attach-def", name)["metadata"]["annotations"]
    return str(notes.get(STATUS, ""))


def edit(machine: Machine, name: str, **keys: Any) -> None:
    """Change the annotation of a definition."""
    annotation = {"metadata": {"annotations": {"juniper.net/networks": json.dumps(keys)}}}
    machine.kubectl("patch", "net-attach-def", name, "--type=merge", "-p", json.dumps(annotation))


def state(machine: Machine, name: str) -> str:
    """The state of a network, "" for one that is not there."""
    status: dict[str, str] = (machine.get("vn", name) or {}).get("status") or {}
    return status.get("state", "")


def success(machine: Machine, *names: str) -> None:
    """Wait until networks are there and ready."""
    machine.until(lambda: {state(machine, name) for name in names} == {"Success"}, f"{names}")


def interfaces(machine: Machine, name: str) -> dict[str, Any]:
    """A running pod's network-status by interface, without the default network's."""
    notes = machine.running(name)["metadata"]["annotations"]
    entries = json.loads(notes["k8s.v1.cni.cncf.io/network-status"])
    return {one["interface"]: one for one in entries[1:]}


def asking(**element: Any) -> str:
    """The JSON form of a pod's request for one network."""
    return json.dumps([element])


def warnings(machine: Machine, kind: str = "Pod") -> dict[str, list[str]]:
    """The messages of all Warning events about objects of a kind, by the object's name."""
    found: dict[str, list[str]] = {}
    fields = f"involvedObject.kind={kind},type=Warning"
    for event in machine.items("events", "--field-selector", fields):
        found.setdefault(event["involvedObject"]["name"], []).append(event["message"])
    return found


def complains(machine: Machine, name: str, text: str) -> None:
    """Wait for a Warning event about a pod."""
    machine.until(lambda: any(text in one for one in warnings(machine).get(name, ())), text)


def targets(machine: Machine, name: str) -> dict[str, str]:
    """RouteTargets of a network's RoutingInstance, with their direction."""
    spec = machine.get("ri", name)["spec"]
    return {
        one["name"]: one["attributes"].get("importExport", "both")
        for one in spec.get("routeTargetReferences", ())
    }


def inside(machine: Machine, name: str, *command: str) -> str:
    """Run a command in the network namespace of a pod."""
    namespace = machine.pod_netns(machine.get("pod", name))
    done = subprocess.run(
        ["nsenter", f"--net={namespace}", *command], capture_output=True, text=True, check=False
    )
    return done.stdout


def reaches(machine: Machine, source: str, interface: str, target: str) -> bool:
    ping = ["ping", "-c", "1", "-W", "1", "-I", interface, target]
    return " 0% packet loss" in inside(machine, source, *ping)


def delete_pods(machine: Machine, *names: str) -> None:
    machine.kubectl("delete", "pod", *names, "--timeout=30s")


# -- definitions ------------------------------------------------------------------------------


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


def test_bad_definitions_leave_nothing_and_heal(machine: Machine) -> None:
    """F07: a failure status, one Warning, no objects, no finalizer; corrected, they come up."""
    manifests = []
    for name, text in BAD.items():
        manifest = json.loads(network(f"bad-{name}"))
        manifest["metadata"]["annotations"]["juniper.net/networks"] = text
        manifests.append(json.dumps(manifest))
    plain = json.loads(network("plain"))
    del plain["metadata"]["annotations"]
    machine.apply(together(*manifests, json.dumps(plain)))

    def refused() -> bool:
        found = {
            one["metadata"]["name"]: one["metadata"] for one in machine.items("net-attach-def")
        }
        return all(
            found[f"bad-{name}"]["annotations"]
            .get(STATUS, "")
            .startswith(f"failed creating VirtualNetwork bad-{name}: ")
            and "finalizers" not in found[f"bad-{name}"]
            for name in BAD
        )

    machine.until(refused, "every bad definition has a failure status and no finalizer")
    kind, wanted = "NetworkAttachmentDefinition", {f"bad-{name}": 1 for name in BAD}
    machine.until(
        lambda: {name: len(said) for name, said in warnings(machine, kind).items()} == wanted
    )
    names = {one["metadata"]["name"] for one in machine.items("vn,subnet,ri")}

    assert not any(name.startswith(("bad-", "plain")) for name in names)
    assert "annotations" not in machine.get("net-attach-def", "plain")["metadata"] or not told(
        machine, "plain"
    )

    edit(machine, "bad-json", ipamV4Subnet="172.16.50.0/24")
    success(machine, "bad-json")
    machine.until(lambda: told(machine, "bad-json").startswith("success "))
    machine.kubectl("delete", "net-attach-def", *(f"bad-{name}" for name in BAD), "plain")


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


def hand_made(name: str, cidr: str, subnet: str = "", **spec: Any) -> str:
    """A Subnet and a VirtualNetwork as people write them, without a definition."""
    subnet = subnet or f"{name}-v4"
    reference = {
        "apiVersion": GROUP_VERSION,
        "kind": "Subnet",
        "namespace": "default",
        "name": subnet,
    }
    kinds: list[tuple[str, str, dict[str, Any]]] = [
        ("Subnet", subnet, {"cidr": cidr, **spec}),
        ("VirtualNetwork", name, {"v4SubnetReference": reference}),
    ]
    return together(
        *(
            json.dumps(
                {
                    "apiVersion": GROUP_VERSION,
                    "kind": kind,
                    "metadata": {"name": one, "namespace": "default"},
                    "spec": given,
                }
            )
            for kind, one, given in kinds
        )
    )


# -- pods -------------------------------------------------------------------------------------


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
    machine.apply(pod("routed", "blue"))
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
    machine.apply(pod("witness", "blue"))
    machine.running("witness")
    for _ in range(4):
        machine.apply(pod("again", "blue"))
        machine.kubectl("delete", "pod", "again", "--force", "--grace-period=0")
    machine.apply(pod("again", "blue"))
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


# -- the datapath's switches ------------------------------------------------------------------

RAW = """
import socket, sys
raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x88b5))
raw.bind((sys.argv[1], 0x88b5))
target = bytes.fromhex(sys.argv[2].replace(":", ""))
if sys.argv[3] == "send":
    for _ in range(3):
        raw.send(target + raw.getsockname()[4] + b"\\x88\\xb5" + b"not IP" * 10)
else:
    raw.settimeout(float(sys.argv[4]))
    print("listening", flush=True)
    try:
        print(b"not IP" in raw.recv(2000))
    except TimeoutError:
        print(False)
"""


def crosses(machine: Machine, interface: str, mac: str, seconds: str) -> bool:
    """Whether a frame that is not IP gets from `left` to `right`."""
    namespace = machine.pod_netns(machine.get("pod", "right"))
    listening = subprocess.Popen(
        ["nsenter", f"--net={namespace}", CN2[0], "-c", RAW, interface, mac, "receive", seconds],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert listening.stdout is not None
    listening.stdout.readline()
    inside(machine, "left", CN2[0], "-c", RAW, interface, mac, "send")
    return listening.communicate()[0].strip() == "True"


def test_forwarding_modes(machine: Machine) -> None:
    """F24: l2 carries all by MAC and has no gateway, l3 carries IP only, l2_l3 carries both."""
    for name, mode in (("lan", "l2"), ("wan", "l3"), ("mix", "l2_l3")):
        block = f"172.16.{ {'l2': 81, 'l3': 82, 'l2_l3': 83}[mode] }.0/24"
        said = {} if mode == "l2_l3" else {"forwardingMode": mode}  # it is the default
        machine.apply(network(name, block, **said))
    machine.apply(together(pod("left", "lan", "wan", "mix"), pod("right", "lan", "wan", "mix")))
    machine.running("left")
    right = interfaces(machine, "right")
    ip = [reaches(machine, "left", eth, right[eth]["ips"][0]) for eth in ("eth1", "eth2", "eth3")]
    gateway = [reaches(machine, "left", f"eth{n}", f"172.16.8{n}.1") for n in (1, 2, 3)]
    frames = [
        crosses(machine, eth, right[eth]["mac"], seconds)
        for eth, seconds in (("eth1", "5"), ("eth2", "0.5"), ("eth3", "5"))
    ]

    assert ip == [True, True, True]
    assert gateway == [False, True, True]
    assert frames == [True, False, True]

    body = {"spec": {"virtualNetworkProperties": {"forwardingMode": "l3"}}}
    machine.kubectl("patch", "vn", "mix", "--type=merge", "-p", json.dumps(body))
    mac = right["eth3"]["mac"]
    machine.until(lambda: not crosses(machine, "eth3", mac, "0.3"), "an edit reaches the datapath")


def test_reverse_path_check_can_be_switched_off(machine: Machine) -> None:
    """F25: a source that is not the pod's is dropped while the check is on, delivered when off."""
    namespace = machine.pod_netns(machine.get("pod", "right"))
    target = interfaces(machine, "right")["eth2"]["ips"][0]
    inside(machine, "left", "ip", "address", "add", "172.16.82.77/32", "dev", "eth2")

    def spoofed(seconds: str) -> bool:
        capture = subprocess.Popen(
            ["nsenter", f"--net={namespace}", "timeout", seconds]
            + ["tcpdump", "--immediate-mode", "-n", "-c1", "-i", "eth2", "src", "172.16.82.77"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert capture.stderr is not None
        while b"listening on" not in capture.stderr.readline():
            pass
        inside(machine, "left", "ping", "-c2", "-i0.05", "-W0.1", "-I", "172.16.82.77", target)
        return bool(capture.communicate()[0].strip())

    assert not spoofed("1")
    body = {"spec": {"virtualNetworkProperties": {"rpf": "disable"}}}
    machine.kubectl("patch", "vn", "wan", "--type=merge", "-p", json.dumps(body))
    machine.until(lambda: spoofed("2"), "a spoofed packet is delivered")
    delete_pods(machine, "left", "right")


# -- the system -------------------------------------------------------------------------------


def test_system_networks_and_routers(machine: Machine) -> None:
    """F31: the four networks with their numbers, the four routers with their types, Success."""
    numbers = {
        (one["metadata"]["namespace"], one["metadata"]["name"]): one["status"][
            "virtualNetworkNetworkId"
        ]
        for one in machine.items("vn", "-A")
    }
    routers = {
        one["metadata"]["name"]: (one["spec"]["type"], one["status"]["state"])
        for one in machine.items("vnr", "-A")
    }

    assert numbers["contrail", "link-local"] == 1
    assert numbers[CLUSTER_NAMESPACE, "default-podnetwork"] == 2
    assert numbers["contrail", "ip-fabric"] == 3
    assert numbers[CLUSTER_NAMESPACE, "default-servicenetwork"] == 4
    assert routers == {
        "DefaultPodServiceIPFabricNetwork": ("spoke", "Success"),
        "DefaultPodServiceNetwork": ("mesh", "Success"),
        "DefaultServiceNetwork": ("hub", "Success"),
        "DefaultIPFabricNetwork": ("hub", "Success"),
    }


def test_service_addresses(machine: Machine) -> None:
    """F40: a Service's address is held while it lives; a headless one has none."""
    machine.kubectl("create", "service", "clusterip", "web", "--tcp=80:80")
    machine.kubectl("create", "service", "clusterip", "none", "--clusterip=None", "--tcp=80")
    ip = machine.get("service", "web")["spec"]["clusterIP"]

    def held() -> list[str]:
        return [
            one["spec"].get("instanceIPAddress", "")
            for one in machine.items("iip")
            if one["spec"]["virtualNetworkReference"]["name"] == "default-servicenetwork"
        ]

    machine.until(lambda: ip in held())
    machine.kubectl("delete", "service", "web", "none")
    machine.until(lambda: not held())


def test_a_namespace_takes_all_along(machine: Machine) -> None:
    """A namespace with networks and pods on them goes with everything in it."""
    machine.kubectl("create", "namespace", "gone")
    for manifest in (network("gn", "172.16.90.0/24"), pod("g1", "gn"), pod("g2", "default/blue")):
        one = json.loads(manifest)
        one["metadata"]["namespace"] = "gone"
        machine.apply(json.dumps(one))
    for name in ("g1", "g2"):
        machine.running(name, "gone")
    machine.kubectl("delete", "namespace", "gone", "--timeout=30s")
    left = [
        one["metadata"]["name"]
        for one in machine.items("vn,subnet,ri,vmi,net-attach-def,pod", "-A")
        if one["metadata"]["namespace"] == "gone"
    ]

    assert left == []
    machine.until(lambda: not machine.items("vm"))


def test_the_plugin_by_hand(machine: Machine) -> None:
    """F13: a second ADD changes nothing, DEL of nothing is fine twice, no agent is a CNI error."""
    machine.apply(pod("plugged", "blue"))
    running = machine.running("plugged")
    uid = running["metadata"]["uid"]
    node = next((machine.data_dir / "nodes").iterdir())
    record = next(
        found
        for path in (node / "ports").glob("*.json")
        if (found := json.loads(path.read_text()))["arguments"].get("K8S_POD_UID") == uid
    )
    config = (node / "cni" / "net.d" / "10-contrail.conf").read_text()

    def call(command: str, container: str, netns: str, stdin: str = config) -> tuple[int, Any]:
        arguments = ";".join(f"{key}={value}" for key, value in record["arguments"].items())
        done = subprocess.run(
            [str(PLUGIN)],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            env={
                **os.environ,
                "CNI_COMMAND": command,
                "CNI_CONTAINERID": container,
                "CNI_NETNS": netns,
                "CNI_IFNAME": "eth0",
                "CNI_ARGS": arguments,
                "CNI_PATH": str(PLUGIN.parent),
            },
        )
        return done.returncode, json.loads(done.stdout) if done.stdout.strip() else None

    before = inside(machine, "plugged", "ip", "address")
    code, answer = call("ADD", record["container"], record["netns"])
    assert code == 0
    assert answer["ips"][0]["address"] == running["status"]["podIP"] + "/16"
    assert [one["name"] for one in answer["interfaces"] if one.get("sandbox")] == ["eth0", "eth1"]
    assert inside(machine, "plugged", "ip", "address") == before
    previous = json.dumps({**json.loads(config), "prevResult": answer})
    assert call("CHECK", record["container"], record["netns"], previous)[0] == 0
    assert [call("DEL", "nothing", "")[0] for _ in range(2)] == [0, 0]
    versions = call("VERSION", "x", "")[1]["supportedVersions"]
    assert {"0.3.1", "0.4.0", "1.0.0"} <= set(versions)

    nobody = json.dumps({**json.loads(config), "agent-socket": "/nonexistent/agent.sock"})
    code, answer = call("ADD", "other", record["netns"], nobody)
    assert code != 0
    assert "/nonexistent/agent.sock" in answer["msg"] + answer.get("details", "")
