"""Address blocks, ids and usage as in the walkthrough (cn2-api.md 3.10)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cn2.net.prefix import Prefix, family_of, parse_address, parse_prefix, usage


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("10.1.1.0", "not a CIDR"),
        ("10.1.1.0/255.255.255.0", "not a CIDR"),
        ("10.1.1.0/024", "not a CIDR"),
        ("10.1.1.0/33", "at most 32"),
        ("fd00::/129", "at most 128"),
        ("10.1.1.1/24", "host bits set; the network is 10.1.1.0/24"),
        ("fd00::1/64", "host bits set"),
        ("10.1.1/24", "not an IP address"),
        ("", "not a CIDR"),
    ],
)
def test_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_prefix(text)


def test_a_v4_block() -> None:
    block = parse_prefix("23.1.1.0/24")
    assert (block.family, block.length, block.capacity) == ("v4", 24, 256)
    assert block.default_gateway == "23.1.1.1"
    assert block.reserved_ids() == (0, 255, 1)
    assert block.reserved_ids("23.1.1.254") == (0, 255, 254)
    assert block.address(2) == "23.1.1.2"
    assert block.id("23.1.1.2") == 2
    assert "23.1.1.9" in block
    assert "fd00::9" not in block


def test_a_pod_block_reserves_what_the_published_pool_shows() -> None:
    assert parse_prefix("10.232.0.0/14").reserved_ids() == (0, 262143, 1)


def test_a_v6_block() -> None:
    block = parse_prefix("2001:db8:1::/64")
    assert (block.family, block.capacity) == ("v6", 1 << 64)
    assert block.default_gateway == "2001:db8:1::1"


@pytest.mark.parametrize(
    ("text", "gateway", "reserved"),
    [
        ("10.0.0.0/31", "10.0.0.1", (0, 1)),
        ("10.0.0.0/32", "10.0.0.0", (0,)),
        ("fd00::/128", "fd00::", (0,)),
    ],
)
def test_tiny_blocks_reserve_only_what_exists(
    text: str, gateway: str, reserved: tuple[int, ...]
) -> None:
    block = parse_prefix(text)
    assert block.default_gateway == gateway
    assert block.reserved_ids() == reserved


def test_ids_outside_are_refused() -> None:
    block = parse_prefix("10.0.0.0/30")
    with pytest.raises(ValueError, match="no address with id 4"):
        block.address(4)
    with pytest.raises(ValueError, match="not in"):
        block.id("10.0.0.4")


@pytest.mark.parametrize(
    ("count", "capacity", "text"),
    [(3, 256, "1.17%"), (4, 256, "1.56%"), (3, 4096, "0.07%"), (3, 1 << 64, "0.00%")],
)
def test_usage_as_published(count: int, capacity: int, text: str) -> None:
    assert usage(count, capacity) == text


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("10.0.0.0/8", True),
        ("2001:db8::/32", True),
        ("100.64.0.0/10", True),
        ("127.1.0.0/16", False),
        ("239.0.0.0/24", False),
        ("0.0.0.0/0", False),
        ("fe80::/64", False),
        ("ff02::/16", False),
    ],
)
def test_blocks_that_interfaces_can_have(text: str, good: bool) -> None:
    assert parse_prefix(text).for_hosts is good


def test_overlap_needs_one_family() -> None:
    assert parse_prefix("10.0.0.0/8").overlaps(parse_prefix("10.9.0.0/16"))
    assert not parse_prefix("10.0.0.0/8").overlaps(parse_prefix("11.0.0.0/8"))
    assert not parse_prefix("0.0.0.0/0").overlaps(parse_prefix("::/0"))


def test_addresses() -> None:
    assert family_of("10.0.0.1") == "v4"
    assert family_of("fe80::1") == "v6"
    with pytest.raises(ValueError, match="zone"):
        parse_address("fe80::1%eth0")


@given(st.ip_addresses(), st.data())
def test_id_and_address_are_inverse(address: object, data: st.DataObject) -> None:
    bits = 32 if ":" not in str(address) else 128
    length = data.draw(st.integers(0, bits))
    from ipaddress import ip_network

    block: Prefix = parse_prefix(str(ip_network(f"{address}/{length}", strict=False)))
    assert block.address(block.id(str(address))) == str(address)
