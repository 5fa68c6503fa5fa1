"""What the node knows of an interface: what it should be, and what was plugged.

These values are also what the agent keeps on disk, so that it can adopt its ports after a restart
and needs no object of the API for traffic to go on.
"""

from __future__ import annotations

import msgspec


class Address(msgspec.Struct, frozen=True):
    """One address of an interface."""

    ip: str
    prefix: int
    """Prefix length of its subnet."""
    gateway: str

    @property
    def with_prefix(self) -> str:
        return f"{self.ip}/{self.prefix}"


class Pair(msgspec.Struct, frozen=True):
    """An allowed address pair: a further prefix that may send from the interface."""

    ip: str
    prefix: int
    mac: str = ""
    """The MAC that it is sent with; "" is any."""


class Network(msgspec.Struct, frozen=True):
    """What the datapath has to know of a virtual network."""

    namespace: str
    name: str
    vni: int
    mode: str = "l2_l3"
    """`l2_l3`, `l2` or `l3` (F24)."""
    rpf: bool = True
    gateways: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, str]:
        return self.namespace, self.name

    @property
    def label(self) -> str:
        """As people write it: `namespace/name`."""
        return f"{self.namespace}/{self.name}"


class Attachment(msgspec.Struct, frozen=True):
    """One interface of a pod as the objects of the API want it."""

    vmi: tuple[str, str]
    """(namespace, name) of the VirtualMachineInterface."""
    pod: tuple[str, str]
    pod_uid: str
    vm_uid: str
    index: int
    name: str
    """Interface name inside the pod, e.g. eth0."""
    mac: str
    network: Network
    addresses: tuple[Address, ...]
    pairs: tuple[Pair, ...] = ()

    @property
    def host_name(self) -> str:
        """Name of the host's side, as CN2 names it: `tapeth0-<6 hex of the VM's uid>`.

        The kernel allows 15 characters: a long interface name gives way to the index.
        """
        name = self.name if len(self.name) <= 5 else f"if{self.index}"
        return f"tap{name}-{self.vm_uid.replace('-', '')[:6]}"


class Plugged(msgspec.Struct, frozen=True):
    """An attachment that was plugged on this node."""

    attachment: Attachment
    container: str
    netns: str
    ifindex: int
    """Of the host's side; the key of everything that the datapath holds for the port."""
    host_name: str
    vrf: int = 0
    """The node's own number of the port's network, for its VRF and its bridge domain."""
    peer: int = 0
    """Index of the pod's side, in the pod's namespace."""
    host_mac: str = ""
