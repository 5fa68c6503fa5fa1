"""Forwarding modes: l2_l3, l2 and l3."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Dot1Q, Ether
from scapy.packet import Packet, Raw
from trial_node import REDIRECT, TrialNode

from cn2.state.bridge import Fdb
from cn2.state.next_hop import DISCARD
from cn2.state.verdict import Verdict
from cn2.state.vif import VifFlag

pytestmark = [pytest.mark.root, pytest.mark.clang]

MAC, NEIGHBOUR, STRANGER = "02:00:00:00:01:00", "02:00:00:00:01:01", "02:00:00:00:02:02"


def frame(to: str = NEIGHBOUR, kind: int = 0x88B5) -> Packet:
    return Ether(dst=to, src=MAC, type=kind) / Raw(b"cn2" * 20)


def packet(to: str, address: str = "10.7.0.3") -> Packet:
    return Ether(dst=to, src=MAC) / IP(src="10.7.0.2", dst=address) / UDP() / Raw(b"x" * 20)


@pytest.fixture
def bridged(node: TrialNode) -> Iterator[TrialNode]:
    """Interface 0 is in mode l2."""
    vif = node.interfaces[0].vif
    node.put(replace(vif, flags=VifFlag.L2 | VifFlag.RPF))
    yield node
    node.put(vif)


def test_l2_l3_forwards_other_frames_unchanged_by_mac(node: TrialNode) -> None:
    sent = frame()
    got = node.send(0, sent)

    assert (got.action, got.verdict) == (REDIRECT, Verdict.FORWARD_BRIDGED)
    assert bytes(got.packet) == bytes(sent)


def test_l2_l3_routes_ip_whatever_its_mac(node: TrialNode) -> None:
    assert node.send(0, packet(NEIGHBOUR)).verdict == Verdict.FORWARD_ROUTED
    assert node.send(0, packet(STRANGER)).verdict == Verdict.FORWARD_ROUTED


def test_a_mac_of_another_bridge_domain_is_not_reached(node: TrialNode) -> None:
    assert node.send(0, frame(STRANGER)).verdict == Verdict.DROP_FDB_MISS
    assert node.send(2, frame(NEIGHBOUR)).verdict == Verdict.DROP_FDB_MISS


def test_a_mac_behind_nothing_drops_by_name(node: TrialNode) -> None:
    node.put(Fdb(bd=1, mac=b"\x02\0\0\0\x01\x21", nh=DISCARD.id))
    node.put(Fdb(bd=1, mac=b"\x02\0\0\0\x01\x22", nh=4711))

    assert node.send(0, frame("02:00:00:00:01:21")).verdict == Verdict.DROP_NEXT_HOP_TYPE
    assert node.send(0, frame("02:00:00:00:01:22")).verdict == Verdict.DROP_NO_NEXT_HOP


@pytest.mark.parametrize(
    "sent",
    [
        packet(NEIGHBOUR),
        Ether(dst=NEIGHBOUR, src=MAC) / IPv6(src="fd07::2", dst="fd07::3") / UDP(),
        frame(),
    ],
    ids=["v4", "v6", "other"],
)
def test_l2_forwards_ip_and_other_frames_by_mac(bridged: TrialNode, sent: Packet) -> None:
    got = bridged.send(0, sent)

    assert got.verdict == Verdict.FORWARD_BRIDGED
    assert bytes(got.packet) == bytes(sent)


def test_l2_does_not_route(bridged: TrialNode) -> None:
    """The gateway's MAC is nobody's here."""
    proxy = "00:00:5e:00:01:00"
    assert bridged.send(0, packet(proxy, "10.7.0.1")).verdict == Verdict.DROP_FDB_MISS


def test_l3_drops_frames_that_are_not_ip(node: TrialNode) -> None:
    assert node.send(3, frame()).verdict == Verdict.DROP_NOT_IP
    assert node.send(3, frame("ff:ff:ff:ff:ff:ff")).verdict == Verdict.DROP_NOT_IP


def test_l3_drops_a_vlan_tag_in_the_frame(node: TrialNode) -> None:
    tagged = Ether(dst=NEIGHBOUR, src=MAC) / Dot1Q(vlan=7) / IP(src="10.244.0.2", dst="10.244.0.9")
    assert node.send(3, tagged / UDP()).verdict == Verdict.DROP_NOT_IP
