"""The network namespaces of one machine: the fabric, and one for each node joined to it.

The fabric holds the underlay: a bridge with an address of its own, on which the API server
listens for agents and pods. The machine's own namespace has no part in it, so that several
systems run side by side and the host's firewall is not in the way.
"""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

from cn2.drivers import netns
from cn2.supervisor.layout import Layout
from cn2.supervisor.settings import Settings

BRIDGE = "underlay"
UPLINK = "eth0"
"""The node's end of its link to the underlay."""
PORT = "port1"
"""The fabric's end of that link."""
UNDERLAY_MTU = 1600
"""Bytes. Room for 1,500 byte pods and the 50 bytes of VXLAN around their packets."""


class FabricError(Exception):
    """A link or an address could not be made."""


def _ip(namespace: Path, commands: list[str]) -> None:
    """Run a batch of `ip` commands inside a namespace."""
    done = subprocess.run(
        ["nsenter", f"--net={namespace}", "ip", "-batch", "-"],
        input="\n".join(commands) + "\n",
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise FabricError(f"ip in namespace {namespace.name}: {done.stderr.strip()}")


@contextlib.contextmanager
def _new(path: Path) -> Iterator[None]:
    """A new namespace for the block to set up; one that could not be set up does not stay."""
    netns.delete(path)  # the file of one that ended with an earlier boot
    netns.create(path)
    try:
        yield
    except BaseException:
        netns.delete(path)
        raise


def create(layout: Layout, settings: Settings) -> None:
    """Make the fabric and the node's namespace, and join them; what exists already stays."""
    length = settings.underlay_prefix_length
    fabric, node = layout.fabric_netns, layout.node_netns(settings.node_name)
    if not netns.is_namespace(fabric):
        with _new(fabric):
            _ip(
                fabric,
                [
                    "link set lo up",
                    f"link add {BRIDGE} mtu {UNDERLAY_MTU} type bridge stp_state 0 forward_delay 0",
                    f"address add {settings.fabric_address}/{length} dev {BRIDGE}",
                    f"link set {BRIDGE} up",
                ],
            )
    if not netns.is_namespace(node):
        with _new(node):
            _ip(
                fabric,
                [
                    f"link add {PORT} mtu {UNDERLAY_MTU} type veth peer name {UPLINK}",
                    f"link set {UPLINK} netns {node}",
                    f"link set {PORT} master {BRIDGE}",
                    f"link set {PORT} up",
                ],
            )
            _ip(
                node,
                [
                    "link set lo up",
                    f"link set {UPLINK} mtu {UNDERLAY_MTU}",
                    f"address add {settings.node_address}/{length} dev {UPLINK}",
                    f"link set {UPLINK} up",
                    f"route add default via {settings.fabric_address}",
                ],
            )
