"""BGP route targets as people write them: `target:A:B` (RFC 4360, RFC 5668).

Eight bytes on the wire leave room for six: a 2-octet AS with a 32-bit number, or an IPv4 address
or a 4-octet AS with a 16-bit number.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address

from cn2.net.names import route_target_name

MAX_SHORT_AS = 0xFFFF
MAX_LONG_AS = 0xFFFFFFFF
MAX_SHORT_NUMBER = 0xFFFF
MAX_LONG_NUMBER = 0xFFFFFFFF

_FORM = re.compile(r"target:([^:]+):([^:]+)")
_NUMBER = re.compile(r"0|[1-9][0-9]*")


@dataclass(frozen=True, slots=True, order=True)
class RouteTarget:
    """One route target; `administrator` is the AS number or the IPv4 address as text."""

    administrator: str
    number: int

    def __str__(self) -> str:
        return f"target:{self.administrator}:{self.number}"

    @property
    def name(self) -> str:
        """The name of its RouteTarget object."""
        return route_target_name(str(self))


def parse_route_target(text: str) -> RouteTarget:
    """Read `target:A:B`; ValueError says what is wrong. Leading zeros are refused, so that one
    route target has one spelling and one object."""
    match = _FORM.fullmatch(text)
    if not match:
        raise ValueError(f"{text!r} is not of the form target:A:B")
    administrator, number_text = match.groups()
    limit = _number_limit(text, administrator)
    if not _NUMBER.fullmatch(number_text):
        raise ValueError(f"{text!r}: {number_text!r} is not a decimal number")
    number = int(number_text)
    if number > limit:
        raise ValueError(f"{text!r}: the number after {administrator} is at most {limit}")
    return RouteTarget(administrator, number)


def _number_limit(text: str, administrator: str) -> int:
    if "." in administrator:
        try:
            IPv4Address(administrator)
        except AddressValueError as error:
            raise ValueError(f"{text!r}: {error}") from None
        return MAX_SHORT_NUMBER
    if not _NUMBER.fullmatch(administrator):
        raise ValueError(f"{text!r}: {administrator!r} is neither an AS number nor an IPv4 address")
    number = int(administrator)
    if not 1 <= number <= MAX_LONG_AS:
        raise ValueError(f"{text!r}: an AS number is between 1 and {MAX_LONG_AS}")
    return MAX_LONG_NUMBER if number <= MAX_SHORT_AS else MAX_SHORT_NUMBER


def route_target_of_name(name: str) -> RouteTarget:
    """The route target of a RouteTarget object's name, `target-A-B`."""
    return parse_route_target(name.replace("-", ":"))


AUTOMATIC_BASE = 8_000_000
"""First number of automatic route targets, and first id of their pool (cn2-api.md 3.9)."""
AUTOMATIC_SHORT_BASE = 8_000
"""First number where an AS needs four octets and leaves 16 bits for the number."""


def is_automatic(target: RouteTarget, asn: int) -> bool:
    """Whether a route target is one that the system under this AS number may give to a network."""
    base = AUTOMATIC_BASE if asn <= MAX_SHORT_AS else AUTOMATIC_SHORT_BASE
    return target.administrator == str(asn) and target.number >= base


def automatic(asn: int, id: int) -> RouteTarget:
    """The automatic route target with this pool id (from 8000000) under an AS number."""
    base = AUTOMATIC_BASE if asn <= MAX_SHORT_AS else AUTOMATIC_SHORT_BASE
    return parse_route_target(f"target:{asn}:{id - AUTOMATIC_BASE + base}")


def automatic_id(target: RouteTarget) -> int:
    """The pool id of an automatic route target; the inverse of `automatic`."""
    if target.administrator.isdigit() and int(target.administrator) > MAX_SHORT_AS:
        return target.number - AUTOMATIC_SHORT_BASE + AUTOMATIC_BASE
    return target.number
