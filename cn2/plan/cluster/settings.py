"""What the kubemanager is told (cn2-api.md 3.13)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from cn2.net.names import virtual_machine_name
from cn2.plan.cluster import numbers
from cn2.plan.snapshot import Key


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Settings of one kubemanager, named after CN2's KUBEMANAGER_* variables."""

    cluster_name: str
    """CN2's name of the cluster, e.g. `contrail-k8s-kubemanager-mk`; part of object names."""
    cluster_namespace: str = ""
    """Namespace of the cluster's own networks; `<cluster_name>-contrail` when empty."""
    cluster_pod_virtual_network: str = numbers.POD_NETWORK
    """Network of every pod's first interface."""
    cluster_service_virtual_network: str = numbers.SERVICE_NETWORK
    """Network of the services' addresses."""
    enable_nad: bool = True
    """NetworkAttachmentDefinitions are acted on. Their deletion is honoured in any case."""
    pod_v4_subnet: str = ""
    """CIDR of the pods' addresses; no Subnet when empty."""
    pod_v6_subnet: str = ""
    service_v4_subnet: str = ""
    """CIDR of the services' addresses; no Subnet when empty."""
    service_v6_subnet: str = ""

    @property
    def namespace(self) -> str:
        return self.cluster_namespace or f"{self.cluster_name}-contrail"

    @property
    def pod_network(self) -> Key:
        return self.namespace, self.cluster_pod_virtual_network

    @property
    def service_network(self) -> Key:
        return self.namespace, self.cluster_service_virtual_network

    def machine(self, pod: Key) -> str:
        """The name of a pod's VirtualMachine."""
        return _machine(self.cluster_name, pod)


@lru_cache(maxsize=65536)
def _machine(cluster: str, pod: Key) -> str:
    """Remembered: a VirtualRouter asks for the names of all pods of its node at every change."""
    return virtual_machine_name(cluster, *pod)
