"""Named things that people apply, for tests that visit them in several orders."""

from __future__ import annotations

import json
from typing import Any

from cn2.api.kind import Object

SEED_NETWORKS: dict[str, Any] = {
    "ipamV4Subnet": "172.16.10.0/24",
    "routeTargetList": ["target:23:4561"],
    "importRouteTargetList": ["target:10.2.2.2:561"],
    "exportRouteTargetList": ["target:10.1.1.1:561"],
}
"""The annotation of the walkthrough's vn1."""


def namespace(name: str, **labels: str) -> Object:
    return {"metadata": {"name": name, "labels": labels}}


def node(name: str = "minikube", address: str = "192.168.177.47", n: int = 0) -> Object:
    block = f"10.244.{n}.0/24"
    return {
        "metadata": {"name": name},
        "spec": {"podCIDR": block, "podCIDRs": [block]},
        "status": {"addresses": [{"type": "InternalIP", "address": address}]},
    }


def definition(
    name: str = "vn1",
    networks: dict[str, Any] | str | None = None,
    namespace: str = "default",
    **labels: str,
) -> Object:
    """A NetworkAttachmentDefinition; without `networks` it is that of the walkthrough."""
    asked = SEED_NETWORKS if networks is None else networks
    metadata: dict[str, Any] = {
        "name": name,
        "namespace": namespace,
        "annotations": {
            "juniper.net/networks": asked if isinstance(asked, str) else json.dumps(asked)
        },
    }
    if labels:
        metadata["labels"] = labels
    return {"metadata": metadata, "spec": {"config": "{}"}}


def pod(
    name: str = "vn1-pod",
    networks: str = "",
    namespace: str = "default",
    node: str = "minikube",
    **spec: Any,
) -> Object:
    metadata: dict[str, Any] = {"name": name, "namespace": namespace}
    if networks:
        metadata["annotations"] = {"k8s.v1.cni.cncf.io/networks": networks}
    return {"metadata": metadata, "spec": {"nodeName": node, **spec}}


def service(name: str, ip: str, namespace: str = "default") -> Object:
    return {
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"clusterIP": ip, "clusterIPs": [ip]},
    }
