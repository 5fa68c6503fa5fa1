"""The node's own numbers of networks."""

from __future__ import annotations

from node_objects import plugged

from cn2.agent.ports import Ports


def test_ports_of_one_network_share_its_number_and_others_have_another() -> None:
    ports = Ports()

    first = ports.numbered([plugged(7), plugged(8, network="red"), plugged(9)])
    ports.add(first)
    later = ports.numbered([plugged(10), plugged(11, network="green")])

    assert [port.vrf for port in first] == [1, 2, 1]
    assert [port.vrf for port in later] == [1, 3]


def test_a_network_that_has_a_freed_vni_shares_nothing_with_the_one_that_had_it() -> None:
    ports = Ports()
    ports.add(ports.numbered([plugged(7, network="old", vni=5)]))

    (new,) = ports.numbered([plugged(8, network="new", vni=5)])

    assert new.vrf != ports.all[7].vrf


def test_a_number_is_not_given_again_also_after_a_restart() -> None:
    ports = Ports()
    ports.add([plugged(7, vrf=6), plugged(8, network="red", vrf=9)])
    ports.remove("c8")

    assert [port.vrf for port in ports.numbered([plugged(9, network="green")])] == [10]
    assert [port.vrf for port in ports.numbered([plugged(10)])] == [6]


def test_what_is_removed_is_nowhere_any_more() -> None:
    ports = Ports()
    ports.add([plugged(7), plugged(8, network="red")])

    assert [port.ifindex for port in ports.remove("c7")] == [7]

    assert (set(ports.all), ports.containers(), set(ports.by_network)) == (
        {8},
        {"c8"},
        {("default", "red")},
    )
    assert ports.remove("c7") == ()
