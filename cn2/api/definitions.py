"""What a NetworkAttachmentDefinition asks for: its annotation `juniper.net/networks` (F02, F07)."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from cn2.api import json_text
from cn2.api.kind import FieldError
from cn2.api.schema_checks import invalid, not_supported, type_name, without_value
from cn2.net.prefix import Prefix, parse_prefix
from cn2.net.route_target import parse_route_target

ANNOTATION = "juniper.net/networks"
STATUS_ANNOTATION = "juniper.net/networks-status"
PATH = f"metadata.annotations[{ANNOTATION}]"

LISTS = ("routeTargetList", "importRouteTargetList", "exportRouteTargetList")
_NAMED = 10
_SWITCHES = ("fabricSNAT", "fabricForwarding", "isProviderNetwork")
_CHOICES = {"forwardingMode": ("l2_l3", "l2", "l3"), "rpf": ("enable", "disable")}
_PROPERTIES = "virtualNetworkProperties"
_KEYS = (
    *("ipamV4Subnet", "ipamV4Gateway", "ipamV6Subnet", "ipamV6Gateway"),
    *(*LISTS, *_SWITCHES, *_CHOICES, _PROPERTIES),
)


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
    intent, errors = read(text)
    if errors:
        first = errors[0]
        where = first.field.removeprefix(PATH).removeprefix(".") or ANNOTATION
        raise ValueError(f"{where}: {first.message}")
    return intent


def read(text: str) -> tuple[Intent, list[FieldError]]:
    """What the annotation asks for, and everything that is wrong with it."""
    try:
        asked = json_text.parse(text)
    except ValueError as error:
        return Intent(), [invalid(PATH, json_text.shown(text), str(error))]
    if not isinstance(asked, dict):
        detail = 'must be a JSON object, such as {"ipamV4Subnet": "172.16.10.0/24"}'
        return Intent(), [invalid(PATH, json_text.shown(text), detail)]
    reader = _Reader(asked)
    intent = Intent(
        blocks=reader.blocks(),
        lists={name: found for name in LISTS if (found := reader.targets(name))},
        switches=reader.switches(),
        properties=reader.properties(),
        unknown=tuple(sorted(set(asked) - set(_KEYS))) + reader.unknown_properties(),
    )
    return intent, reader.errors


def suggestion(key: str) -> str:
    """A key that looks like one that was mistyped, "" for none."""
    by_case = {known.lower(): known for known in _KEYS}
    near = difflib.get_close_matches(key.rpartition(".")[2].lower(), by_case, n=1, cutoff=0.8)
    return by_case[near[0]] if near else ""


def unknown_text(unknown: Sequence[str]) -> str:
    """What is said of keys that mean nothing to us; not all of them when there are many."""
    said = [
        f"{key} (did you mean {near}?)" if (near := suggestion(key)) else key
        for key in map(json_text.shown, unknown[:_NAMED])
    ]
    more = len(unknown) - _NAMED
    rest = f" and {more} more" if more > 0 else ""
    return f"{ANNOTATION} has keys that are not known and have no effect: {', '.join(said)}{rest}"


class _Reader:
    """Reads the keys of one annotation and collects what is wrong."""

    def __init__(self, asked: dict[str, Any]) -> None:
        self.asked = {key: value for key, value in asked.items() if value is not None}
        self.errors: list[FieldError] = []

    def _typed(self, key: str, wanted: type) -> Any:
        """The value of a key when it has the type, None otherwise."""
        value = self.asked.get(key)
        if value is None or isinstance(value, wanted):
            return value
        self._refuse(key, value, f"must be {_TYPES[wanted]}, not {type_name(value)}")
        return None

    def _refuse(self, key: str, value: Any, detail: str) -> None:
        self.errors.append(invalid(f"{PATH}.{key}", value, detail))

    def _parsed(self, key: str, value: str, parse: Callable[[str], Any]) -> Any:
        try:
            return parse(value)
        except ValueError as error:
            self._refuse(key, value, without_value(str(error), value))
            return None

    def blocks(self) -> dict[str, Block]:
        found = {}
        for family in ("v4", "v6"):
            prefix = self._prefix(family)
            gateway = self._gateway(family, prefix)
            if prefix is not None:
                found[family] = Block(str(prefix), gateway or prefix.default_gateway)
        return found

    def _prefix(self, family: str) -> Prefix | None:
        key = f"ipam{family.upper()}Subnet"
        cidr = self._typed(key, str)
        if cidr is None:
            return None
        prefix: Prefix | None = self._parsed(key, cidr, parse_prefix)
        if prefix is None:
            return None
        if prefix.family != family:
            other = key.replace(family.upper(), prefix.family.upper())
            self._refuse(key, cidr, f"must be an IP{family} block: this one belongs into {other}")
        elif not prefix.for_hosts:
            self._refuse(key, cidr, "has addresses that no interface can have")
        return prefix

    def _gateway(self, family: str, prefix: Prefix | None) -> str:
        key, block = f"ipam{family.upper()}Gateway", f"ipam{family.upper()}Subnet"
        gateway = self._typed(key, str)
        if gateway is None:
            return ""
        if prefix is None:
            if block not in self.asked:
                self._refuse(key, gateway, f"needs {block} beside it")
            return ""
        problem = gateway_problem(gateway, prefix)
        if problem:
            self._refuse(key, gateway, problem)
        return str(gateway)

    def targets(self, key: str) -> list[str]:
        found: list[str] = []
        for index, one in enumerate(self._typed(key, list) or ()):
            where = f"{key}[{index}]"
            if not isinstance(one, str):
                self._refuse(where, one, f"must be a string, not {type_name(one)}")
            elif self._parsed(where, one, parse_route_target) is not None:
                found.append(one)
        return list(dict.fromkeys(found))

    def switches(self) -> dict[str, bool]:
        found = {key: value for key in _SWITCHES if (value := self._typed(key, bool)) is not None}
        if found.get("fabricForwarding") and found.get("isProviderNetwork"):
            self._refuse("fabricForwarding", True, "may not be set together with isProviderNetwork")
        return found

    def properties(self) -> dict[str, str]:
        nested = self._typed(_PROPERTIES, dict) or {}
        found: dict[str, str] = {}
        for key, choices in _CHOICES.items():
            for where, value in (
                (f"{_PROPERTIES}.{key}", nested.get(key)),
                (key, self.asked.get(key)),
            ):
                if value is None:
                    continue
                if value not in choices:
                    self.errors.append(not_supported(f"{PATH}.{where}", value, choices))
                elif found.setdefault(key, value) != value:
                    self._refuse(where, value, f"is {found[key]} in {_PROPERTIES}")
        return found

    def unknown_properties(self) -> tuple[str, ...]:
        nested = self.asked.get(_PROPERTIES)
        known = set(nested) - set(_CHOICES) if isinstance(nested, dict) else ()
        return tuple(f"{_PROPERTIES}.{key}" for key in sorted(known))


_TYPES: dict[type, str] = {
    str: "a string",
    bool: "true or false",
    list: "a list of strings",
    dict: "an object",
}


def gateway_problem(gateway: str, prefix: Prefix) -> str:
    """Why an address cannot be the gateway of a block, "" when it can."""
    try:
        inside = gateway in prefix
    except ValueError as error:
        return without_value(str(error), gateway)
    if not inside:
        return f"is not in {prefix}"
    if prefix.capacity > _POINT_TO_POINT:
        id = prefix.id(gateway)
        if id == 0:
            return f"is the network address of {prefix}"
        if prefix.family == "v4" and id == prefix.capacity - 1:
            return f"is the broadcast address of {prefix}"
    return ""


_POINT_TO_POINT = 2


def success_text(name: str, intent: Intent) -> str:
    """The annotation on success: byte for byte CN2's, with the space at the end."""
    blocks = "".join(f"{family}Subnet: {block.cidr} " for family, block in intent.blocks.items())
    return f"success creating VirtualNetwork {name} {blocks}"


def failure_text(name: str, reason: str) -> str:
    return f"failed creating VirtualNetwork {name}: {reason}"
