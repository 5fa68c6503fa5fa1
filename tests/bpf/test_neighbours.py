"""ARP and ND are answered in the datapath, byte by byte as scapy would, and go no further."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import pytest
from scapy.layers.inet6 import (
    ICMPv6ND_NA,
    ICMPv6ND_NS,
    ICMPv6ND_RA,
    ICMPv6ND_Redirect,
    ICMPv6ND_RS,
    ICMPv6NDOptDstLLAddr,
    ICMPv6NDOptSrcLLAddr,
    IPv6,
    IPv6ExtHdrDestOpt,
)
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Packet
from trial_node import BLUE, REDIRECT, SHOT, TrialNode

from cn2.state.next_hop import DISCARD
from cn2.state.route import Host
from cn2.state.verdict import Verdict
from cn2.state.vif import VifFlag

pytestmark = [pytest.mark.root, pytest.mark.clang]

PROXY = "00:00:5e:00:01:00"
ALL = "ff:ff:ff:ff:ff:ff"
MAC = "02:00:00:00:01:00"
"""Of interface 0, whose addresses are 10.7.0.2 and fd07::2."""
LINK_LOCAL = "fe80::ff:fe00:100"


def who_has(target: str, source: str = "10.7.0.2", **fields: object) -> Packet:
    asked = {"op": 1, "hwsrc": MAC, "psrc": source, "pdst": target, **fields}
    return Ether(dst=ALL, src=MAC) / ARP(**asked)


@pytest.mark.parametrize("target", ["10.7.0.1", "10.7.0.3"], ids=["gateway", "neighbour"])
def test_arp_for_a_known_address_is_answered(node: TrialNode, target: str) -> None:
    got = node.send(0, who_has(target))
    answer = ARP(op=2, hwsrc=PROXY, psrc=target, hwdst=MAC, pdst="10.7.0.2")

    assert (got.action, got.verdict) == (REDIRECT, Verdict.ANSWER_ARP)
    assert bytes(got.packet) == bytes(Ether(dst=MAC, src=PROXY) / answer)


def test_a_probe_for_somebody_elses_address_is_answered(node: TrialNode) -> None:
    """RFC 5227: who probes hears that the address is in use."""
    assert node.send(0, who_has("10.7.0.3", "0.0.0.0")).verdict == Verdict.ANSWER_ARP


@pytest.mark.parametrize(
    "packet",
    [who_has("10.7.0.2", "0.0.0.0"), who_has("10.7.0.2"), who_has("10.7.0.3", "10.7.0.3")],
    ids=["probe", "announcement", "announcement of another's"],
)
def test_arp_for_the_own_address_is_never_answered(node: TrialNode, packet: Packet) -> None:
    got = node.send(0, packet)

    assert (got.action, got.verdict) == (SHOT, Verdict.DROP_ARP_OWN)


def test_arp_for_another_address_of_the_own_interface_is_never_answered(node: TrialNode) -> None:
    node.put(Host.of(BLUE, ip_address("10.7.0.40"), node.interfaces[0].hop.id))
    assert node.send(0, who_has("10.7.0.40")).verdict == Verdict.DROP_ARP_OWN
    assert node.send(1, who_has("10.7.0.40", "10.7.0.3")).verdict == Verdict.ANSWER_ARP


def test_arp_for_an_unknown_address_is_not_answered(node: TrialNode) -> None:
    node.put(Host.of(BLUE, ip_address("10.7.0.50"), DISCARD.id))
    assert node.send(0, who_has("10.7.0.99")).verdict == Verdict.DROP_ARP_UNKNOWN
    assert node.send(0, who_has("10.7.0.50")).verdict == Verdict.DROP_ARP_UNKNOWN
    assert node.send(2, who_has("10.7.0.3")).verdict == Verdict.DROP_ARP_UNKNOWN, (
        "blue's, not red's"
    )


def test_arp_from_a_spoofed_address_is_dropped(node: TrialNode) -> None:
    assert node.send(0, who_has("10.7.0.1", "10.7.0.77")).verdict == Verdict.DROP_RPF


def test_arp_answers_of_pods_go_nowhere(node: TrialNode) -> None:
    poison = Ether(dst=node.interfaces[1].mac, src=MAC) / ARP(
        op=2, hwsrc=MAC, psrc="10.7.0.1", hwdst=node.interfaces[1].mac, pdst="10.7.0.3"
    )
    assert node.send(0, poison).verdict == Verdict.DROP_ARP_OTHER


@pytest.mark.parametrize("fields", [{"hwtype": 6}, {"ptype": 0x86DD}, {"hwlen": 8}, {"plen": 16}])
def test_arp_of_other_kinds_is_malformed(node: TrialNode, fields: dict[str, int]) -> None:
    packet = bytes(who_has("10.7.0.1", **fields)).ljust(60, b"\0")
    assert node.send(0, packet).verdict == Verdict.DROP_MALFORMED


def solicit(target: str, source: str = "fd07::2", hlim: int = 255) -> Packet:
    head = Ether(dst="33:33:ff:00:00:01", src=MAC) / IPv6(
        src=source, dst="ff02::1:ff00:1", hlim=hlim
    )
    asked = head / ICMPv6ND_NS(tgt=target)
    return asked if source == "::" else asked / ICMPv6NDOptSrcLLAddr(lladdr=MAC)


@pytest.mark.parametrize(
    ("target", "router"), [("fd07::1", 1), ("fd07::3", 0)], ids=["gateway", "neighbour"]
)
@pytest.mark.parametrize("source", ["fd07::2", LINK_LOCAL, "fe80::1234"])
def test_a_solicitation_for_a_known_address_is_answered(
    node: TrialNode, target: str, router: int, source: str
) -> None:
    got = node.send(0, solicit(target, source))
    answer = ICMPv6ND_NA(tgt=target, R=router, S=1, O=1) / ICMPv6NDOptDstLLAddr(lladdr=PROXY)

    assert (got.action, got.verdict) == (REDIRECT, Verdict.ANSWER_ND)
    head = Ether(dst=MAC, src=PROXY) / IPv6(src=target, dst=source, hlim=255)
    assert bytes(got.packet) == bytes(head / answer)


def test_a_probe_for_somebody_elses_address_is_answered_to_all(node: TrialNode) -> None:
    got = node.send(0, solicit("fd07::3", "::"))
    answer = ICMPv6ND_NA(tgt="fd07::3", R=0, S=0, O=1) / ICMPv6NDOptDstLLAddr(lladdr=PROXY)

    head = Ether(dst="33:33:00:00:00:01", src=PROXY) / IPv6(src="fd07::3", dst="ff02::1", hlim=255)
    assert bytes(got.packet) == bytes(head / answer)


@pytest.mark.parametrize(
    "packet",
    [solicit("fd07::2", "::"), solicit("fd07::2"), solicit(LINK_LOCAL, "::")],
    ids=["probe", "own", "link-local probe"],
)
def test_a_solicitation_for_the_own_address_is_never_answered(
    node: TrialNode, packet: Packet
) -> None:
    assert node.send(0, packet).verdict == Verdict.DROP_ND_OWN


def test_a_solicitation_for_an_unknown_address_is_not_answered(node: TrialNode) -> None:
    assert node.send(0, solicit("fd07::99")).verdict == Verdict.DROP_ND_UNKNOWN


def test_a_solicitation_from_a_spoofed_address_is_dropped(node: TrialNode) -> None:
    assert node.send(0, solicit("fd07::1", "fd07::66")).verdict == Verdict.DROP_RPF


def test_a_solicitation_that_was_routed_is_malformed(node: TrialNode) -> None:
    assert node.send(0, solicit("fd07::1", hlim=254)).verdict == Verdict.DROP_MALFORMED


def test_a_solicitation_does_not_find_ipv4_addresses(node: TrialNode) -> None:
    assert node.send(0, solicit("::ffff:10.7.0.1")).verdict == Verdict.DROP_MALFORMED


def icmp6(message: Packet, *extensions: Packet) -> Packet:
    packet = Ether(dst="33:33:00:00:00:01", src=MAC) / IPv6(src=LINK_LOCAL, dst="ff02::1", hlim=255)
    for extension in extensions:
        packet = packet / extension
    return packet / message


@pytest.mark.parametrize("hidden", [(), (IPv6ExtHdrDestOpt(),)], ids=["plain", "hidden"])
def test_router_advertisements_of_pods_are_dropped_in_every_mode(
    node: TrialNode, hidden: tuple[Packet, ...]
) -> None:
    vif = node.interfaces[0].vif
    for flags in (VifFlag.L3, VifFlag.L2 | VifFlag.L3, VifFlag.L2):
        node.put(replace(vif, flags=flags))
        assert node.send(0, icmp6(ICMPv6ND_RA(), *hidden)).verdict == Verdict.DROP_ND_RA
    node.put(vif)


@pytest.mark.parametrize(
    "packet",
    [
        icmp6(ICMPv6ND_RS()),
        icmp6(ICMPv6ND_NA(tgt="fd07::1")),
        icmp6(ICMPv6ND_Redirect()),
        icmp6(ICMPv6ND_NS(tgt="fd07::1"), IPv6ExtHdrDestOpt()),
    ],
    ids=["router solicitation", "advertisement", "redirect", "hidden solicitation"],
)
def test_other_discovery_of_pods_goes_nowhere(node: TrialNode, packet: Packet) -> None:
    assert node.send(0, packet).verdict == Verdict.DROP_ND_OTHER


def test_a_network_that_is_only_bridged_carries_arp_and_discovery_itself(node: TrialNode) -> None:
    vif = node.interfaces[0].vif
    node.put(replace(vif, flags=VifFlag.L2))
    assert node.send(0, who_has("10.7.0.1")).verdict == Verdict.FORWARD_FLOODED
    assert node.send(0, solicit("fd07::1")).verdict == Verdict.FORWARD_FLOODED
    node.put(vif)
