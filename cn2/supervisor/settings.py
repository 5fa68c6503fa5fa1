"""What a system is brought up with."""

from __future__ import annotations

import ipaddress
from dataclasses import asdict, dataclass
from pathlib import Path

import msgspec

from cn2.supervisor.layout import Layout, write_private


@dataclass(frozen=True, slots=True)
class Settings:
    """The options of `cn2 up`, kept in the data directory for the commands that follow."""

    cluster_name: str = "mk"
    """Kubernetes cluster name; CN2's cluster name is `contrail-k8s-kubemanager-<name>`."""
    port: int = 6443
    """TCP port of the API server on the machine's loopback; 0 picks a free one."""
    node_name: str = "node1"
    node_address: str = "100.64.0.11"
    """The node's address on the underlay, an IPv4 address in `underlay`."""
    underlay_prefix_length: int = 24
    pod_v4_subnet: str = "10.244.0.0/16"
    pod_v6_subnet: str = ""
    """IPv6 pod subnet, empty for IPv4 only."""
    node_pod_cidr: str = "10.244.0.0/24"
    """The node's block of the pod subnet."""
    service_v4_subnet: str = "10.96.0.0/12"

    @property
    def cluster(self) -> str:
        """CN2's cluster name (cn2-api.md 3.11): dots become dashes."""
        return "contrail-k8s-kubemanager-" + self.cluster_name.replace(".", "-")

    @property
    def cluster_namespace(self) -> str:
        return self.cluster + "-contrail"

    @property
    def underlay(self) -> ipaddress.IPv4Network:
        return ipaddress.IPv4Interface(f"{self.node_address}/{self.underlay_prefix_length}").network

    @property
    def fabric_address(self) -> str:
        """The fabric's address: first host of the underlay, or the last if that is taken."""
        first = str(self.underlay[1])
        return first if first != self.node_address else str(self.underlay[-2])

    def save(self, layout: Layout) -> None:
        write_private(layout.settings, msgspec.json.format(msgspec.json.encode(asdict(self))))

    @classmethod
    def load(cls, layout: Layout) -> Settings | None:
        """The settings of the system in this data directory, None if there is none."""
        path: Path = layout.settings
        if not path.exists():
            return None
        return msgspec.json.decode(path.read_bytes(), type=cls)
