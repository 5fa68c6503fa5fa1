"""The result of ADD in the form of each version of the CNI specification, and its reading back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from cn2.agent.cni import CniError, Code, Request
from cn2.plan.node.attachment import Plugged

Result = dict[str, Any]


def result(request: Request, ports: Sequence[Plugged], mtu: int) -> Result:
    """The result for `request`: every interface, but only the addresses of CNI_IFNAME.

    Runtimes turn `ips` into the pod's addresses, and a pod's address is one on the pod network;
    the others are in the network-status annotation. Pod interfaces come first, in the order of
    their index, then the host's sides.
    """
    inside = [_inside(request, port, mtu) for port in ports]
    outside = [_outside(request, port, mtu) for port in ports]
    at, main = _main(request, ports)
    return {
        "cniVersion": request.version,
        "interfaces": inside + outside,
        "ips": [
            _ip(request.version, at, address.with_prefix, address.gateway)
            for address in main.attachment.addresses
        ],
        "routes": [
            {"dst": "::/0" if ":" in address.gateway else "0.0.0.0/0", "gw": address.gateway}
            for address in main.attachment.addresses
            if address.gateway
        ],
        "dns": {},
    }


def check_previous(request: Request, ports: Sequence[Plugged]) -> None:
    """Raise unless what CHECK's prevResult says of this plugin's interfaces is what was plugged."""
    previous: Mapping[str, Any] = request.config["prevResult"]
    _main(request, ports)
    macs = {port.attachment.name: port.attachment.mac for port in ports}
    for one in previous.get("interfaces") or ():
        name, mac = str(one.get("name", "")), str(one.get("mac", "")).lower()
        if one.get("sandbox") and name in macs and mac and mac != macs[name]:
            raise CniError(
                Code.NOT_AS_PLUGGED, f"interface {name} has MAC {macs[name]}, prevResult says {mac}"
            )
    plugged = {a.with_prefix for port in ports for a in port.attachment.addresses}
    for one in previous.get("ips") or ():
        if one.get("address") not in plugged:
            raise CniError(
                Code.NOT_AS_PLUGGED,
                f"address {one.get('address')} of prevResult is not plugged",
                f"plugged are {', '.join(sorted(plugged))}",
            )


def output(body: Result | None) -> bytes:
    """What the plugin prints: nothing for the commands that have no result."""
    return b"" if body is None else msgspec.json.encode(body) + b"\n"


def _main(request: Request, ports: Sequence[Plugged]) -> tuple[int, Plugged]:
    for at, port in enumerate(ports):
        if port.attachment.name == request.interface:
            return at, port
    names = ", ".join(port.attachment.name for port in ports)
    raise CniError(
        Code.INVALID_ENVIRONMENT,
        f"CNI_IFNAME is {request.interface}, the pod's interfaces are {names}",
    )


def _inside(request: Request, port: Plugged, mtu: int) -> Result:
    one = {"name": port.attachment.name, "mac": port.attachment.mac, "sandbox": port.netns}
    return one | ({"mtu": mtu} if request.version == "1.1.0" else {})


def _outside(request: Request, port: Plugged, mtu: int) -> Result:
    one: Result = {"name": port.host_name, "mac": port.host_mac}
    return one | ({"mtu": mtu} if request.version == "1.1.0" else {})


def _ip(version: str, interface: int, address: str, gateway: str) -> Result:
    one: Result = {"interface": interface, "address": address}
    if gateway:
        one["gateway"] = gateway
    if version in ("0.3.1", "0.4.0"):  # 1.0.0 dropped the field
        one["version"] = "6" if ":" in address else "4"
    return one
