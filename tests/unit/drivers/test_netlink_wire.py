"""Netlink messages as bytes, and what a pod's interface is told."""

from __future__ import annotations

import struct
from ipaddress import ip_address, ip_interface

from hypothesis import given
from hypothesis import strategies as st

from cn2.drivers.netlink import link
from cn2.drivers.netlink.wire import Message, attr, attributes, messages, nested, text, u32
from cn2.drivers.ports import inside_pod
from cn2.state.port import Port


@given(st.dictionaries(st.integers(0, 0x3FFF), st.binary(max_size=40)))
def test_attributes_survive_their_bytes(found: dict[int, bytes]) -> None:
    assert attributes(b"".join(attr(kind, data) for kind, data in found.items())) == found


def test_attributes_are_padded_and_nested_ones_marked() -> None:
    assert text(3, "ab") == b"\x07\0\x03\0ab\0\0"
    assert attributes(nested(18, u32(1, 7))) == {18: u32(1, 7)}
    assert nested(18)[3] & 0x80


def test_attributes_that_are_cut_short_end_the_list() -> None:
    assert attributes(u32(1, 7) + b"\x02\0\x05\0") == {1: struct.pack("=I", 7)}


@given(st.lists(st.binary(max_size=5).map(lambda data: data * 4), max_size=5))
def test_messages_survive_their_bytes(bodies: list[bytes]) -> None:
    packed = b"".join(Message("x", 16 + i, body).pack(i) for i, body in enumerate(bodies))
    found = [(kind, sequence, body) for kind, _, sequence, body in messages(packed)]

    assert found == [(16 + i, i, body) for i, body in enumerate(bodies)]


def port(**fields: object) -> Port:
    addresses = (ip_interface("172.16.10.2/24"), ip_interface("fd00::2/64"))
    gateways = (ip_address("172.16.10.1"), ip_address("fd00::1"))
    return Port(
        **{
            "host_name": "h",
            "name": "eth1",
            "mac": bytes(6),
            "mtu": 1500,
            "addresses": addresses,
            "gateways": gateways,
            **fields,
        }
    )


def told(of: Port) -> list[str]:
    return [message.what for message in inside_pod(of, 7)]


def test_the_primary_port_gets_the_default_routes() -> None:
    assert told(port(primary=True)) == [
        "link up",
        "link up",
        "add address 172.16.10.2/24",
        "add address fd00::2/64",
        "add default route 172.16.10.1",
        "add default route fd00::1",
    ]


def test_another_port_answers_by_its_own_table() -> None:
    assert told(port(table=101))[4:] == [
        "add route 172.16.10.0/24",
        "add default route 172.16.10.1",
        "add rule from 172.16.10.2",
        "add route fd00::/64",
        "add default route fd00::1",
        "add rule from fd00::2",
    ]


def test_a_port_without_table_or_gateway_gets_addresses_only() -> None:
    assert len(told(port())) == 4
    assert len(told(port(table=101, gateways=()))) == 4


def test_the_default_group_is_never_deleted_by_mistake() -> None:
    """Group 0 is every link that has no group."""
    (_, _, _, body) = next(messages(link.delete_group(0x636E32).pack(1)))
    assert attributes(body[16:]) == {27: struct.pack("=I", 0x636E32)}
