"""The program as a whole: its size for the verifier, its events, its maps."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether
from trial_node import UNLIMITED, TrialNode

import cn2
from cn2.drivers.bpf.events import Events
from cn2.drivers.bpf.loader import Loaded, LoadError
from cn2.drivers.bpf.syscall import program_info
from cn2.state.bridge import flood
from cn2.state.settings import Settings
from cn2.state.table import ORDER, Delete, Put
from cn2.state.verdict import Verdict

pytestmark = [pytest.mark.root, pytest.mark.clang]

OBJECT = Path(cn2.__file__).parent / "native" / "vr.o"
LOST = Ether(dst="00:00:5e:00:01:00", src="02:00:00:00:01:00") / IP(src="10.7.0.9", dst="1.2.3.4")


def test_the_verifier_has_an_easy_life(node: TrialNode) -> None:
    """The kernel's limit is a million; a branch too many shows here first."""
    assert program_info(node.loaded.program("pod_in")).verified < 100_000


def test_a_drop_is_sampled_with_its_reason_and_first_bytes(node: TrialNode) -> None:
    node.events.read()
    packet = bytes(LOST / UDP() / (b"x" * 100))
    node.send(0, packet)
    (event,) = node.events.read()

    assert (event.verdict, event.ifindex) == (Verdict.DROP_RPF, node.interfaces[0].ifindex)
    assert (event.length, event.head) == (len(packet), packet[:64])


def test_samples_are_limited_in_rate_and_counters_are_not(node: TrialNode) -> None:
    node.put(Settings(event_rate=5))
    node.events.read()
    before = node.counters.read()[Verdict.DROP_RPF].packets
    node.trial(0, LOST, repeat=1000)
    node.put(UNLIMITED)

    # At most two windows of two CPUs.
    assert len(node.events.read()) <= 5 * 2 * (os.cpu_count() or 1)
    assert node.counters.read()[Verdict.DROP_RPF].packets == before + 1000


def test_samples_go_round_the_buffer_and_stop_when_nobody_reads(node: TrialNode) -> None:
    for _ in range(3):
        node.trial(0, LOST, repeat=5000)
        found = node.events.read()
        assert 1000 < len(found) < 5000
        assert {each.verdict for each in found} == {Verdict.DROP_RPF}


def test_drops_are_counted_by_interface_and_forgotten(node: TrialNode) -> None:
    ifindex = node.interfaces[0].ifindex
    node.send(0, LOST)
    assert node.counters.drops()[ifindex][Verdict.DROP_RPF].packets > 0
    node.counters.forget(ifindex)
    assert ifindex not in node.counters.drops()


def test_what_is_written_is_what_is_read(node: TrialNode) -> None:
    found = {(type(row), row.key): row for row in node.maps.read()}
    vif = node.interfaces[0].vif

    assert found[type(vif), vif.key] == vif
    assert {type(row) for row in found.values()} <= set(ORDER)


def test_a_removed_row_is_gone_and_removing_it_again_is_fine(node: TrialNode) -> None:
    (row,) = flood(77, range(5))
    node.maps.apply([Put(row)])
    assert node.maps.table(type(row)).get(row) == row
    node.maps.apply([Delete(row), Delete(row)])
    assert node.maps.table(type(row)).get(row) is None


def test_a_large_table_is_read_whole(node: TrialNode) -> None:
    rows = [row for bd in range(1000, 4000) for row in flood(bd, range(3))]
    node.maps.apply([Put(row) for row in rows])
    found = {row.key for row in node.maps.read()}
    node.maps.apply([Delete(row) for row in rows])

    assert {row.key for row in rows} <= found


def test_a_pin_with_another_layout_is_refused(node: TrialNode, tmp_path: Path) -> None:
    """Adopting it would read one field as another."""
    wrong = node.pins.parent / "wrong"
    wrong.mkdir()
    os.link(node.pins / "nh", wrong / "vif")
    with pytest.raises(LoadError, match="vif"):
        Loaded(OBJECT, wrong)


def test_an_object_that_is_none_is_refused(node: TrialNode, tmp_path: Path) -> None:
    broken = tmp_path / "broken.o"
    broken.write_bytes(b"no ELF")
    with pytest.raises(LoadError):
        Loaded(broken, node.pins)


def test_events_are_read_by_the_next_reader_too(node: TrialNode) -> None:
    node.send(0, LOST)
    with Events(node.pins) as another:
        assert another.read()
    assert node.events.read() == []
