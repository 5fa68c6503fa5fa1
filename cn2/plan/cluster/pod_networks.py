"""The annotations by which a pod asks for networks and is told what it got (F08, F09)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cn2.api import json_text
from cn2.api.kind import Object
from cn2.api.network_annotations import NETWORKS
from cn2.net.mac import format_mac, parse_interface_mac
from cn2.net.prefix import family_of, parse_address, parse_prefix
from cn2.plan.cluster import objects

NETWORK_STATUS = "k8s.v1.cni.cncf.io/network-status"
ALLOWED_ADDRESS_PAIRS = "net.juniper.contrail.allowedAddressPairs"

MOST = 64
"""Additional networks of one pod: each is a link, a route table and some ten objects."""

_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
"""Of a namespace or a network."""
_INTERFACE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,14}")
"""The kernel takes 15 characters, and more of them than people should use."""
_NO_INTERFACES = ("lo", "all", "default")
"""The loopback, and what the kernel's settings call every interface."""
_MODES = ("active-standby", "active-active")


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


def needs_network(pod: Object) -> bool:
    """Bound, not on the host's network, and not finished."""
    spec = objects.spec(pod)
    finished = objects.status(pod).get("phase") in ("Succeeded", "Failed")
    return bool(spec.get("nodeName")) and not spec.get("hostNetwork") and not finished


def parse(text: str, namespace: str) -> list[Asked]:
    """Read `k8s.v1.cni.cncf.io/networks` of a pod in `namespace`; ValueError is for its author.

    Short form: `net`, `ns/net`, `ns/net@eth5`, separated by commas. JSON form: a list of elements
    {name, namespace, ips, mac, interface, cni-args}.
    """
    text = text.strip()
    if text.startswith(("[", "{")):
        return _unique(_parse_json(text, namespace))
    parts = (part.strip() for part in text.split(","))
    return _unique([_parse_short(part, namespace) for part in parts if part])


def _parse_short(text: str, namespace: str) -> Asked:
    where, _, interface = text.partition("@")
    first, slash, rest = where.partition("/")
    network = rest if slash else first
    home = first if slash else namespace
    if not _NAME.fullmatch(network) or not _NAME.fullmatch(home):
        raise ValueError(f"{NETWORKS}: {text!r} is not of the form namespace/network@interface")
    return Asked(home, network, _interface(interface))


def _parse_json(text: str, namespace: str) -> list[Asked]:
    try:
        elements = json_text.parse(text)
    except ValueError as error:
        raise ValueError(f"{NETWORKS} {error}") from None
    if not isinstance(elements, list):
        raise ValueError(f"{NETWORKS}: its JSON form is a list of objects")
    return [_parse_element(one, namespace) for one in elements]


def _parse_element(element: Any, namespace: str) -> Asked:
    if not isinstance(element, dict) or not isinstance(element.get("name"), str):
        raise ValueError(f"{NETWORKS}: an element is not an object with a name")
    name, home = element["name"], _value(element, "namespace", str) or namespace
    if not _NAME.fullmatch(name) or not _NAME.fullmatch(home):
        raise ValueError(f"{NETWORKS}: {home}/{name} cannot be the name of a network")
    return Asked(
        home,
        name,
        _interface(_value(element, "interface", str) or ""),
        _addresses(_value(element, "ips", list) or ()),
        _mac(_value(element, "mac", str) or ""),
        _pairs(_value(element, "cni-args", dict) or {}),
    )


_TYPES: dict[type, str] = {str: "a string", list: "a list", dict: "an object"}


def _value(element: Mapping[str, Any], key: str, wanted: type) -> Any:
    """What an element says under a key, None for nothing."""
    value = element.get(key)
    if value is not None and not isinstance(value, wanted):
        raise ValueError(f"{NETWORKS}: {key} is not {_TYPES[wanted]}")
    return value


def _interface(name: str) -> str:
    if name and (name in _NO_INTERFACES or not _INTERFACE.fullmatch(name)):
        raise ValueError(f"{NETWORKS}: {name!r} cannot be the name of an interface")
    return name


def _mac(text: str) -> str:
    try:
        return format_mac(parse_interface_mac(text)) if text else ""
    except ValueError as error:
        raise ValueError(f"{NETWORKS}: {error}") from None


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
        found[family] = str(parse_address(address))
    return found


def _pairs(arguments: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    asked = arguments.get(ALLOWED_ADDRESS_PAIRS) or ()
    try:
        entries = json_text.parse(asked) if isinstance(asked, str) else asked
    except ValueError as error:
        raise ValueError(f"{NETWORKS}: {ALLOWED_ADDRESS_PAIRS} {error}") from None
    if not isinstance(entries, list | tuple):
        raise ValueError(f"{NETWORKS}: {ALLOWED_ADDRESS_PAIRS} is not a list")
    try:
        return tuple(_pair(one) for one in entries)
    except ValueError as error:
        raise ValueError(f"{NETWORKS}: {ALLOWED_ADDRESS_PAIRS}: {error}") from None


def _pair(entry: Any) -> Mapping[str, Any]:
    if not isinstance(entry, dict) or not isinstance(entry.get("ip"), str):
        raise ValueError("an element is not an object with an ip")
    prefix = parse_prefix(entry["ip"])
    mode = entry.get("addressMode")
    if mode and mode not in _MODES:
        raise ValueError(f"{mode!r} is none of {', '.join(_MODES)}")
    made: dict[str, Any] = {
        "ip": {"ipPrefix": str(prefix.network.network_address), "ipPrefixLen": prefix.length}
    }
    if entry.get("mac"):
        made["mac"] = format_mac(parse_interface_mac(str(entry["mac"])))
    return made | ({"addressMode": mode} if mode else {})


def _unique(asked: list[Asked]) -> list[Asked]:
    if len(asked) > MOST:
        raise ValueError(
            f"{NETWORKS} asks for {len(asked)} networks; a pod can have at most {MOST}"
        )
    names = ["eth0", *(one.interface or f"eth{i}" for i, one in enumerate(asked, 1))]
    twice = sorted({one for one in names if names.count(one) > 1})
    if twice:
        raise ValueError(f"{NETWORKS}: two interfaces would be called {twice[0]}")
    return asked


def attached(pod: Mapping[str, Any], index: int) -> dict[str, str]:
    """Family to address of an interface that a running pod has; {} while that is not known."""
    found: Any = (pod.get("status") or {}).get("podIPs") or ()
    ips = [one.get("ip", "") for one in found]
    if index and ips:
        text = (pod["metadata"].get("annotations") or {}).get(NETWORK_STATUS, "[]")
        try:
            ips = json_text.parse(text)[index]["ips"]
            return {family_of(str(ip)): str(ip) for ip in ips}
        except (ValueError, LookupError, TypeError):
            return {}  # not written yet, or overwritten by somebody
    return {family_of(ip): ip for ip in ips}


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
