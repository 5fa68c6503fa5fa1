"""What the plane objects (ApiServer, Controller, Kubemanager, Vrouter) ask of the processes. Pure.

On a cluster contrail-k8s-deployer makes workloads of these objects (cn2-api.md 6); on one machine
each becomes one process, with the same name, labels and environment.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cn2.api.kind import Object
from cn2.net.names import fnv1a32
from cn2.supervisor.settings import Settings

_SAFE = "bcdfghjklmnpqrstvwxz2456789"
"""Kubernetes' alphabet for generated names: no vowels, so no words."""

DEFAULT_SELECTORS: Mapping[str, Any] = {
    "default-external": {
        "networkSelector": {
            "matchLabels": {
                "service.contrail.juniper.net/externalNetworkSelector": "default-external"
            }
        },
        "namespaceSelector": {},
    }
}


@dataclass(frozen=True, slots=True)
class Workload:
    """One process of the system, as Kubernetes shows it."""

    process: str
    name: str
    namespace: str
    owner: str
    """Kind of the workload: Deployment, DaemonSet, or "" for a pod of its own."""
    plane: str
    """Kind of the plane object that configures it, "" if none does."""


WORKLOADS = (
    Workload("apiserver", "contrail-k8s-apiserver", "contrail-system", "Deployment", "ApiServer"),
    Workload(
        "controller", "contrail-k8s-controller", "contrail-system", "Deployment", "Controller"
    ),
    Workload("kubemanager", "contrail-k8s-kubemanager", "contrail", "Deployment", "Kubemanager"),
    Workload("agent", "contrail-vrouter-masters", "contrail", "DaemonSet", "Vrouter"),
    Workload("localkube", "cn2-localkube", "kube-system", "", ""),
    Workload("podrunner", "cn2-podrunner", "kube-system", "", ""),
)

NAMESPACES = ("contrail", "contrail-system", "contrail-deploy")

_API_VERSIONS = {
    "ApiServer": "configplane.juniper.net/v1alpha1",
    "Controller": "configplane.juniper.net/v1alpha1",
    "Kubemanager": "configplane.juniper.net/v1alpha1",
    "Vrouter": "dataplane.juniper.net/v1alpha1",
}

_COMMON = {
    "replicas": 1,
    "nodeSelector": {"node-role.kubernetes.io/master": ""},
    "serviceAccountName": "contrail-serviceaccount",
}


def plane_object(workload: Workload) -> Object:
    """The plane object that configures a workload, as a new system gets it."""
    return {
        "apiVersion": _API_VERSIONS[workload.plane],
        "kind": workload.plane,
        "metadata": {"name": workload.name, "namespace": workload.namespace},
        "spec": {"common": dict(_COMMON)},
    }


def kubemanager_environment(plane: Object, settings: Settings) -> tuple[tuple[str, str], ...]:
    """The KUBEMANAGER_* variables of a Kubemanager object, in CN2's order (cn2-api.md 3.13)."""
    spec = plane.get("spec", {})
    namespace = settings.cluster_namespace
    selectors = spec.get("externalNetworkSelectors") or DEFAULT_SELECTORS
    variables = [
        ("KUBEMANAGER_CLUSTER_NAME", settings.cluster),
        ("KUBEMANAGER_CLUSTER_POD_VIRTUAL_NETWORK", "default-podnetwork"),
        ("KUBEMANAGER_CLUSTER_SERVICE_VIRTUAL_NETWORK", "default-servicenetwork"),
        ("KUBEMANAGER_CLUSTER_PROJECT", namespace),
        ("KUBEMANAGER_CLUSTER_NAMESPACE", namespace),
        ("KUBEMANAGER_ENABLE_NAD", "false" if spec.get("enableNad") is False else "true"),
        ("KUBEMANAGER_EXTERNAL_NETWORK_SELECTORS", json.dumps(selectors, separators=(",", ":"))),
    ]
    for field, variable in (
        ("podV4Subnet", "KUBEMANAGER_POD_V4_SUBNET"),
        ("podV6Subnet", "KUBEMANAGER_POD_V6_SUBNET"),
        ("serviceV4Subnet", "KUBEMANAGER_SERVICE_V4_SUBNET"),
        ("serviceV6Subnet", "KUBEMANAGER_SERVICE_V6_SUBNET"),
    ):
        if spec.get(field):
            variables.append((variable, str(spec[field])))
    return tuple(variables)


def safe_encode(text: str) -> str:
    """Kubernetes' SafeEncodeString: letters that make no words."""
    return "".join(_SAFE[ord(character) % len(_SAFE)] for character in text)


def template_hash(template: Object) -> str:
    """The pod-template-hash of a pod template: changes with the template and nothing else."""
    text = json.dumps(template, sort_keys=True, separators=(",", ":"))
    return safe_encode(str(int(fnv1a32(text), 16)))
