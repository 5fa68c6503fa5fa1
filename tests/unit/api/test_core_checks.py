"""What the core kinds refuse, keep and fill in."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from kind_examples import EXAMPLES, UID, meta, ref

from cn2.api.kind import FieldError, Lookup, Object
from cn2.api.kinds import by_name
from cn2.api.validation import checker


def example(name: str, **spec: Any) -> Object:
    obj = copy.deepcopy(EXAMPLES[name])
    obj.setdefault("spec", {}).update(spec)
    return obj


def errors(name: str, obj: Object, old: Object | None = None) -> list[FieldError]:
    kind = by_name(name)
    found = checker(kind).check(obj)
    if found:
        return found
    if kind.complete is not None:
        kind.complete(obj, old)
    return kind.validate(obj, old) if kind.validate is not None else []


def fields(name: str, obj: Object, old: Object | None = None) -> list[str]:
    return [error.field for error in errors(name, obj, old)]


@pytest.mark.parametrize(
    ("name", "spec", "field"),
    [
        ("VirtualNetwork", {"routeTargetList": ["23:1"]}, "spec.routeTargetList[0]"),
        (
            "VirtualRouter",
            {"virtualMachineReferences": [{}]},
            "spec.virtualMachineReferences[0]",
        ),
        ("VirtualNetwork", {"importRouteTargetList": [""]}, "spec.importRouteTargetList[0]"),
        (
            "VirtualNetwork",
            {"exportRouteTargetList": ["target:1:1", "target:70000:70000"]},
            "spec.exportRouteTargetList[1]",
        ),
        (
            "VirtualNetwork",
            {"fabricForwarding": True, "isProviderNetwork": True},
            "spec.fabricForwarding",
        ),
        (
            "VirtualNetwork",
            {"v4SubnetReference": ref("VirtualNetwork", "x", "default")},
            "spec.v4SubnetReference.kind",
        ),
        (
            "VirtualNetwork",
            {"v4SubnetReference": {"kind": "Subnet"}},
            "spec.v4SubnetReference.name",
        ),
        (
            "VirtualNetwork",
            {"virtualNetworkProperties": {"rpf": "enabled"}},
            "spec.virtualNetworkProperties.rpf",
        ),
        ("Subnet", {"cidr": "172.16.10.1/24"}, "spec.cidr"),
        ("Subnet", {"cidr": ""}, "spec.cidr"),
        ("Subnet", {"defaultGateway": "10.0.0.1"}, "spec.defaultGateway"),
        ("Subnet", {"defaultGateway": "fd00::1"}, "spec.defaultGateway"),
        ("Subnet", {"defaultGateway": "172.16.10.0"}, "spec.defaultGateway"),
        ("Subnet", {"defaultGateway": "172.16.10.255"}, "spec.defaultGateway"),
        ("Subnet", {"dnsNameservers": ["one"]}, "spec.dnsNameservers[0]"),
        ("Subnet", {"bgpaasPrimaryIP": "10.0.0.1"}, "spec.bgpaasPrimaryIP"),
        (
            "Subnet",
            {"ranges": [{"key": "a", "ipRanges": [{"from": "172.16.10.9", "to": "172.16.10.2"}]}]},
            "spec.ranges[0].ipRanges[0].to",
        ),
        (
            "Subnet",
            {"ranges": [{"key": "a", "ipRanges": [{"from": "10.0.0.1", "to": "172.16.10.2"}]}]},
            "spec.ranges[0].ipRanges[0].from",
        ),
        (
            "RoutingInstance",
            {"routeTargetReferences": [ref("RouteTarget", "x", attributes={"importExport": "y"})]},
            "spec.routeTargetReferences[0].attributes.importExport",
        ),
        ("RoutingInstance", {"parent": ref("Subnet", "x")}, "spec.parent.kind"),
        ("VirtualNetworkRouter", {"type": "star"}, "spec.type"),
        (
            "VirtualMachineInterface",
            {"virtualMachineInterfaceMacAddresses": {"macAddress": ["01:00:5e:00:00:01"]}},
            "spec.virtualMachineInterfaceMacAddresses.macAddress[0]",
        ),
        (
            "VirtualMachineInterface",
            {"properties": {"subInterfaceVlanTag": 4095}},
            "spec.properties.subInterfaceVlanTag",
        ),
        (
            "VirtualMachineInterface",
            {
                "allowedAddressPairs": {
                    "allowedAddressPair": [{"ip": {"ipPrefix": "10.0.0.1", "ipPrefixLen": "24"}}]
                }
            },
            "spec.allowedAddressPairs.allowedAddressPair[0].ip",
        ),
        ("InstanceIP", {"instanceIPAddress": "172.16.11.2"}, "spec.instanceIPAddress"),
        ("InstanceIP", {"instanceIPAddress": "one"}, "spec.instanceIPAddress"),
        ("InstanceIP", {"instanceIPFamily": "v6"}, "spec.instanceIPAddress"),
        ("InstanceIP", {"instanceIPFamily": "IPv4"}, "spec.instanceIPFamily"),
        ("VirtualRouter", {"virtualRouterIPAddress": "minikube"}, "spec.virtualRouterIPAddress"),
        ("VirtualRouter", {"parent": {}}, "spec.parent"),
        ("BGPRouter", {"parent": {}}, "spec.parent"),
        ("GlobalSystemConfig", {"autonomousSystem": 70000}, "spec.autonomousSystem"),
        (
            "GlobalVrouterConfig",
            {"portTranslationPools": {"pools": [{"protocol": "tcp"}]}},
            "spec.portTranslationPools.pools[0]",
        ),
        ("MirrorDestination", {"nextHopMode": "static"}, "spec.staticNextHopHeader"),
        ("Kubemanager", {"podV4Subnet": "10.244.0.1/16"}, "spec.podV4Subnet"),
        (
            "AddressGroup",
            {"addressGroupPrefixes": {"subnet": [{"ipPrefix": "10.0.0.1", "ipPrefixLen": 24}]}},
            "spec.addressGroupPrefixes.subnet[0]",
        ),
        ("NetworkAttachmentDefinition", {"config": "{"}, "spec.config"),
        ("NetworkAttachmentDefinition", {"config": "[]"}, "spec.config"),
    ],
)
def test_refused_on_create(name: str, spec: Object, field: str) -> None:
    assert fields(name, example(name, **spec)) == [field]


@pytest.mark.parametrize(
    ("name", "before", "after", "field"),
    [
        ("VirtualNetwork", {"isProviderNetwork": True}, {}, "spec.isProviderNetwork"),
        ("Subnet", {}, {"cidr": "172.16.0.0/16"}, "spec.cidr"),
        ("VirtualNetworkRouter", {}, {"type": "mesh"}, "spec.type"),
        ("RoutingInstance", {}, {"parent": ref("VirtualNetwork", "x", "default")}, "spec.parent"),
        (
            "VirtualMachineInterface",
            {},
            {"virtualNetworkReference": ref("VirtualNetwork", "x", "default")},
            "spec.virtualNetworkReference",
        ),
        ("InstanceIP", {}, {"instanceIPAddress": "172.16.10.3"}, "spec.instanceIPAddress"),
        (
            "InstanceIP",
            {},
            {"virtualNetworkReference": ref("VirtualNetwork", "x", "default")},
            "spec.virtualNetworkReference",
        ),
        ("Tag", {}, {"tagValue": "x"}, "spec.tagValue"),
        ("VirtualRouter", {}, {"parent": ref("GlobalSystemConfig", "x")}, "spec.parent"),
    ],
)
def test_refused_on_update(name: str, before: Object, after: Object, field: str) -> None:
    old = example(name, **before)
    assert errors(name, old) == []
    assert fields(name, example(name, **after), old) == [field]


def test_an_address_that_is_not_taken_yet_may_be_picked_anew() -> None:
    old, new = example("InstanceIP"), example("InstanceIP", instanceIPAddress="172.16.10.3")
    old.pop("status", None)
    assert errors("InstanceIP", new, old) == []


def test_an_address_may_be_filled_in_later() -> None:
    old = example("InstanceIP")
    del old["spec"]["instanceIPAddress"], old["spec"]["cidr"]
    assert errors("InstanceIP", example("InstanceIP"), old) == []


def test_what_a_controller_filled_in_is_kept_when_left_out() -> None:
    new = example("InstanceIP")
    del new["spec"]["instanceIPAddress"], new["spec"]["cidr"]
    assert errors("InstanceIP", new, example("InstanceIP")) == []
    assert new["spec"]["instanceIPAddress"] == "172.16.10.2"
    assert new["spec"]["cidr"] == "172.16.10.0/24"


def test_the_family_follows_from_the_address() -> None:
    obj = example("InstanceIP")
    assert errors("InstanceIP", obj) == []
    assert obj["spec"]["instanceIPFamily"] == "v4"


def test_a_subnet_gets_the_first_host_address_as_gateway_and_keeps_another() -> None:
    new = example("Subnet")
    assert errors("Subnet", new) == []
    assert new["spec"]["defaultGateway"] == "172.16.10.1"
    old = example("Subnet", defaultGateway="172.16.10.254")
    again = example("Subnet")
    assert errors("Subnet", again, old) == []
    assert again["spec"]["defaultGateway"] == "172.16.10.254"


def test_a_subnet_may_give_its_last_ipv6_address_to_the_gateway() -> None:
    obj = example("Subnet", cidr="fd00::/120", defaultGateway="fd00::ff")
    assert errors("Subnet", obj) == []


def test_an_interface_gets_a_mac_of_its_uid_and_keeps_one_that_was_asked_for() -> None:
    new = example("VirtualMachineInterface")
    assert errors("VirtualMachineInterface", new) == []
    addresses = new["spec"]["virtualMachineInterfaceMacAddresses"]["macAddress"]
    assert addresses == ["02:11:8e:c0:2f:e0"]
    asked = {"macAddress": ["de:ad:00:00:30:32"]}
    old = example("VirtualMachineInterface", virtualMachineInterfaceMacAddresses=asked)
    assert errors("VirtualMachineInterface", old) == []
    again = example("VirtualMachineInterface")
    assert errors("VirtualMachineInterface", again, old) == []
    assert again["spec"]["virtualMachineInterfaceMacAddresses"] == asked


def test_a_network_has_its_default_properties_stored() -> None:
    obj: Object = {"metadata": meta("vn", "default"), "spec": {}}
    checker(by_name("VirtualNetwork")).default(obj)
    assert obj["spec"] == {
        "fabricSNAT": False,
        "virtualNetworkProperties": {"forwardingMode": "l2_l3", "rpf": "enable"},
    }


def test_unset_structs_are_there_as_cn2_prints_them() -> None:
    obj: Object = {
        "metadata": meta("ri", "default"),
        "spec": {"routeTargetReferences": [ref("RouteTarget", "target-1-1")]},
        "status": {"defaultRouteTargetReference": ref("RouteTarget", "target-1-2")},
    }
    checker(by_name("RoutingInstance")).default(obj)
    assert obj["spec"]["parent"] == {}
    assert obj["spec"]["routeTargetReferences"][0]["attributes"] == {}
    assert obj["status"]["defaultRouteTargetReference"]["attributes"] == {}
    vnr: Object = {"metadata": meta("vnr"), "spec": {"type": "mesh", "virtualNetworkSelector": {}}}
    checker(by_name("VirtualNetworkRouter")).default(vnr)
    assert vnr["spec"]["import"] == {}


def test_route_targets_are_checked_by_name_on_create_only() -> None:
    bad: Object = {"metadata": meta("target-x-1"), "spec": {}}
    assert fields("RouteTarget", bad) == ["metadata.name"]
    assert fields("RouteTarget", bad, bad) == []


def test_singletons_have_one_name() -> None:
    assert fields("GlobalSystemConfig", {"metadata": meta("x"), "spec": {}}) == ["metadata.name"]


def test_a_definition_without_config_is_accepted() -> None:
    assert errors("NetworkAttachmentDefinition", {"metadata": meta("x", "default")}) == []


def lookup(*objects: Object) -> Lookup:
    stored = {
        (obj["kind"], obj["metadata"].get("namespace", ""), obj["metadata"]["name"]): obj
        for obj in objects
    }
    return lambda kind, namespace, name: stored.get((kind, namespace, name))


def among(name: str, obj: Object, *others: Object) -> list[str]:
    check = by_name(name).validate_among
    assert check is not None
    return [error.field for error in check(obj, None, lookup(*others))]


def config(asn: int) -> Object:
    metadata = {"name": "default-global-system-config"}
    return {"kind": "GlobalSystemConfig", "metadata": metadata, "spec": {"autonomousSystem": asn}}


@pytest.mark.parametrize(
    ("target", "asn", "refused"),
    [
        ("target:64512:8000003", 64512, True),
        ("target:64512:7999999", 64512, False),
        ("target:64513:8000003", 64512, False),
        ("target:64513:8000003", 64513, True),
        ("target:70000:8003", 70000, True),
        ("target:70000:7999", 70000, False),
    ],
)
def test_automatic_route_targets_are_the_systems(target: str, asn: int, refused: bool) -> None:
    obj = example("VirtualNetwork", importRouteTargetList=[target])
    wanted = ["spec.importRouteTargetList[0]"] if refused else []
    assert among("VirtualNetwork", obj, config(asn)) == wanted
    named = {"metadata": meta(target.replace(":", "-")), "spec": {}}
    assert among("RouteTarget", named, config(asn)) == (["metadata.name"] if refused else [])
    text = json.dumps({"importRouteTargetList": [target]})
    definition = {"metadata": meta("x", "default", annotations={"juniper.net/networks": text})}
    where = ["metadata.annotations[juniper.net/networks].importRouteTargetList[0]"]
    found = among("NetworkAttachmentDefinition", definition, config(asn))
    assert found == (where if refused else [])


def test_a_network_refers_to_subnets_of_the_right_family() -> None:
    subnet = {"kind": "Subnet", **example("Subnet", cidr="fd00::/64")}
    obj = example("VirtualNetwork")
    assert among("VirtualNetwork", obj, subnet) == ["spec.v4SubnetReference"]
    obj["spec"]["v6SubnetReference"] = obj["spec"].pop("v4SubnetReference")
    assert among("VirtualNetwork", obj, subnet) == []
    assert among("VirtualNetwork", obj) == [], "it may come"


def test_a_four_octet_as_needs_the_switch() -> None:
    obj = example("GlobalSystemConfig", autonomousSystem=70000, enable4bytesAS=True)
    assert errors("GlobalSystemConfig", obj) == []


def test_uid_is_not_part_of_what_a_reference_names() -> None:
    old = example("InstanceIP")
    new = example("InstanceIP")
    new["spec"]["virtualNetworkReference"]["uid"] = UID
    assert errors("InstanceIP", new, old) == []
