"""Rows follow from plugged ports; objects change them only by what they say."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from node_objects import address, interface, network, plugged, subnet

from cn2.plan.node.attachment import Pair, Plugged
from cn2.plan.node.rows import keys, plan, plan_all
from cn2.plan.node.snapshot import Snapshot
from cn2.state.bridge import Fdb, Flood, Vni
from cn2.state.next_hop import LOCAL_BASE, RECEIVE, NextHop
from cn2.state.route import Host
from cn2.state.row import Row
from cn2.state.settings import Settings
from cn2.state.vif import AllowedAddress, Vif, VifFlag

R = TypeVar("R", bound=Row)


def of(kind: type[R], rows: Iterable[Row]) -> list[R]:
    return [row for row in rows if isinstance(row, kind)]


def kinds(rows: Iterable[Row]) -> set[type[Row]]:
    return {type(row) for row in rows}


def test_a_port_gets_an_interface_a_next_hop_a_route_and_its_mac() -> None:
    rows = plan(Snapshot.of(ports=[plugged(7)]), 7)

    (vif,) = of(Vif, rows)
    assert (vif.ifindex, vif.vrf, vif.bd) == (7, 5, 5)
    assert vif.flags == VifFlag.L2 | VifFlag.L3 | VifFlag.RPF
    assert (vif.ip4, vif.gw4) == (bytes([10, 0, 0, 2]), bytes([10, 0, 0, 1]))
    assert [hop.id for hop in of(NextHop, rows)] == [LOCAL_BASE + 7]
    assert [(host.vrf, host.ip[12:], host.nh) for host in of(Host, rows)] == [
        (5, bytes([10, 0, 0, 2]), LOCAL_BASE + 7)
    ]
    assert [(fdb.bd, fdb.nh) for fdb in of(Fdb, rows)] == [(5, LOCAL_BASE + 7)]


def test_a_network_answers_for_its_gateway_and_floods_to_its_ports() -> None:
    rows = plan(Snapshot.of(ports=[plugged(7), plugged(8, ip="10.0.0.3")]), ("default", "blue"))

    assert [(host.ip[12:], host.nh) for host in of(Host, rows)] == [
        (bytes([10, 0, 0, 1]), RECEIVE.id)
    ]
    assert of(Vni, rows) == [Vni(vni=5, vrf=5, bd=5)]
    (flood,) = of(Flood, rows)
    assert flood.member[: flood.n] == (LOCAL_BASE + 7, LOCAL_BASE + 8)


def test_l3_has_no_frames_and_l2_has_no_routes() -> None:
    l3 = plan_all(Snapshot.of(ports=[plugged(7, mode="l3")]))
    l2 = plan_all(Snapshot.of(ports=[plugged(7, mode="l2")]))

    assert not kinds(l3) & {Fdb, Flood}
    assert of(Vif, l3)[0].bd == 0
    assert Host not in kinds(l2)
    assert of(Vif, l2)[0].flags == VifFlag.L2 | VifFlag.RPF


def test_rpf_off_is_a_flag_less() -> None:
    (vif,) = of(Vif, plan(Snapshot.of(ports=[plugged(7, rpf=False)]), 7))

    assert not vif.flags & VifFlag.RPF


def test_allowed_address_pairs_may_send() -> None:
    pair = Pair("10.0.0.100", 32, "00:00:5e:00:01:01")
    rows = plan(Snapshot.of(ports=[plugged(7, pairs=(pair,))]), 7)

    (allowed,) = of(AllowedAddress, rows)
    assert (allowed.ifindex, allowed.plen, allowed.mac) == (7, 160, bytes.fromhex("00005e000101"))


def test_an_absent_network_or_interface_object_changes_nothing() -> None:
    port = plugged(7)
    objects = {
        "interfaces": [interface("vmi-7", "blue", "0/1", mac=port.attachment.mac)],
        "networks": [network("blue", 5, {"v4": "blue-v4"})],
        "subnets": [subnet("blue-v4", "10.0.0.0/24", "10.0.0.1")],
    }

    whole = plan_all(Snapshot.of(ports=[port], **objects))

    assert plan_all(Snapshot.of(ports=[port])) == whole


def test_a_network_that_was_created_again_changes_nothing() -> None:
    port = plugged(7)
    vn = network("blue", 5, {"v4": "blue-v4"})
    vn["metadata"]["uid"] = "another"
    subnets = [subnet("blue-v4", "10.0.0.0/24", "10.0.0.1")]

    assert plan_all(Snapshot.of(ports=[port], networks=[vn], subnets=subnets)) == plan_all(
        Snapshot.of(ports=[port])
    )


@pytest.mark.parametrize("state", ["Pending", "Failure"])
def test_an_explicit_status_stops_the_interface(state: str) -> None:
    port = plugged(7)
    vmi = interface("vmi-7", "blue", "0/1", mac=port.attachment.mac, state=state)
    rows = plan_all(Snapshot.of(ports=[port], interfaces=[vmi]))

    assert kinds(rows) == {Settings, NextHop}
    assert plan(Snapshot.of(ports=[port], interfaces=[vmi]), 7) == ()


@pytest.mark.parametrize(("ip", "silent"), [("10.0.0.2", True), ("10.0.0.9", False)])
def test_an_address_that_was_taken_away_stops_the_interface(ip: str, silent: bool) -> None:
    """Only one that the port has: another that waits for its turn concerns no traffic."""
    port = plugged(7)
    vmi = interface("vmi-7", "blue", "0/1", mac=port.attachment.mac)
    lost = address("vmi-7", "blue", ip, state="Pending")
    rows = plan_all(Snapshot.of(ports=[port], interfaces=[vmi], addresses=[lost]))

    assert (Host not in kinds(rows)) is silent


def test_the_interface_of_a_later_pod_of_that_name_stops_nothing() -> None:
    port = plugged(7, uid="u1")
    vmi = interface("vmi-7", "blue", "0/1", mac=port.attachment.mac, state="Pending", uid="u2")

    assert Host in kinds(plan_all(Snapshot.of(ports=[port], interfaces=[vmi])))


def test_a_stopped_port_is_not_flooded_to() -> None:
    ports = [plugged(7), plugged(8, ip="10.0.0.3")]
    vmi = interface("vmi-7", "blue", "0/1", mac="02:00:00:00:00:07", state="Pending")
    rows = plan(Snapshot.of(ports=ports, interfaces=[vmi]), ("default", "blue"))

    (flood,) = of(Flood, rows)
    assert flood.member[: flood.n] == (LOCAL_BASE + 8,)


def test_a_key_that_is_gone_has_no_rows() -> None:
    assert plan(Snapshot.of(), 7) == ()
    assert plan(Snapshot.of(), ("default", "blue")) == ()


def some_ports() -> st.SearchStrategy[list[Plugged]]:
    def build(ifindex: int, net: int, mode: str) -> Plugged:
        ip = f"10.0.0.{ifindex}"
        return plugged(ifindex, ip=ip, network=f"n{net}", vni=5 + net, mode=mode)

    one = st.builds(
        build, st.integers(2, 250), st.integers(0, 3), st.sampled_from(["l2_l3", "l2", "l3"])
    )
    return st.lists(one, unique_by=lambda port: port.ifindex, max_size=12)


@given(before=some_ports(), after=some_ports())
def test_replanning_the_keys_of_a_change_gives_the_whole_plan(
    before: list[Plugged], after: list[Plugged]
) -> None:
    """Whatever the road from one set of ports to another, the rows are those of the second."""
    old, new = Snapshot.of(ports=before), Snapshot.of(ports=after)
    rows = {key: plan(old, key) for key in keys(old)}

    for key in {*keys(old), *keys(new)}:
        rows[key] = plan(new, key)

    assert {row for part in rows.values() for row in part} == set(plan_all(new))
