"""Address blocks: what a Subnet's CIDR means in addresses, ids and percentages (cn2-api.md 3.10).

An address's id is its offset from the network address; that is what is claimed in the store.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import (
    AddressValueError,
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    NetmaskValueError,
    ip_address,
)

_CIDR = re.compile(r"([0-9a-fA-F:.]+)/(0|[1-9][0-9]{0,2})")

V4 = "v4"
V6 = "v6"

_NOT_FOR_HOSTS: dict[str, tuple[IPv4Network | IPv6Network, ...]] = {
    V4: (IPv4Network("0.0.0.0/8"), IPv4Network("127.0.0.0/8"), IPv4Network("224.0.0.0/4")),
    V6: (IPv6Network("::/127"), IPv6Network("fe80::/10"), IPv6Network("ff00::/8")),
}
"""This host, loopback, link-local and multicast (RFC 6890, RFC 4291)."""

_REMEMBERED = 4096
"""The same few blocks and addresses are read again and again."""


@dataclass(frozen=True, slots=True)
class Prefix:
    """One block of addresses of one family."""

    network: IPv4Network | IPv6Network

    def __str__(self) -> str:
        return str(self.network)

    @property
    def family(self) -> str:
        """`v4` or `v6`."""
        return V4 if self.network.version == 4 else V6

    @property
    def length(self) -> int:
        """Bits of the prefix."""
        return self.network.prefixlen

    @property
    def capacity(self) -> int:
        """How many addresses there are, the reserved ones included."""
        return int(self.network.num_addresses)

    @property
    def for_hosts(self) -> bool:
        """Whether interfaces can have these addresses: none is of the own host, link or a group."""
        return not any(self.network.overlaps(one) for one in _NOT_FOR_HOSTS[self.family])

    @property
    def default_gateway(self) -> str:
        """The first host address, or the only one of a /32 or /128."""
        return self.address(min(1, self.capacity - 1))

    def address(self, id: int) -> str:
        """The address with this id; ValueError outside the block."""
        if not 0 <= id < self.capacity:
            raise ValueError(f"{self} has no address with id {id}")
        return str(self.network[id])

    def id(self, address: str) -> int:
        """The id of an address; ValueError when it is not in the block."""
        parsed = parse_address(address)
        if parsed not in self.network:
            raise ValueError(f"{address} is not in {self}")
        return int(parsed) - int(self.network.network_address)

    def __contains__(self, address: str) -> bool:
        return parse_address(address) in self.network

    def reserved_ids(self, gateway: str = "") -> tuple[int, ...]:
        """Ids that are never given out: the network's, the last one, the gateway's. Fewer in a
        block that has fewer (/31, /32). The order is that of CN2's Pool objects."""
        wanted = (0, self.capacity - 1, self.id(gateway or self.default_gateway))
        return tuple(dict.fromkeys(wanted))

    def overlaps(self, other: Prefix) -> bool:
        """Whether any address is in both."""
        if isinstance(self.network, IPv4Network):
            return isinstance(other.network, IPv4Network) and self.network.overlaps(other.network)
        return isinstance(other.network, IPv6Network) and self.network.overlaps(other.network)


@lru_cache(maxsize=_REMEMBERED)
def parse_prefix(text: str) -> Prefix:
    """Read `address/length`; ValueError when it is no CIDR or has bits set behind the length."""
    match = _CIDR.fullmatch(text)
    if not match:
        raise ValueError(f"{text!r} is not a CIDR (want address/length)")
    address, length = match.groups()
    parsed = parse_address(address)
    bits = int(length)
    if bits > parsed.max_prefixlen:
        raise ValueError(f"{text!r}: the length is at most {parsed.max_prefixlen}")
    network: IPv4Network | IPv6Network
    try:
        if isinstance(parsed, IPv4Address):
            network = IPv4Network((parsed, bits), strict=False)
        else:
            network = IPv6Network((parsed, bits), strict=False)
    except (AddressValueError, NetmaskValueError) as error:
        raise ValueError(f"{text!r}: {error}") from None
    if network.network_address != parsed:
        raise ValueError(f"{text!r} has host bits set; the network is {network}")
    return Prefix(network)


@lru_cache(maxsize=_REMEMBERED)
def parse_address(text: str) -> IPv4Address | IPv6Address:
    """Read one IPv4 or IPv6 address without a zone; ValueError otherwise."""
    try:
        address = ip_address(text)
    except ValueError:
        raise ValueError(f"{text!r} is not an IP address") from None
    if isinstance(address, IPv6Address) and address.scope_id is not None:
        raise ValueError(f"{text!r}: an address with a zone is not allowed here")
    return address


def family_of(address: str) -> str:
    """`v4` or `v6`."""
    return V4 if parse_address(address).version == 4 else V6


def usage(count: int, capacity: int) -> str:
    """`allocationUsage` of a Subnet: percent with two decimals, e.g. `1.17%` for 3 of 256."""
    return f"{100 * count / capacity:.2f}%"
