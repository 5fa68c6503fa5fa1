"""Real packets between pods of one node through the datapath alone."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from datapath_lab import OBJECT, Node, Pod, frames, tcp_echo

from cn2.drivers.bpf.loader import Loaded
from cn2.drivers.bpf.maps import Maps
from cn2.state.bridge import Flood, flood
from cn2.state.next_hop import NextHop
from cn2.state.route import Host
from cn2.state.row import Row
from cn2.state.table import ORDER, Tables
from cn2.state.verdict import Verdict
from cn2.state.vif import Vif, VifFlag

pytestmark = [pytest.mark.root, pytest.mark.clang, pytest.mark.timeout(60)]

BLUE, RED, POD_NETWORK, BRIDGED = 1, 2, 3, 4


class World:
    """blue: a, b; red: c with a's addresses, d alone; plain: two pods of a routed-only network."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.a = node.add_pod("a", BLUE, "10.7.0.2/24", "fd07::2/64")
        self.b = node.add_pod("b", BLUE, "10.7.0.3/24", "fd07::3/64")
        self.c = node.add_pod("c", RED, "10.7.0.2/24", "fd07::2/64")
        routed = VifFlag.L3 | VifFlag.RPF
        self.plain1 = node.add_pod("p1", POD_NETWORK, "10.244.0.2/16", flags=routed)
        self.plain2 = node.add_pod("p2", POD_NETWORK, "10.244.0.3/16", flags=routed)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    node = Node(tmp_path_factory.mktemp("datapath"))
    try:
        yield World(node)
    finally:
        node.close()


@pytest.mark.parametrize("address", ["10.7.0.3", "fd07::3"])
def test_pods_of_a_network_ping_each_other(world: World, address: str) -> None:
    assert world.a.pings(address)


@pytest.mark.parametrize("address", ["10.7.0.1", "fd07::1", "10.244.0.1"])
def test_gateways_answer_with_a_ttl_of_64(world: World, address: str) -> None:
    pod = world.plain1 if address.startswith("10.244") else world.a

    answer = pod.run("ping", "-c1", "-W1", address)

    assert "ttl=64" in answer.stdout


def test_a_fragmented_ping_to_the_gateway_comes_back_whole(world: World) -> None:
    assert world.a.pings("10.7.0.1", "-s", "4000")
    assert world.a.pings("fd07::1", "-s", "4000")


@pytest.mark.parametrize("family", ["10.7.0", "fd07:"])
def test_tcp_carries_a_megabyte_each_way(world: World, family: str) -> None:
    separator = ":" if family == "fd07:" else "."
    size = 1 << 20

    assert tcp_echo(world.a, world.b, f"{family}{separator}3", size) == bytes(size)
    assert tcp_echo(world.b, world.a, f"{family}{separator}2", size) == bytes(size)


def test_another_network_with_the_same_prefix_hears_nothing(world: World) -> None:
    with ExitStack() as stack:
        ears = {pod.name: stack.enter_context(pod.packet_socket()) for pod in (world.b, world.c)}
        for ear in ears.values():
            frames(ear)
        # c has the very address that b's answers go to.
        assert world.a.pings("10.7.0.3")
        assert world.a.pings("fd07::3")
        world.a.run("ping", "-c1", "-W1", "-b", "10.7.0.255")

        assert len(frames(ears["b"])) >= 4
        assert [each for each in frames(ears["c"]) if world.a.mac in each] == []


def test_the_same_network_hears_a_broadcast_and_the_routed_one_does_not(world: World) -> None:
    with world.b.packet_socket() as bridged, world.plain2.packet_socket() as routed:
        frames(bridged), frames(routed)
        before = world.node.count(Verdict.DROP_MULTICAST)
        world.a.run("ping", "-c1", "-W1", "-b", "10.7.0.255")
        world.plain1.run("ping", "-c1", "-W1", "-b", "10.244.255.255")

        everyone = b"\xff" * 6 + world.a.mac
        assert any(each.startswith(everyone) for each in frames(bridged))
        assert not any(each.startswith(b"\xff" * 6) for each in frames(routed))
        assert world.node.count(Verdict.DROP_MULTICAST) > before


def test_a_frame_for_all_does_not_come_back_to_its_sender(world: World) -> None:
    frame = b"\xff" * 6 + world.a.mac + b"\x88\xb5" + b"all" * 20
    with world.a.packet_socket() as mouth, world.b.packet_socket() as ear:
        frames(mouth), frames(ear)
        mouth.send(frame)
        assert frame in frames(ear)
        assert frame not in frames(mouth)


def test_pods_of_a_bridged_network_resolve_and_reach_each_other_by_mac(world: World) -> None:
    one = world.node.add_pod("l2a", BRIDGED, "10.6.0.2/24", "fd06::2/64", flags=VifFlag.L2)
    two = world.node.add_pod("l2b", BRIDGED, "10.6.0.3/24", "fd06::3/64", flags=VifFlag.L2)

    assert one.pings("10.6.0.3")
    assert one.pings("fd06::3")
    assert two.mac.hex(":") in one.run("ip", "neighbour", "show", "10.6.0.3").stdout
    assert not one.pings("10.6.0.1"), "a bridged network has no gateway here"


def test_a_vlan_tag_passes_by_mac_and_drops_where_only_routed(world: World) -> None:
    """The kernel takes the tag out of the frame before the program sees it."""
    tagged = b"\x81\0\0\x07\x08\0\x45" + bytes(60)
    dropped = world.node.count(Verdict.DROP_VLAN)
    bridged = world.node.count(Verdict.FORWARD_BRIDGED)
    with world.a.packet_socket() as mouth, world.plain1.packet_socket() as routed:
        mouth.send(world.b.mac + world.a.mac + tagged)
        routed.send(world.plain2.mac + world.plain1.mac + tagged)
    assert world.node.count(Verdict.DROP_VLAN) == dropped + 1
    assert world.node.count(Verdict.FORWARD_BRIDGED) == bridged + 1


def test_frames_that_are_not_ip_follow_the_mac_table(world: World) -> None:
    frame = world.b.mac + world.a.mac + b"\x88\xb5" + b"cn2" * 20
    with world.a.packet_socket() as mouth, world.b.packet_socket() as ear:
        frames(ear)
        mouth.send(frame)
        assert frame in frames(ear)


@pytest.mark.parametrize("ethertype", [b"\x08\x00", b"\x86\xdd", b"\x08\x06"])
def test_a_frame_cut_short_is_dropped(world: World, ethertype: bytes) -> None:
    before = world.node.count(Verdict.DROP_MALFORMED)
    with world.a.packet_socket() as mouth:
        mouth.send(world.b.mac + world.a.mac + ethertype + b"\x45" + bytes(10))
    assert world.node.count(Verdict.DROP_MALFORMED) == before + 1


def test_a_spoofed_source_is_dropped_counted_and_heard_by_nobody(world: World) -> None:
    world.a.run("ip", "address", "add", "10.7.0.99/24", "dev", "eth0")
    before = world.node.count(Verdict.DROP_RPF)
    with world.b.packet_socket() as ear:
        frames(ear)
        assert not world.a.pings("10.7.0.3", "-I", "10.7.0.99")
        assert bytes([10, 7, 0, 99]) not in b"".join(frames(ear))
    world.a.run("ip", "address", "delete", "10.7.0.99/24", "dev", "eth0")
    assert world.node.count(Verdict.DROP_RPF) > before


def test_a_routers_hop_between_networks_costs_one_ttl(world: World) -> None:
    """Two host routes join the networks of d and b; nothing else of theirs meets."""
    node = world.node
    d = node.add_pod("d", RED, "10.9.0.2/24", "fd09::2/64")
    leaks = [*_leak(d, BLUE), *_leak(world.b, RED)]
    node.want(*leaks)

    assert "ttl=63" in world.b.run("ping", "-c1", "-W1", "10.9.0.2").stdout
    assert "ttl=63" in world.b.run("ping", "-c1", "-W1", "fd09::2").stdout
    assert "Time to live exceeded" in world.b.run("ping", "-c1", "-W1", "-t1", "10.9.0.2").stdout
    assert "Hop limit" in world.b.run("ping", "-c1", "-W1", "-t1", "fd09::2").stdout
    assert not world.a.pings("10.9.0.2"), "d has no route back to a"

    node.unwant(*leaks)
    assert not world.b.pings("10.9.0.2")


def _leak(pod: Pod, into: int) -> list[Host]:
    hop = NextHop.local(pod.plugged.host, pod.vrf, pod.mac)
    own = [row for row in pod.rows if isinstance(row, Host)]
    return [Host(vrf=into, ip=row.ip, nh=hop.id) for row in own]


@pytest.mark.parametrize("address", ["10.9.0.3", "fd09::3"])
def test_a_connection_whose_hops_run_out_fails_at_once(world: World, address: str) -> None:
    """The segment's checksum is left to hardware; the answer that it becomes must not suffer."""
    node = world.node
    far = node.add_pod(f"far{len(node.pods)}", RED, "10.9.0.3/24", "fd09::3/64")
    leaks = _leak(far, BLUE)
    node.want(*leaks)
    v6 = ":" in address
    with world.a.inside():
        caller = socket.socket(socket.AF_INET6 if v6 else socket.AF_INET)
    with caller:
        caller.settimeout(5)
        level, hops, errors = (41, 16, 25) if v6 else (0, 2, 11)
        caller.setsockopt(level, hops, 1)
        caller.setsockopt(level, errors, 1)
        with pytest.raises(OSError, match="No route to host"):
            caller.connect((address, 80))
    node.unwant(*leaks)


def test_a_broadcast_reaches_members_beyond_the_first_64(world: World) -> None:
    node = world.node
    hop = NextHop.local(world.b.plugged.host, BLUE, world.b.mac)
    usual = [row for row in node.tables.desired(Flood).values() if row.bd == BLUE]
    node.want(*flood(BLUE, [*range(1000, 1100), hop.id]))
    frame = b"\xff" * 6 + world.a.mac + b"\x88\xb5" + bytes(50)
    with world.a.packet_socket() as mouth, world.b.packet_socket() as ear:
        frames(ear)
        mouth.send(frame)
        assert frames(ear).count(frame) == 1
    node.unwant(*flood(BLUE, range(1000, 1101)))
    node.want(*usual)


def test_the_next_agent_finds_all_rows_and_replaces_the_program_without_loss(world: World) -> None:
    node = world.node
    enter = ["ping", "-i", "0.002", "-c", "500", "-q", "10.7.0.3"]
    pinging = subprocess.Popen(
        ["nsenter", f"--net={world.a.path}", *enter], stdout=subprocess.PIPE, text=True
    )
    with Loaded(OBJECT, node.pins) as again, Maps(node.pins) as maps:
        found = Tables()
        found.learn(maps.read())
        found.want_only(_all_rows(node))
        assert found.pending() == []
        while pinging.poll() is None:
            for link in node.ports.list():
                node.ports.attach(link.index, again.program("pod_in"))
        host = world.a.plugged.host
        assert node.ports.program_id(host) == again.program_id("pod_in")
    assert pinging.stdout is not None
    assert " 0% packet loss" in pinging.stdout.read()
    assert world.a.pings("10.7.0.3"), "programs outlive who loaded them"


def _all_rows(node: Node) -> list[Row]:
    return [row for kind in ORDER for row in node.tables.desired(kind).values()]


def test_links_carry_what_the_next_agent_needs(world: World) -> None:
    found = {link.alias: link for link in world.node.ports.list()}

    assert found["a/eth0"].index == world.a.plugged.host
    assert found["a/eth0"].peer == world.a.plugged.peer


def test_without_its_interface_row_a_pod_is_mute(world: World) -> None:
    vif = next(row for row in world.a.rows if isinstance(row, Vif))
    before = world.node.count(Verdict.DROP_NO_INTERFACE)
    world.node.unwant(vif)
    assert not world.a.pings("10.7.0.3")
    assert world.node.count(Verdict.DROP_NO_INTERFACE) > before
    assert world.node.counters.drops()[world.a.plugged.host][Verdict.DROP_NO_INTERFACE].packets
    world.node.want(vif)
    assert world.a.pings("10.7.0.3")
