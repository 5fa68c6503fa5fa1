"""Desired and actual rows."""

from __future__ import annotations

from ipaddress import ip_address

from hypothesis import given
from hypothesis import strategies as st

from cn2.state.next_hop import DISCARD, RECEIVE, NextHop
from cn2.state.route import Host
from cn2.state.row import Key, Row
from cn2.state.table import ORDER, Change, Delete, Put, Tables, diff
from cn2.state.verdict import Verdict
from cn2.state.vif import Vif

MAC = bytes.fromhex("020000000001")


def pod(index: int, vrf: int = 1) -> list[Row]:
    """Rows of one pod, in the wrong order."""
    hop = NextHop.local(index, vrf, MAC)
    address = ip_address(f"10.0.0.{index}")
    return [Vif(ifindex=index, vrf=vrf, mac=MAC), Host.of(vrf, address, hop.id), hop]


class Kernel:
    """Applies changes to rows by key, as maps do."""

    def __init__(self, rows: list[Row]) -> None:
        self.rows: dict[tuple[type[Row], Key], Row] = {(type(r), r.key): r for r in rows}

    def apply(self, changes: list[Change]) -> None:
        for change in changes:
            key = type(change.row), change.row.key
            if isinstance(change, Put):
                self.rows[key] = change.row
            else:
                del self.rows[key]


ROWS = st.lists(
    st.one_of(
        st.builds(pod, st.integers(2, 9), st.integers(1, 3)).map(tuple),
        st.sampled_from([(DISCARD,), (RECEIVE,)]),
    )
).map(lambda groups: [row for group in groups for row in group])


@given(ROWS, ROWS)
def test_pending_work_turns_any_rows_into_any_others(had: list[Row], wanted: list[Row]) -> None:
    kernel, tables = Kernel(had), Tables()
    tables.learn(kernel.rows.values())
    tables.want_only(wanted)
    changes = tables.pending()
    kernel.apply(changes)
    tables.done(changes)

    assert kernel.rows == {(type(r), r.key): r for r in wanted}
    assert tables.pending() == []


@given(ROWS, ROWS)
def test_no_work_is_done_for_rows_that_are_right(had: list[Row], wanted: list[Row]) -> None:
    kernel, tables = Kernel(had), Tables()
    tables.learn(kernel.rows.values())
    tables.want_only(wanted)

    for change in tables.pending():
        present = kernel.rows.get((type(change.row), change.row.key))
        assert present is not None if isinstance(change, Delete) else present != change.row


@given(st.lists(st.tuples(st.booleans(), ROWS)))
def test_step_by_step_comes_to_the_same_as_all_at_once(steps: list[tuple[bool, list[Row]]]) -> None:
    by_step, wanted = Tables(), {}
    for add, rows in steps:
        if add:
            by_step.want(*rows)
            wanted.update({(type(r), r.key): r for r in rows})
        else:
            by_step.unwant(*rows)
            for row in rows:
                wanted.pop((type(row), row.key), None)
    at_once = Tables()
    at_once.want_only(wanted.values())

    assert {c.row for c in by_step.pending()} == {c.row for c in at_once.pending()}


def test_rows_are_written_before_what_names_them_and_removed_after() -> None:
    tables = Tables()
    tables.want(*pod(5))
    written = tables.pending()
    tables.done(written)
    tables.unwant(*pod(5))
    removed = tables.pending()

    assert [type(c.row) for c in written] == [NextHop, Host, Vif]
    assert [type(c.row) for c in removed] == [Vif, Host, NextHop]


def test_new_rows_are_written_before_old_ones_are_removed() -> None:
    tables = Tables()
    tables.learn(pod(5))
    tables.want_only(pod(6))

    kinds = [type(change) for change in tables.pending()]
    assert kinds == [Put] * 3 + [Delete] * 3


def test_a_failed_driver_reads_again_and_only_the_rest_is_left() -> None:
    tables = Tables()
    tables.want(*pod(5))
    kernel = Kernel([])
    kernel.apply(tables.pending()[:1])
    tables.learn(kernel.rows.values())

    assert [type(c.row) for c in tables.pending()] == [Host, Vif]


def test_a_removal_carries_the_row_that_was_there() -> None:
    tables = Tables()
    tables.learn([DISCARD])
    assert tables.pending() == [Delete(DISCARD)]


def test_views_of_desired_and_actual_rows() -> None:
    tables = Tables()
    tables.want(RECEIVE)
    tables.learn([DISCARD])

    assert list(tables.desired(NextHop).values()) == [RECEIVE]
    assert list(tables.actual(NextHop).values()) == [DISCARD]
    assert set(ORDER) >= {NextHop, Host, Vif}


def test_diff_of_one_table() -> None:
    old, new = NextHop(id=7, type=1), NextHop(id=7, type=2)
    changes = diff({(7,): new, (8,): RECEIVE}, {(7,): old, (9,): DISCARD})

    assert changes == [Put(new), Put(RECEIVE), Delete(DISCARD)]


def test_every_verdict_is_a_drop_or_not_and_says_what_it_means() -> None:
    passed = {each for each in Verdict if not each.is_drop}

    assert {each.name.split("_")[0] for each in passed} == {"FORWARD", "ANSWER"}
    assert all(each.meaning for each in Verdict)
    assert [Verdict.of(each.value) for each in Verdict] == list(Verdict)
    assert [each.value for each in Verdict] == list(range(len(Verdict)))
