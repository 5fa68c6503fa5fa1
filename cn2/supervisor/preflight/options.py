"""Whether the options of `cn2 up` can work. Pure."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from cn2.supervisor.layout import Layout
from cn2.supervisor.preflight.finding import Finding
from cn2.supervisor.settings import Settings

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_LONGEST_LABEL = 63
"""Characters of a namespace's name, and of a label's value, which a node's name becomes."""
_LONGEST_SOCKET = 107
"""Bytes of a unix socket's path (unix(7))."""
_LONGEST_PORT = 65535
_SMALLEST_V6 = 120
"""The longest prefix that still leaves room for a node's pods."""
_UID = "0" * 36
_ANOTHER_NODE = f"take one such as {Settings().node_address}"
_ANOTHER_V6 = "take one such as fd00:244::/64"


def wrong(layout: Layout, settings: Settings) -> list[Finding]:
    """Everything that is wrong with the options, in terms of the options."""
    return [
        *_names(settings),
        *_port(settings),
        *_node_address(settings),
        *_pod_v6_subnet(settings.pod_v6_subnet),
        *_directory(layout, settings),
    ]


def differing(known: Settings | None, settings: Settings) -> list[Finding]:
    """Options that a system which exists already was made with otherwise: its objects and its
    certificates carry them."""
    if known is None:
        return []
    return [
        Finding(
            f"This system was made with --{option.replace('_', '-')} {before or repr('')}, not "
            f"{now or repr('')}",
            "leave the option out, or start another system with --data-dir",
        )
        for option in ("cluster_name", "node_name", "node_address", "pod_v6_subnet")
        if (before := getattr(known, option)) != (now := getattr(settings, option))
    ]


def _names(settings: Settings) -> Iterator[Finding]:
    for option, name in (("cluster", settings.cluster_name), ("node", settings.node_name)):
        if not _NAME.fullmatch(name):
            yield Finding(
                f"--{option}-name {name!r} is not a name",
                "use small letters, digits, dashes and dots, and begin and end it with a letter "
                "or a digit",
            )
        room = _LONGEST_LABEL if option == "node" else _LONGEST_LABEL - _around_cluster_name()
        if len(name) > room:
            yield Finding(
                f"--{option}-name has {len(name)} characters", f"{room} are possible, shorten it"
            )


def _around_cluster_name() -> int:
    return len(Settings(cluster_name="").cluster_namespace)


def _port(settings: Settings) -> Iterator[Finding]:
    if not 0 <= settings.port <= _LONGEST_PORT:
        yield Finding(
            f"--port {settings.port} is not a port",
            f"take one from 1 to {_LONGEST_PORT}, or 0 for a free one",
        )


def _node_address(settings: Settings) -> Iterator[Finding]:
    said = f"--node-address {settings.node_address!r}"
    try:
        address = ipaddress.IPv4Address(settings.node_address)
    except ValueError:
        yield Finding(f"{said} is not an IPv4 address", _ANOTHER_NODE)
        return
    if (
        address.is_loopback
        or address.is_multicast
        or address.is_reserved
        or int(address) >> 24 == 0
    ):
        yield Finding(f"{said} is not the address of a host", _ANOTHER_NODE)
        return
    underlay = settings.underlay
    if address in (underlay.network_address, underlay.broadcast_address):
        yield Finding(
            f"{said} is the first or last address of {underlay}", "take another one of it"
        )
    for what, block in (
        ("pods", settings.pod_v4_subnet),
        ("services", settings.service_v4_subnet),
    ):
        if underlay.overlaps(ipaddress.IPv4Network(block)):
            yield Finding(
                f"{said} lies in {underlay}, which overlaps {block} of the {what}", _ANOTHER_NODE
            )


def _pod_v6_subnet(text: str) -> Iterator[Finding]:
    if not text:
        return
    said = f"--pod-v6-subnet {text!r}"
    try:
        network = ipaddress.IPv6Interface(text).network
    except ValueError:
        yield Finding(f"{said} is not an IPv6 subnet", _ANOTHER_V6)
        return
    if "/" not in text:
        yield Finding(f"{said} has no prefix length", _ANOTHER_V6)
    elif str(network.network_address) != str(ipaddress.IPv6Address(text.partition("/")[0])):
        yield Finding(f"{said} has host bits set", f"the subnet is {network}")
    elif network.prefixlen > _SMALLEST_V6:
        yield Finding(f"{said} is too small", f"take a /{_SMALLEST_V6} or larger")
    elif network.is_multicast or network.is_link_local or network.network_address.is_unspecified:
        yield Finding(f"{said} is not for hosts", _ANOTHER_V6)


def _directory(layout: Layout, settings: Settings) -> Iterator[Finding]:
    sockets = (
        layout.node(settings.node_name) / "podrunner.sock",
        layout.pods / _UID / "init.sock",
    )
    over = max(len(str(path).encode()) for path in sockets) - _LONGEST_SOCKET
    if over > 0:
        yield Finding(
            f"{layout.root} is {over} characters too long for unix sockets",
            "choose another --data-dir with a shorter path",
        )
