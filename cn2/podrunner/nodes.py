"""The Node object of this machine, as kubelet describes one. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from cn2.api.kind import Object
from cn2.api.kubernetes.lease import NODE_LEASES

KUBELET_VERSION = "v1.32.4+cn2"
PODS = 110


@dataclass(frozen=True, slots=True)
class Machine:
    """What the machine is."""

    processors: int
    memory_kib: int
    disk_kib: int
    kernel: str
    os_image: str
    architecture: str
    """As Go calls it: amd64, arm64."""
    machine_id: str
    boot_id: str
    version: str
    """Of cn2."""


def node_object(name: str, machine: Machine, pod_cidrs: tuple[str, ...]) -> Object:
    """The Node as it is created; its status goes to the status subresource."""
    spec: Object = {}
    if pod_cidrs:
        spec = {"podCIDR": pod_cidrs[0], "podCIDRs": list(pod_cidrs)}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels(name, machine)},
        "spec": spec,
    }


def labels(name: str, machine: Machine) -> dict[str, str]:
    return {
        "beta.kubernetes.io/arch": machine.architecture,
        "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": machine.architecture,
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "node-role.kubernetes.io/control-plane": "",
        "node-role.kubernetes.io/master": "",
    }


def capacity(machine: Machine) -> dict[str, str]:
    """By resource; all of it can be given to pods."""
    return {
        "cpu": str(machine.processors),
        "ephemeral-storage": f"{machine.disk_kib}Ki",
        "memory": f"{machine.memory_kib}Ki",
        "pods": str(PODS),
    }


def node_status(
    name: str,
    machine: Machine,
    addresses: tuple[str, ...],
    *,
    problem: str,
    present: Object,
    moment: str,
) -> Object:
    """The status; `problem` says why the node is not ready, "" when it is.

    Conditions keep their transition times from the `present` status.
    """
    resources = capacity(machine)
    return {
        "addresses": [
            *({"type": "InternalIP", "address": address} for address in addresses),
            {"type": "Hostname", "address": name},
        ],
        "capacity": resources,
        "allocatable": dict(resources),
        "conditions": _conditions(problem, present, moment),
        "daemonEndpoints": {"kubeletEndpoint": {"Port": 0}},
        "nodeInfo": {
            "architecture": machine.architecture,
            "bootID": machine.boot_id,
            "containerRuntimeVersion": f"cn2://{machine.version}",
            "kernelVersion": machine.kernel,
            "kubeProxyVersion": KUBELET_VERSION,
            "kubeletVersion": KUBELET_VERSION,
            "machineID": machine.machine_id,
            "operatingSystem": "linux",
            "osImage": machine.os_image,
            "systemUUID": machine.machine_id,
        },
    }


def _conditions(problem: str, present: Object, moment: str) -> list[Object]:
    ready = ("True", "KubeletReady", "kubelet is posting ready status")
    wanted = (
        (
            "MemoryPressure",
            "False",
            "KubeletHasSufficientMemory",
            "kubelet has sufficient memory available",
        ),
        ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
        ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
        ("Ready", *(("False", "KubeletNotReady", problem) if problem else ready)),
    )
    before = {condition["type"]: condition for condition in present.get("conditions") or []}
    conditions = []
    for type_, status, reason, message in wanted:
        old = before.get(type_, {})
        same = old.get("status") == status
        conditions.append(
            {
                "type": type_,
                "status": status,
                "reason": reason,
                "message": message,
                "lastHeartbeatTime": moment,
                "lastTransitionTime": old.get("lastTransitionTime", moment) if same else moment,
            }
        )
    return conditions


def lease(name: str, uid: str, seconds: int) -> Object:
    """The Lease whose renewal says that the node lives; it goes with its Node."""
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {
            "name": name,
            "namespace": NODE_LEASES,
            "ownerReferences": [{"apiVersion": "v1", "kind": "Node", "name": name, "uid": uid}],
        },
        "spec": {"holderIdentity": name, "leaseDurationSeconds": seconds},
    }
