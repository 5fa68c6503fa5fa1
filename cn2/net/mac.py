"""Ethernet addresses as text."""

from __future__ import annotations

import re

_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}", re.IGNORECASE)


def parse_mac(text: str) -> bytes:
    """Six bytes of `aa:bb:cc:dd:ee:ff`; ValueError when it is not of that form."""
    if not _MAC.fullmatch(text):
        raise ValueError(f"not a MAC address: {text!r} (want aa:bb:cc:dd:ee:ff)")
    return bytes.fromhex(text.replace(":", ""))


def format_mac(mac: bytes) -> str:
    """Six bytes as lower-case `aa:bb:cc:dd:ee:ff`."""
    if len(mac) != 6:
        raise ValueError(f"a MAC address has 6 bytes, not {len(mac)}")
    return mac.hex(":")


def parse_interface_mac(text: str) -> bytes:
    """As parse_mac, for an address that one interface may own: no group bit, not all zero."""
    mac = parse_mac(text)
    if mac[0] & 1:
        raise ValueError(f"{text!r} is a group address, not that of one interface")
    if not any(mac):
        raise ValueError(f"{text!r} is the zero address")
    return mac
