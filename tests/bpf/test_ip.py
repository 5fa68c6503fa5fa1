"""IP packets by route: where they go, what they look like, why they drop."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address, ip_network

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import (
    ICMPv6EchoReply,
    ICMPv6EchoRequest,
    ICMPv6TimeExceeded,
    IPv6,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrFragment,
)
from scapy.layers.l2 import Ether
from scapy.packet import Packet, Raw
from trial_node import BLUE, BOTH, RED, REDIRECT, SHOT, STOLEN, TrialNode

from cn2.state.next_hop import DISCARD, NextHop
from cn2.state.route import Host, route
from cn2.state.verdict import Verdict
from cn2.state.vif import AllowedAddress, VifFlag

pytestmark = [pytest.mark.root, pytest.mark.clang]

PROXY = "00:00:5e:00:01:00"


MAC = "02:00:00:00:00:aa"


def eth(**fields: object) -> Ether:
    return Ether(**{"dst": PROXY, "src": MAC, **fields})


def ip4(source: str = "10.7.0.2", to: str = "10.7.0.3", **fields: object) -> Packet:
    return eth() / IP(src=source, dst=to, **fields) / UDP(dport=9) / Raw(b"x" * 40)


def ip6(source: str = "fd07::2", to: str = "fd07::3", **fields: object) -> Packet:
    return eth() / IPv6(src=source, dst=to, **fields) / UDP(dport=9) / Raw(b"x" * 40)


@pytest.mark.parametrize("packet", [ip4(ttl=17), ip6(hlim=17)], ids=["v4", "v6"])
def test_within_a_network_only_the_macs_change(node: TrialNode, packet: Packet) -> None:
    got = node.send(0, packet)

    assert (got.action, got.verdict) == (REDIRECT, Verdict.FORWARD_ROUTED)
    assert (got.packet.dst, got.packet.src) == (node.interfaces[1].mac, PROXY)
    assert bytes(got.packet)[14:] == bytes(packet)[14:]


@pytest.mark.parametrize("packet", [ip4(), ip6()], ids=["v4", "v6"])
def test_the_same_address_in_another_network_is_not_reached(
    node: TrialNode, packet: Packet
) -> None:
    """red's interface has blue's address, and red has no .3."""
    assert node.send(2, packet).verdict == Verdict.DROP_NO_ROUTE


@pytest.mark.parametrize(
    "packet", [ip4("10.7.0.66"), ip6("fd07::66"), ip6("fe80::66")], ids=["v4", "v6", "link-local"]
)
def test_a_source_of_somebody_else_is_dropped(node: TrialNode, packet: Packet) -> None:
    got = node.send(0, packet)

    assert (got.action, got.verdict) == (SHOT, Verdict.DROP_RPF)


def test_with_rpf_disabled_any_source_passes(node: TrialNode) -> None:
    node.set_flags(0, BOTH & ~VifFlag.RPF)
    assert node.send(0, ip4("10.7.0.66")).verdict == Verdict.FORWARD_ROUTED
    assert node.send(0, ip6("fd07::66")).verdict == Verdict.FORWARD_ROUTED
    node.set_flags(0, BOTH)


def test_a_source_in_an_allowed_prefix_passes_from_its_interface_only(node: TrialNode) -> None:
    ifindex = node.interfaces[0].ifindex
    node.put(AllowedAddress.of(ifindex, ip_network("10.7.0.128/25")))
    node.put(AllowedAddress.of(ifindex, ip_network("fd07:1::/32")))

    assert node.send(0, ip4("10.7.0.200")).verdict == Verdict.FORWARD_ROUTED
    assert node.send(0, ip6("fd07:1::9")).verdict == Verdict.FORWARD_ROUTED
    assert node.send(1, ip4("10.7.0.200", "10.7.0.2")).verdict == Verdict.DROP_RPF
    assert node.send(0, ip4("10.7.0.100")).verdict == Verdict.DROP_RPF


@pytest.mark.parametrize("packet", [ip4(to="10.9.9.9"), ip6(to="fd99::9")], ids=["v4", "v6"])
def test_an_unknown_destination_is_dropped(node: TrialNode, packet: Packet) -> None:
    assert node.send(0, packet).verdict == Verdict.DROP_NO_ROUTE


def test_the_exact_route_wins_then_the_longest_prefix(node: TrialNode) -> None:
    one, two = (each.hop.id for each in node.interfaces[:2])
    node.put(route(BLUE, ip_network("10.20.0.0/16"), DISCARD.id))
    node.put(
        route(BLUE, ip_network("10.20.1.0/24"), two), route(BLUE, ip_network("10.20.1.7"), one)
    )
    node.put(
        route(BLUE, ip_network("fd20::/16"), DISCARD.id),
        route(BLUE, ip_network("fd20:1::/32"), two),
    )

    assert node.send(0, ip4(to="10.20.9.9")).verdict == Verdict.DROP_DISCARD_ROUTE
    assert node.send(0, ip4(to="10.20.1.9")).packet.dst == node.interfaces[1].mac
    assert node.send(0, ip4(to="10.20.1.7")).packet.dst == node.interfaces[0].mac
    assert node.send(0, ip6(to="fd20:2::9")).verdict == Verdict.DROP_DISCARD_ROUTE
    assert node.send(0, ip6(to="fd20:1::9")).packet.dst == node.interfaces[1].mac
    assert node.send(2, ip4(to="10.20.1.9")).verdict == Verdict.DROP_NO_ROUTE
    assert node.send(2, ip6(to="fd20:1::9")).verdict == Verdict.DROP_NO_ROUTE


def test_a_route_without_its_next_hop_drops_by_name(node: TrialNode) -> None:
    node.put(route(BLUE, ip_network("10.21.0.1"), 77))
    node.put(NextHop(id=78, type=4), route(BLUE, ip_network("10.21.0.2"), 78))

    assert node.send(0, ip4(to="10.21.0.1")).verdict == Verdict.DROP_NO_NEXT_HOP
    assert node.send(0, ip4(to="10.21.0.2")).verdict == Verdict.DROP_NEXT_HOP_TYPE


@pytest.fixture
def leaked(node: TrialNode) -> None:
    """red's plain neighbour is known in blue: a route leak."""
    plain = node.interfaces[3]
    node.put(Host.of(BLUE, ip_address("10.244.0.2"), plain.hop.id))
    node.put(Host.of(BLUE, ip_address("fd24::2"), plain.hop.id))


@pytest.mark.usefixtures("leaked")
@pytest.mark.parametrize("ttl", [2, 64, 255])
def test_into_another_network_the_ttl_falls_by_one(node: TrialNode, ttl: int) -> None:
    four = node.send(0, ip4(to="10.244.0.2", ttl=ttl)).packet
    six = node.send(0, ip6(to="fd24::2", hlim=ttl)).packet

    assert (four[IP].ttl, six[IPv6].hlim) == (ttl - 1, ttl - 1)
    assert four.dst == six.dst == node.interfaces[3].mac
    assert_checksums(four)


@pytest.mark.usefixtures("leaked")
@pytest.mark.parametrize("before", [0xFEFF, 0xFEFE, 0xFF00, 0xFF7F, 0xFFFE, 0x0000])
def test_the_checksum_follows_the_ttl_also_where_the_sum_wraps(
    node: TrialNode, before: int
) -> None:
    blank = IP(bytes(IP(src="10.7.0.2", dst="10.244.0.2", id=0, len=68, proto=17, ttl=64)))
    identification = (blank.chksum - before) % 0xFFFF
    sent = ip4(to="10.244.0.2", id=identification)
    assert IP(bytes(sent[IP])).chksum in (before, before ^ 0xFFFF)

    assert_checksums(node.send(0, sent).packet)


@pytest.mark.usefixtures("leaked")
@pytest.mark.parametrize("ttl", [0, 1])
def test_a_ttl_that_ran_out_is_told(node: TrialNode, ttl: int) -> None:
    sent = ip4(to="10.244.0.2", ttl=ttl)
    got = node.send(0, sent)
    packet = got.packet

    assert (got.action, got.verdict) == (REDIRECT, Verdict.ANSWER_TTL)
    assert (packet[IP].src, packet[IP].dst, packet[IP].ttl) == ("10.7.0.1", "10.7.0.2", 64)
    assert (packet[ICMP].type, packet[ICMP].code) == (11, 0)
    assert bytes(packet)[42:] == bytes(sent)[14:42]
    assert (packet.dst, packet.src) == (sent.src, PROXY)
    assert_checksums(packet)


@pytest.mark.usefixtures("leaked")
def test_a_hop_limit_that_ran_out_is_told(node: TrialNode) -> None:
    sent = ip6(to="fd24::2", hlim=1)
    got = node.send(0, sent)
    packet = got.packet

    assert (got.action, got.verdict) == (REDIRECT, Verdict.ANSWER_TTL)
    assert (packet[IPv6].src, packet[IPv6].dst) == ("fd07::1", "fd07::2")
    assert packet[ICMPv6TimeExceeded].code == 0
    assert bytes(packet)[62:] == bytes(sent)[14:62]
    assert_checksums(packet)


@pytest.mark.usefixtures("leaked")
@pytest.mark.parametrize(
    "packet",
    [
        eth() / IP(src="10.7.0.2", dst="10.244.0.2", ttl=1) / ICMP(type=3) / Raw(b"x" * 28),
        eth() / IP(src="10.7.0.2", dst="10.244.0.2", ttl=1, frag=9) / Raw(b"x" * 28),
        eth() / IPv6(src="fd07::2", dst="fd24::2", hlim=1) / ICMPv6TimeExceeded() / Raw(b"x" * 48),
    ],
    ids=["error", "later fragment", "error v6"],
)
def test_no_error_is_sent_about_errors_and_later_fragments(node: TrialNode, packet: Packet) -> None:
    assert node.send(0, packet).verdict == Verdict.DROP_TTL


@pytest.mark.usefixtures("leaked")
def test_without_a_gateway_nobody_tells(node: TrialNode) -> None:
    vif = node.interfaces[0].vif
    node.put(replace(vif, gw4=bytes(4), gw6=bytes(16)))
    assert node.send(0, ip4(to="10.244.0.2", ttl=1)).verdict == Verdict.DROP_TTL
    assert node.send(0, ip6(to="fd24::2", hlim=1)).verdict == Verdict.DROP_TTL
    node.put(vif)


@pytest.mark.parametrize("size", [0, 1, 56, 1400])
def test_the_gateway_answers_echo(node: TrialNode, size: int) -> None:
    sent = (
        eth() / IP(src="10.7.0.2", dst="10.7.0.1", ttl=3, id=7) / ICMP(id=5, seq=6) / (b"p" * size)
    )
    got = node.send(0, sent)
    packet = got.packet

    assert (got.action, got.verdict) == (REDIRECT, Verdict.ANSWER_ECHO)
    assert (packet[IP].src, packet[IP].dst, packet[IP].ttl) == ("10.7.0.1", "10.7.0.2", 64)
    assert (packet[ICMP].type, packet[ICMP].id, packet[ICMP].seq) == (0, 5, 6)
    assert (packet.dst, packet.src) == (sent.src, PROXY)
    assert bytes(packet)[42 : 42 + size] == b"p" * size
    assert_checksums(packet)


@pytest.mark.parametrize("size", [0, 1, 56, 1400])
def test_the_gateway_answers_echo_over_ipv6(node: TrialNode, size: int) -> None:
    sent = (
        eth()
        / IPv6(src="fd07::2", dst="fd07::1", hlim=3)
        / ICMPv6EchoRequest(id=5, seq=6, data=b"p" * size)
    )
    got = node.send(0, sent)
    packet = got.packet

    assert got.verdict == Verdict.ANSWER_ECHO
    assert (packet[IPv6].src, packet[IPv6].dst, packet[IPv6].hlim) == ("fd07::1", "fd07::2", 64)
    assert (packet[ICMPv6EchoReply].id, packet[ICMPv6EchoReply].data) == (5, b"p" * size)
    assert (packet.dst, packet.src) == (sent.src, PROXY)
    assert_checksums(packet)


def test_the_gateway_answers_nothing_else(node: TrialNode) -> None:
    assert node.send(0, ip4(to="10.7.0.1")).verdict == Verdict.DROP_RECEIVE
    assert node.send(0, ip6(to="fd07::1")).verdict == Verdict.DROP_RECEIVE
    timestamp = eth() / IP(src="10.7.0.2", dst="10.7.0.1") / ICMP(type=13)
    assert node.send(0, timestamp).verdict == Verdict.DROP_RECEIVE
    segment = eth() / IP(src="10.7.0.2", dst="10.7.0.1") / TCP(dport=22)
    assert node.send(0, segment).verdict == Verdict.DROP_RECEIVE


def test_options_and_fragments_pass_through(node: TrialNode) -> None:
    with_options = ip4(options=b"\x94\x04\x00\x00")
    last = eth() / IP(src="10.7.0.2", dst="10.7.0.3", frag=10, proto=17) / Raw(b"x")
    extended = eth() / IPv6(src="fd07::2", dst="fd07::3") / IPv6ExtHdrDestOpt() / UDP() / b"x"
    part = eth() / IPv6(src="fd07::2", dst="fd07::3") / IPv6ExtHdrFragment(offset=9) / b"x"

    for packet in (with_options, last, extended, part):
        assert node.send(0, packet).verdict == Verdict.FORWARD_ROUTED


@pytest.mark.parametrize(
    "frame",
    [
        bytes(eth(type=0x0800) / Raw(b"\x65" + b"\0" * 40)),
        bytes(eth(type=0x0800) / Raw(b"\x44" + b"\0" * 40)),
        bytes(ip6(to="::ffff:10.7.0.3")),
        bytes(ip6("::ffff:10.7.0.2")),
        bytes(eth() / IPv6(src="fd07::2", dst="fd07::3", nh=60)),
    ],
    ids=["version", "length", "mapped to", "mapped from", "cut extension"],
)
def test_malformed_packets_are_dropped(node: TrialNode, frame: bytes) -> None:
    assert node.send(0, frame).verdict == Verdict.DROP_MALFORMED


def test_an_endless_chain_of_extensions_is_dropped(node: TrialNode) -> None:
    packet = eth() / IPv6(src="fd07::2", dst="fd07::3")
    for _ in range(9):
        packet = packet / IPv6ExtHdrDestOpt()
    assert node.send(0, packet / UDP()).verdict == Verdict.DROP_MALFORMED


def test_an_interface_without_a_row_is_mute(node: TrialNode) -> None:
    vif = node.interfaces[1].vif
    node.maps.table(type(vif)).delete(vif)
    got = node.send(1, ip4("10.7.0.3", "10.7.0.2"))
    node.put(vif)

    assert (got.action, got.verdict) == (SHOT, Verdict.DROP_NO_INTERFACE)


def test_broadcast_floods_where_bridged_and_drops_where_only_routed(node: TrialNode) -> None:
    everyone = {"dst": "ff:ff:ff:ff:ff:ff"}
    hello = UDP(dport=67) / b"x"
    ask = eth(**everyone) / IP(src="0.0.0.0", dst="255.255.255.255") / hello

    got = node.send(0, ask)
    assert (got.action, got.verdict) == (STOLEN, Verdict.FORWARD_FLOODED)
    assert node.send(3, ask).verdict == Verdict.DROP_MULTICAST
    spoofed = eth(**everyone) / IP(src="10.7.0.9", dst="255.255.255.255") / hello
    assert node.send(0, spoofed).verdict == Verdict.DROP_RPF
    unicast = eth() / IP(src="0.0.0.0", dst="10.7.0.3") / hello
    assert node.send(0, unicast).verdict == Verdict.DROP_RPF


def test_a_bridge_domain_nobody_is_in_drops_by_name(node: TrialNode) -> None:
    node.put(replace(node.interfaces[2].vif, bd=99))
    frame = Ether(dst="ff:ff:ff:ff:ff:ff") / IP(src="10.7.0.2", dst="10.7.0.255") / b"x"
    got = node.send(2, frame)
    node.put(node.interfaces[2].vif)

    assert got.verdict == Verdict.DROP_NO_BRIDGE
    assert node.interfaces[2].vif.vrf == RED


def assert_checksums(packet: Packet) -> None:
    """Scapy computes all checksums anew and comes to the same bytes."""
    again = Ether(bytes(packet))
    for layer in (again.getlayer(i) for i in range(len(again.layers()))):
        for field in ("chksum", "cksum"):
            if field in layer.fields and type(layer) in (IP, ICMP, *V6_WITH_CHECKSUM):
                delattr(layer, field)
        if type(layer) in (ICMP, ICMPv6TimeExceeded):
            break  # what is quoted stays as it was
    assert bytes(again) == bytes(packet)


V6_WITH_CHECKSUM = (ICMPv6EchoReply, ICMPv6TimeExceeded)
