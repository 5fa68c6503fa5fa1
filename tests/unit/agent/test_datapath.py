"""Desired rows follow the keys that changed, and one bad key stops no other."""

from __future__ import annotations

from node_objects import plugged

from cn2.agent.datapath import Datapath
from cn2.plan.node.rows import RowKey, plan_all
from cn2.plan.node.snapshot import Snapshot
from cn2.state.bridge import Vni
from cn2.state.row import Row
from cn2.state.table import Delete, Put


class World:
    """A snapshot that a test replaces."""

    def __init__(self, *ports: object) -> None:
        self.snapshot = Snapshot.of(ports=ports)  # type: ignore[arg-type]
        self.datapath = Datapath(lambda: self.snapshot)


def settled(world: World) -> list[Row]:
    """Tell the kernel all; what it was told to write."""
    changes = world.datapath.pending()
    world.datapath.done(changes)
    return [change.row for change in changes if isinstance(change, Put)]


def test_what_an_earlier_agent_left_is_desired_until_all_is_seen() -> None:
    world = World(plugged(7))
    stray = plan_all(Snapshot.of(ports=[plugged(9, ip="10.0.0.9")]))
    world.datapath.adopt(stray)
    assert world.datapath.pending() == []

    world.datapath.replan_all()

    changes = world.datapath.pending()
    world.datapath.done(changes)
    assert set(world.datapath.rows()) == set(plan_all(world.snapshot))
    assert any(isinstance(change, Delete) for change in changes)


def test_only_differences_are_written() -> None:
    world = World(plugged(7))
    world.datapath.adopt([])
    world.datapath.replan_all()
    assert set(settled(world)) == set(plan_all(world.snapshot))

    world.snapshot = Snapshot.of(ports=[plugged(7), plugged(8, ip="10.0.0.3")])
    world.datapath.replan([8, ("default", "blue")])

    assert {getattr(row, "ifindex", 8) for row in settled(world)} == {8}


def test_a_key_that_cannot_be_planned_keeps_its_rows_and_stops_no_other() -> None:
    world = World(plugged(7))
    world.datapath.adopt([])
    world.datapath.replan_all()
    settled(world)
    before = set(world.datapath.rows())

    world.snapshot = Snapshot.of(ports=[plugged(7, ip="nonsense"), plugged(8, ip="10.0.0.3")])
    world.datapath.replan_all()

    assert before <= {*world.datapath.rows(), *before}
    assert "nonsense" in world.datapath.broken[7]
    assert {row for row in before if getattr(row, "ifindex", 0) == 7} <= set(world.datapath.rows())
    assert any(getattr(row, "ifindex", 0) == 8 for row in world.datapath.rows())
    world.snapshot = Snapshot.of(ports=[plugged(7)])
    world.datapath.replan_all()
    assert world.datapath.broken == {}


def test_of_two_networks_with_one_vni_the_younger_has_it_whoever_was_planned_first() -> None:
    old = plugged(7, network="old", vni=5, vrf=1)
    new = plugged(8, network="new", vni=5, vrf=2)
    both: list[RowKey] = [7, 8, ("default", "old"), ("default", "new")]
    for order in (both, both[::-1]):
        world = World(old, new)
        world.datapath.adopt([])
        world.datapath.replan(order)

        assert [row.vrf for row in settled(world) if isinstance(row, Vni)] == [2]
        world.snapshot = Snapshot.of(ports=[old])
        world.datapath.replan(order)
        assert [row.vrf for row in settled(world) if isinstance(row, Vni)] == [1]
