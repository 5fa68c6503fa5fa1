"""Rows as bytes."""

from __future__ import annotations

import struct
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cn2.state.bridge import FLOOD_CHUNKS, FLOOD_MEMBERS, Flood, flood
from cn2.state.flow import Flow4, Flow6
from cn2.state.next_hop import LOCAL_BASE, PROXY_MAC, NextHop
from cn2.state.route import Fib4, Fib6, Host, route
from cn2.state.row import Row, pack_ip, unpack_ip
from cn2.state.table import ORDER
from cn2.state.vif import AllowedAddress, Vif

NUMBER = {"B": 8, "H": 16, "I": 32, "Q": 64}


def values(code: str) -> st.SearchStrategy[object]:
    """Any value of a member with this code."""
    if code[-1] == "s":
        size = int(code[:-1])
        return st.binary(min_size=size, max_size=size)
    number = st.integers(0, 2 ** NUMBER[code[-1]] - 1)
    return number if len(code) == 1 else st.tuples(*[number] * int(code[:-1]))


def rows(kind: type[Row]) -> st.SearchStrategy[Row]:
    layout = kind.LAYOUT
    names = (*layout.key.names, *layout.value.names)
    codes = (*layout.key.codes, *layout.value.codes)
    return st.builds(kind, **{n: values(c) for n, c in zip(names, codes, strict=True)})


@given(st.sampled_from((*ORDER, Flow4, Flow6)).flatmap(rows))
def test_every_row_survives_its_bytes(row: Row) -> None:
    assert type(row).unpack(row.pack_key(), row.pack_value()) == row
    assert len(row.pack_key()) == row.LAYOUT.key.size
    assert len(row.pack_value()) == row.LAYOUT.value.size


@given(st.ip_addresses())
def test_every_address_survives_its_sixteen_bytes(address: IPv4Address | IPv6Address) -> None:
    if address.version == 6 and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    assert unpack_ip(pack_ip(address)) == address


def test_the_key_is_the_first_fields_in_order() -> None:
    row = Host(vrf=7, ip=bytes(16), nh=9)

    assert row.key == (7, bytes(16))
    assert NextHop(id=3, type=1).key == (3,)


def test_a_row_that_cannot_be_encoded_says_so() -> None:
    with pytest.raises(struct.error):
        Vif(ifindex=1, vrf=-1, mac=bytes(6)).pack_value()


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        ("10.0.0.7/32", Host(vrf=5, ip=pack_ip(ip_address("10.0.0.7")), nh=9)),
        ("fd00::7/128", Host(vrf=5, ip=ip_address("fd00::7").packed, nh=9)),
        ("10.0.0.0/8", Fib4(plen=40, vrf=5, ip=bytes([10, 0, 0, 0]), nh=9)),
        ("0.0.0.0/0", Fib4(plen=32, vrf=5, ip=bytes(4), nh=9)),
        ("fd00::/64", Fib6(plen=96, vrf=5, ip=ip_address("fd00::").packed, nh=9)),
    ],
)
def test_a_route_is_in_the_table_of_its_length(prefix: str, expected: Row) -> None:
    assert route(5, ip_network(prefix), 9) == expected


def test_an_allowed_prefix_counts_its_interface_and_the_mapped_bits() -> None:
    assert AllowedAddress.of(4, ip_network("10.0.0.0/24")).plen == 32 + 96 + 24
    assert AllowedAddress.of(4, ip_network("fd00::/64")).plen == 32 + 64


def test_a_local_next_hop_is_numbered_by_its_interface() -> None:
    hop = NextHop.local(12, 5, b"\x02\0\0\0\0\x01")

    assert (hop.id, hop.ifindex, hop.vrf) == (LOCAL_BASE + 12, 12, 5)
    assert (hop.dmac, hop.smac) == (b"\x02\0\0\0\0\x01", PROXY_MAC)


@given(st.sets(st.integers(1, 2**32 - 1), max_size=200))
def test_a_flood_list_holds_every_member_once_in_full_chunks(members: set[int]) -> None:
    chunks = list(flood(3, members))

    assert [m for chunk in chunks for m in chunk.member[: chunk.n]] == sorted(members)
    assert [chunk.chunk for chunk in chunks] == list(range(len(chunks)))
    assert all(chunk.n == FLOOD_MEMBERS for chunk in chunks[:-1])


def test_the_order_of_members_changes_no_row() -> None:
    assert list(flood(3, [5, 9, 7])) == list(flood(3, [9, 7, 5]))
    assert isinstance(next(flood(3, [5])), Flood)


def test_a_flood_list_that_the_datapath_cannot_copy_is_refused() -> None:
    with pytest.raises(ValueError, match="1025 members"):
        list(flood(3, range(FLOOD_MEMBERS * FLOOD_CHUNKS + 1)))
