"""The string formats that a schema may name (`format: cidr`, ...), as Kubernetes checks them.

Unknown formats are not checked, as in Kubernetes.
"""

from __future__ import annotations

import binascii
import ipaddress
import re
import uuid
from collections.abc import Callable
from datetime import datetime

_DATE_TIME = re.compile(r"^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$")
_DURATION = re.compile(r"^[+-]?(\d+(\.\d*)?(ns|us|µs|ms|s|m|h))+$|^0$")
_MAC = re.compile(r"^([0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}$")
_HOSTNAME = re.compile(r"^[A-Za-z0-9]([A-Za-z0-9-]{0,62})(\.[A-Za-z0-9]([A-Za-z0-9-]{0,62}))*\.?$")

INTEGER_BOUNDS = {"int32": (-(1 << 31), (1 << 31) - 1), "int64": (-(1 << 63), (1 << 63) - 1)}
"""Inclusive bounds of the integer formats."""


def _parses(parse: Callable[[str], object]) -> Callable[[str], bool]:
    def check(text: str) -> bool:
        try:
            parse(text)
        except ValueError:
            return False
        return True

    return check


def _cidr(text: str) -> object:
    address, slash, length = text.partition("/")
    if not slash or not length.isdecimal():
        raise ValueError(text)
    return ipaddress.ip_network(text, strict=False), ipaddress.ip_address(address)


def _date_time(text: str) -> object:
    if not _DATE_TIME.match(text):
        raise ValueError(text)
    return datetime.fromisoformat(text.upper().replace("Z", "+00:00"))


def _date(text: str) -> object:
    return datetime.strptime(text, "%Y-%m-%d")


def _byte(text: str) -> object:
    return binascii.a2b_base64(text.encode("ascii", "strict"), strict_mode=True)


def _byte_or_empty(text: str) -> bool:
    return not text or _parses(_byte)(text)


STRING_FORMATS: dict[str, Callable[[str], bool]] = {
    "ip": _parses(ipaddress.ip_address),
    "ipv4": _parses(ipaddress.IPv4Address),
    "ipv6": _parses(ipaddress.IPv6Address),
    "cidr": _parses(_cidr),
    "mac": lambda text: bool(_MAC.match(text)),
    "date-time": _parses(_date_time),
    "datetime": _parses(_date_time),
    "date": _parses(_date),
    "duration": lambda text: bool(_DURATION.match(text)),
    "hostname": lambda text: len(text) <= 255 and bool(_HOSTNAME.match(text)),
    "uuid": _parses(uuid.UUID),
    "byte": _byte_or_empty,
}
"""Format name to a predicate over the text."""
