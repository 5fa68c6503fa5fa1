"""What a NetworkAttachmentDefinition asks for: its annotation `juniper.net/networks` (F02, F07)."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from cn2.net.prefix import parse_prefix
from cn2.net.route_target import parse_route_target

ANNOTATION = "juniper.net/networks"
STATUS_ANNOTATION = "juniper.net/networks-status"

_LISTS = ("routeTargetList", "importRouteTargetList", "exportRouteTargetList")
_SWITCHES = ("fabricSNAT", "fabricForwarding", "isProviderNetwork")
_CHOICES = {"forwardingMode": ("l2_l3", "l2", "l3"), "rpf": ("enable", "disable")}


@dataclass(frozen=True, slots=True)
class Block:
    """One family's addresses."""

    cidr: str
    gateway: str


@dataclass(frozen=True, slots=True)
class Intent:
    """A network as somebody asked for it."""

    blocks: dict[str, Block] = field(default_factory=dict)
    """By family, `v4` before `v6`."""
    lists: dict[str, list[str]] = field(default_factory=dict)
    """Route targets by field name; only lists that have any."""
    switches: dict[str, bool] = field(default_factory=dict)
    """By field name; only what was given."""
    properties: dict[str, str] = field(default_factory=dict)
    """Of virtualNetworkProperties; only what was given."""
    unknown: tuple[str, ...] = ()
    """Keys that mean nothing to us."""


def parse(text: str) -> Intent:
    """Read the annotation; ValueError is a sentence for the user."""
    try:
        asked = json.loads(text)
    except ValueError as error:
        raise ValueError(f"{ANNOTATION} is not valid JSON: {error}") from None
    if not isinstance(asked, dict):
        raise ValueError(f"{ANNOTATION} is not a JSON object")
    properties = asked.pop("virtualNetworkProperties", None) or {}
    if not isinstance(properties, dict):
        raise ValueError("virtualNetworkProperties is not an object")
    for name in _CHOICES:
        if name in asked:
            properties[name] = asked.pop(name)
    blocks = {}
    for family in ("v4", "v6"):
        cidr = asked.pop(f"ipam{family.upper()}Subnet", None)
        gateway = asked.pop(f"ipam{family.upper()}Gateway", None)
        if cidr is not None:
            blocks[family] = _block(family, cidr, gateway)
    return Intent(
        blocks=blocks,
        lists=_lists(asked),
        switches=_switches(asked),
        properties=_properties(properties),
        unknown=tuple(sorted(asked)),
    )


def _block(family: str, cidr: Any, gateway: Any) -> Block:
    name = f"ipam{family.upper()}Subnet"
    if not isinstance(cidr, str):
        raise ValueError(f"{name} is not a string")
    try:
        prefix = parse_prefix(cidr)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
    if prefix.family != family:
        raise ValueError(f"{name}: {cidr!r} is not of family {family}")
    if not prefix.for_hosts:
        raise ValueError(f"{name}: {cidr!r} has addresses that no interface can have")
    if gateway is None:
        return Block(str(prefix), prefix.default_gateway)
    try:
        inside = isinstance(gateway, str) and gateway in prefix
    except ValueError as error:
        raise ValueError(f"ipam{family.upper()}Gateway: {error}") from None
    if not inside:
        raise ValueError(f"ipam{family.upper()}Gateway: {gateway!r} is not in {prefix}")
    if prefix.capacity > 2 and prefix.id(gateway) in (0, prefix.capacity - 1):
        raise ValueError(f"ipam{family.upper()}Gateway: {gateway!r} is no host of {prefix}")
    return Block(str(prefix), gateway)


def _lists(asked: dict[str, Any]) -> dict[str, list[str]]:
    found = {}
    for name in _LISTS:
        value = asked.pop(name, None) or []
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise ValueError(f"{name} is not a list of strings")
        for one in value:
            try:
                parse_route_target(one)
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from None
        if value:
            found[name] = list(dict.fromkeys(value))
    return found


def _switches(asked: dict[str, Any]) -> dict[str, bool]:
    found = {}
    for name in _SWITCHES:
        if name in asked:
            value = asked.pop(name)
            if not isinstance(value, bool):
                raise ValueError(f"{name} is neither true nor false")
            found[name] = value
    if found.get("fabricForwarding") and found.get("isProviderNetwork"):
        raise ValueError("fabricForwarding and isProviderNetwork exclude each other")
    return found


def _properties(asked: dict[str, Any]) -> dict[str, str]:
    for name, value in asked.items():
        choices = _CHOICES.get(name)
        if choices is None:
            raise ValueError(f"virtualNetworkProperties has no {name!r}")
        if value not in choices:
            raise ValueError(f"{name}: {value!r} is none of {', '.join(choices)}")
    return dict(asked)


def success_text(name: str, intent: Intent) -> str:
    """The annotation on success: byte for byte CN2's, with the space at the end."""
    blocks = "".join(f"{family}Subnet: {block.cidr} " for family, block in intent.blocks.items())
    return f"success creating VirtualNetwork {name} {blocks}"


def failure_text(name: str, reason: str) -> str:
    return f"failed creating VirtualNetwork {name}: {reason}"
