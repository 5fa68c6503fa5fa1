"""What is wrong with a pod's side of its interfaces."""

from __future__ import annotations

import os
from collections.abc import Sequence
from ipaddress import ip_interface
from pathlib import Path

from cn2.drivers import netns
from cn2.drivers.netlink.connection import Netlink
from cn2.drivers.netlink.inspect import addresses
from cn2.drivers.netlink.link import Link, links
from cn2.net.mac import format_mac
from cn2.plan.node.attachment import Plugged


def faults_inside(ports: Sequence[Plugged]) -> list[str]:
    """What is not as it was plugged inside the pod; [] when all is. All ports are of one pod."""
    namespace = ports[0].netns
    if not netns.is_namespace(Path(namespace)):
        return [f"network namespace {namespace} is gone"]
    fd = netns.open_path(namespace)
    try:
        with netns.entered(fd), Netlink() as netlink:
            present = {link.name: link for link in links(netlink)}
            held = addresses(netlink)
    finally:
        os.close(fd)
    found: list[str] = []
    for port in ports:
        found += _faults(port, present.get(port.attachment.name), held)
    return found


def _faults(port: Plugged, link: Link | None, held: dict[int, set[str]]) -> list[str]:
    one = port.attachment
    if link is None or not link.up:
        return [f"interface {one.name} is missing or down in {port.netns}"]
    found = []
    if format_mac(link.mac) != one.mac:
        found.append(f"interface {one.name} has MAC {format_mac(link.mac)}, not {one.mac}")
    for address in one.addresses:
        if str(ip_interface(address.with_prefix)) not in held.get(link.index, ()):
            found.append(f"interface {one.name} has lost address {address.with_prefix}")
    return found
