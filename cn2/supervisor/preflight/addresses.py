"""Blocks of ours that the machine uses, too.

Everything of a system is in namespaces of its own, so an overlap disturbs nothing that runs: what
overlaps is only what pods can't reach. Hence warnings, never a refusal.
"""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Iterator
from pathlib import Path

from cn2.supervisor.preflight.finding import Finding
from cn2.supervisor.settings import Settings

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Route = tuple[Network, str]
"""A destination and the interface that it is reached by."""


def findings(settings: Settings) -> Iterator[Finding]:
    """The machine's own routes that overlap."""
    blocks: dict[str, Network] = {
        "pods": ipaddress.ip_network(settings.pod_v4_subnet),
        "services": ipaddress.ip_network(settings.service_v4_subnet),
        "underlay": settings.underlay,
    }
    if settings.pod_v6_subnet:
        blocks["pods "] = ipaddress.ip_network(settings.pod_v6_subnet)
    yield from overlaps(blocks, [*_machines()])


def overlaps(blocks: dict[str, Network], routes: list[Route]) -> Iterator[Finding]:
    """One finding for each block that a route overlaps."""
    for what, block in blocks.items():
        met = [
            (str(network), device)
            for network, device in routes
            if network.version == block.version and network.overlaps(block)
        ]
        if met:
            named = ", ".join(f"{network} by {device}" for network, device in met)
            yield Finding(
                f"{block} of the {what.strip()} overlaps what this machine reaches: {named}",
                "nothing of the machine changes, but pods won't reach that network",
                stops=False,
            )


def _machines() -> Iterator[Route]:
    for path, parse in (("/proc/net/route", v4_routes), ("/proc/net/ipv6_route", v6_routes)):
        if Path(path).exists():
            yield from parse(Path(path).read_text())


def v4_routes(table: str) -> Iterator[Route]:
    """The routes in a /proc/net/route, without default ones."""
    for line in table.splitlines()[1:]:
        fields = line.split()
        destination, mask = (
            ipaddress.IPv4Address(struct.pack("=I", int(fields[column], 16))) for column in (1, 7)
        )
        if int(mask):
            yield ipaddress.IPv4Network(f"{destination}/{mask}"), fields[0]


def v6_routes(table: str) -> Iterator[Route]:
    """The routes in a /proc/net/ipv6_route, without default, multicast and link-local ones."""
    for line in table.splitlines():
        fields = line.split()
        address = ipaddress.IPv6Address(int(fields[0], 16))
        length = int(fields[1], 16)
        if length and not address.is_multicast and not address.is_link_local:
            yield ipaddress.IPv6Network((address, length)), fields[9]
