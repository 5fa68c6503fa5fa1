"""The three forms of a route target and their ranges (RFC 4360, RFC 5668)."""

from __future__ import annotations

import pytest

from cn2.net.mac import format_mac, parse_interface_mac, parse_mac
from cn2.net.route_target import (
    automatic,
    automatic_id,
    parse_route_target,
    route_target_of_name,
)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("target:23:4561", "target-23-4561"),
        ("target:10.1.1.1:561", "target-10.1.1.1-561"),
        ("target:64512:8000009", "target-64512-8000009"),
        ("target:65535:4294967295", "target-65535-4294967295"),
        ("target:65536:65535", "target-65536-65535"),
        ("target:4200000000:0", "target-4200000000-0"),
    ],
)
def test_accepted(text: str, name: str) -> None:
    parsed = parse_route_target(text)
    assert str(parsed) == text
    assert parsed.name == name
    assert route_target_of_name(name) == parsed


@pytest.mark.parametrize(
    "text",
    [
        "",
        "23:4561",
        "target:23",
        "target:23:",
        "target:23:1:2",
        "target:023:1",
        "target:23:01",
        "target:0:1",
        "target:-1:1",
        "target:23:4294967296",
        "target:65536:65536",
        "target:4294967296:1",
        "target:10.1.1.1:65536",
        "target:10.1.1.256:1",
        "target:10.1.1:1",
        "target:x:1",
        " target:23:1",
        "target:23:1\n",
        "target:２３:1",
    ],
)
def test_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_route_target(text)


@pytest.mark.parametrize(
    ("asn", "id", "text"),
    [
        (64512, 8000009, "target:64512:8000009"),
        (4200000000, 8000009, "target:4200000000:8009"),
    ],
)
def test_automatic_numbers_fit_the_form(asn: int, id: int, text: str) -> None:
    made = automatic(asn, id)
    assert str(made) == text
    assert automatic_id(made) == id


def test_mac_addresses() -> None:
    assert parse_mac("02:11:8E:c0:2f:e0") == bytes.fromhex("02118ec02fe0")
    assert format_mac(bytes.fromhex("02118ec02fe0")) == "02:11:8e:c0:2f:e0"
    for text in ("02:11:8e:c0:2f", "02-11-8e-c0-2f-e0", "02:11:8e:c0:2f:e0\n"):
        with pytest.raises(ValueError):
            parse_mac(text)
    for text in ("01:00:5e:00:00:01", "ff:ff:ff:ff:ff:ff", "00:00:00:00:00:00"):
        with pytest.raises(ValueError):
            parse_interface_mac(text)
    with pytest.raises(ValueError):
        format_mac(b"\x02")
