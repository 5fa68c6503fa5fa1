"""The annotations by which a pod asks for networks and is told what it got (F08, F09)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cn2.net.mac import format_mac, parse_interface_mac
from cn2.net.prefix import family_of, parse_prefix

NETWORKS = "k8s.v1.cni.cncf.io/networks"
NETWORK_STATUS = "k8s.v1.cni.cncf.io/network-status"
ALLOWED_ADDRESS_PAIRS = "net.juniper.contrail.allowedAddressPairs"

_MAX_INTERFACE_NAME = 15
"""Characters, by the kernel."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One interface that a pod asks for."""

    namespace: str
    network: str
    interface: str = ""
    """Its name in the pod; `eth<index>` when empty."""
    addresses: Mapping[str, str] | None = None
    """Family (`v4`, `v6`) to the address that must be given."""
    mac: str = ""
    pairs: tuple[Mapping[str, Any], ...] = ()
    """Allowed address pairs, as in the VirtualMachineInterface's spec."""


def parse(text: str, namespace: str) -> list[Asked]:
    """Read `k8s.v1.cni.cncf.io/networks` of a pod in `namespace`; ValueError is for its author.

    Short form: `net`, `ns/net`, `ns/net@eth5`, separated by commas. JSON form: a list of elements
    {name, namespace, ips, mac, interface, cni-args}.
    """
    text = text.strip()
    if text.startswith("["):
        return _unique(_parse_json(text, namespace))
    parts = (part.strip() for part in text.split(","))
    return _unique([_parse_short(part, namespace) for part in parts if part])


def _parse_short(text: str, namespace: str) -> Asked:
    where, _, interface = text.partition("@")
    first, slash, rest = where.partition("/")
    network = rest if slash else first
    if not network or "/" in network or (slash and not first):
        raise ValueError(f"{NETWORKS}: {text!r} is not of the form namespace/network@interface")
    return Asked(first if slash else namespace, network, _interface(interface))


def _parse_json(text: str, namespace: str) -> list[Asked]:
    try:
        elements = json.loads(text)
    except ValueError as error:
        raise ValueError(f"{NETWORKS} is not valid JSON: {error}") from None
    return [_parse_element(one, namespace) for one in elements]


def _parse_element(element: Any, namespace: str) -> Asked:
    if not isinstance(element, dict) or not isinstance(element.get("name"), str):
        raise ValueError(f"{NETWORKS}: an element is not an object with a name")
    mac = element.get("mac") or ""
    try:
        mac = format_mac(parse_interface_mac(mac)) if mac else ""
    except (ValueError, TypeError) as error:
        raise ValueError(f"{NETWORKS}: {error}") from None
    return Asked(
        element.get("namespace") or namespace,
        element["name"],
        _interface(element.get("interface") or ""),
        _addresses(element.get("ips") or ()),
        mac,
        _pairs(element.get("cni-args") or {}),
    )


def _interface(name: str) -> str:
    if len(name) > _MAX_INTERFACE_NAME or any(one in "/: \t" for one in name) or name == "lo":
        raise ValueError(f"{NETWORKS}: {name!r} cannot be the name of an interface")
    return name


def _addresses(ips: Iterable[Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in ips:
        # The multi-network specification allows a prefix length behind the address.
        address = str(one).partition("/")[0]
        try:
            family = family_of(address)
        except ValueError as error:
            raise ValueError(f"{NETWORKS}: {error}") from None
        if family in found:
            raise ValueError(f"{NETWORKS}: two {family} addresses for one interface")
        found[family] = address
    return found


def _pairs(arguments: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    asked = arguments.get(ALLOWED_ADDRESS_PAIRS) or ()
    try:
        entries = json.loads(asked) if isinstance(asked, str) else asked
        return tuple(_pair(one) for one in entries)
    except (ValueError, TypeError, AttributeError) as error:
        raise ValueError(f"{NETWORKS}: {ALLOWED_ADDRESS_PAIRS}: {error}") from None


def _pair(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    prefix = parse_prefix(str(entry["ip"]))
    made: dict[str, Any] = {
        "ip": {"ipPrefix": str(prefix.network.network_address), "ipPrefixLen": prefix.length}
    }
    for name in ("mac", "addressMode"):
        if entry.get(name):
            made[name] = str(entry[name])
    return made


def _unique(asked: list[Asked]) -> list[Asked]:
    names = ["eth0", *(one.interface or f"eth{i}" for i, one in enumerate(asked, 1))]
    twice = sorted({one for one in names if names.count(one) > 1})
    if twice:
        raise ValueError(f"{NETWORKS}: two interfaces would be called {twice[0]}")
    return asked


def status(elements: Iterable[dict[str, Any]]) -> str:
    """`k8s.v1.cni.cncf.io/network-status` as CN2 writes it: each element indented by four, the
    elements joined by `},{`."""
    return "[" + ",".join(json.dumps(one, indent=4) for one in elements) + "]"


def status_element(
    network: tuple[str, str], interface: str, ips: list[str], mac: str, *, default: bool
) -> dict[str, Any]:
    """One element of the network-status, keys in CN2's order."""
    made: dict[str, Any] = {
        "name": "/".join(network),
        "interface": interface,
        "ips": ips,
        "mac": mac,
    }
    if default:
        made["default"] = True
    return made | {"dns": {}}
