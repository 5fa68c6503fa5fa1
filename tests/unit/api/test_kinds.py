"""The table of kinds: what `kubectl api-resources` and `kubectl explain` of the walkthrough show,
and that each kind's example is accepted."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from kind_examples import EXAMPLES

from cn2.api.kind import Family, Kind, Object
from cn2.api.kinds import KINDS, VIRTUAL_NETWORK, by_name, by_resource
from cn2.api.validation import checker

API_RESOURCES = """
apiservers                                         configplane.juniper.net/v1alpha1            true         ApiServer
controllers                                        configplane.juniper.net/v1alpha1            true         Controller
kubemanagers                                       configplane.juniper.net/v1alpha1            true         Kubemanager
controls                                           controlplane.juniper.net/v1alpha1           true         Control
addressgroups                     ag               core.contrail.juniper.net/v1alpha1          true         AddressGroup
applicationpolicysets             aps              core.contrail.juniper.net/v1alpha1          true         ApplicationPolicySet
bgpasaservices                    bgpaas           core.contrail.juniper.net/v1alpha1          true         BGPAsAService
bgprouters                        br               core.contrail.juniper.net/v1alpha1          true         BGPRouter
firewallpolicies                  fp               core.contrail.juniper.net/v1alpha1          true         FirewallPolicy
firewallrules                     fr               core.contrail.juniper.net/v1alpha1          true         FirewallRule
floatingips                       fip              core.contrail.juniper.net/v1alpha1          false        FloatingIP
globalsystemconfigs               gsc              core.contrail.juniper.net/v1alpha1          false        GlobalSystemConfig
globalvrouterconfigs              gvc              core.contrail.juniper.net/v1alpha1          false        GlobalVrouterConfig
instanceips                       iip              core.contrail.juniper.net/v1alpha1          false        InstanceIP
mirrordestinations                md               core.contrail.juniper.net/v1alpha1          false        MirrorDestination
routetargets                      rt               core.contrail.juniper.net/v1alpha1          false        RouteTarget
routinginstances                  ri               core.contrail.juniper.net/v1alpha1          true         RoutingInstance
subnets                           sn               core.contrail.juniper.net/v1alpha1          true         Subnet
tags                              t                core.contrail.juniper.net/v1alpha1          false        Tag
tagtypes                          tt               core.contrail.juniper.net/v1alpha1          false        TagType
virtualmachineinterfaces          vmi              core.contrail.juniper.net/v1alpha1          true         VirtualMachineInterface
virtualmachines                   vm               core.contrail.juniper.net/v1alpha1          false        VirtualMachine
virtualnetworkrouters             vnr              core.contrail.juniper.net/v1alpha1          true         VirtualNetworkRouter
virtualnetworks                   vn               core.contrail.juniper.net/v1alpha1          true         VirtualNetwork
virtualrouters                    vr               core.contrail.juniper.net/v1alpha1          false        VirtualRouter
vrouters                                           dataplane.juniper.net/v1alpha1              true         Vrouter
pools                                              idallocator.contrail.juniper.net/v1alpha1   false        Pool
network-attachment-definitions    net-attach-def   k8s.cni.cncf.io/v1                          true         NetworkAttachmentDefinition
"""  # noqa: E501

EXPLAINED = {
    "VirtualNetwork": """
     VirtualNetwork is a collection of endpoints (interface or IP(s) or MAC(s))
     that can communicate with each other. It is also a collection of subnets
     whose default gateways are connected by an implicit router.""",
    "Subnet": """
     Subnet represents a block of IP addresses and its configuration. IPAM
     allocates and releases IP address from that block on demand. It can be used
     by different VirtualNetwork in the mean time.""",
    "RoutingInstance": """
     RoutingInstance is a group of customer attachment points with the same
     connectivity policies. Corresponding to the VRF in L3VPN/EVPN.""",
    "VirtualMachine": """
     VirtualMachine represents a computational resource, for example, a virtual
     machine, bare metal server, or container.""",
    "VirtualMachineInterface": """
     VirtualMachineInterface represents an interface(port) into virtual network.
     It may or may not have corresponding virtual machine. A virtual machine
     interface has at least a MAC address and an IP address.""",
    "InstanceIP": """
     InstanceIP represents an IP address and its configuration used for
     interfaces.""",
    "RouteTarget": """
     RouteTarget is a route-target extended community, a type of BGP extended
     community that used to define VPN membership. The route target appears in a
     field in route update.""",
    "VirtualNetworkRouter": """
     VirtualNetworkRouter establishes connectivity between two or more
     VirtualNetworks""",
    "VirtualRouter": """
     VirtualRouter is packet forwarding system on devices such as compute
     nodes(servers), TOR(s), routers.""",
    "NetworkAttachmentDefinition": "",
}


def written(kind: Kind) -> Object:
    """The example of a kind after the server's schema steps."""
    obj = copy.deepcopy(EXAMPLES[kind.kind])
    check = checker(kind)
    assert check.prune(obj) == []
    check.default(obj)
    assert check.check(obj) == []
    return obj


def test_the_table_holds_what_api_resources_of_the_walkthrough_lists() -> None:
    rows = [line.split() for line in API_RESOURCES.strip().splitlines()]
    ours = {
        (
            kind.plural,
            *kind.short_names,
            kind.api_version,
            str(kind.namespaced).lower(),
            kind.kind,
        )
        for kind in KINDS
        if kind.family is not Family.KUBERNETES
    }
    assert ours == {tuple(row) for row in rows}


@pytest.mark.parametrize("name", EXPLAINED)
def test_descriptions_are_the_walkthroughs_word_for_word(name: str) -> None:
    assert by_name(name).description == " ".join(EXPLAINED[name].split())


def test_every_other_kind_has_a_description() -> None:
    assert [k.kind for k in KINDS if not k.description] == ["NetworkAttachmentDefinition"]


def test_names_and_resources_are_unique() -> None:
    assert len({kind.kind for kind in KINDS}) == len(KINDS)
    assert len({(kind.group, kind.plural) for kind in KINDS}) == len(KINDS)
    words = [word for kind in KINDS for word in (kind.plural, kind.singular, *kind.short_names)]
    # The plural of Endpoints is its singular too.
    assert sorted(words) == sorted([*set(words), "endpoints"])


def test_lookups() -> None:
    assert (
        by_resource("core.contrail.juniper.net", "v1alpha1", "virtualnetworks") is VIRTUAL_NETWORK
    )
    assert by_resource("core.contrail.juniper.net", "v1", "virtualnetworks") is None
    with pytest.raises(KeyError):
        by_name("Nonsense")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
def test_the_example_of_a_kind_is_accepted_and_completing_it_twice_changes_nothing(
    kind: Kind,
) -> None:
    obj = written(kind)
    if kind.complete is not None:
        kind.complete(obj, None)
    assert checker(kind).check(obj) == []
    if kind.validate is not None:
        assert kind.validate(obj, None) == []
    again = copy.deepcopy(obj)
    if kind.complete is not None:
        kind.complete(again, obj)
    if kind.validate is not None:
        assert kind.validate(again, obj) == []
    assert again == obj


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
def test_cells_of_an_empty_object_do_not_fail(kind: Kind) -> None:
    for column in kind.columns:
        if column.cell is not None:
            column.cell({"metadata": {"name": "x"}})


def nodes(schema: Any) -> Any:
    if isinstance(schema, dict):
        yield schema
        for value in schema.values():
            yield from nodes(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from nodes(value)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
def test_required_fields_and_list_keys_are_declared_properties(kind: Kind) -> None:
    for node in nodes(kind.schema):
        if isinstance(node.get("required"), list):
            assert set(node["required"]) <= set(node.get("properties", {}))
        keys = node.get("x-kubernetes-list-map-keys", [])
        items = node.get("items", {})
        if not items.get("x-kubernetes-preserve-unknown-fields"):
            assert set(keys) <= set(items.get("properties", {}))
