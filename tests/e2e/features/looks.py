"""What the feature tests look at, and what they apply."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from machine import Machine
from networks import together

import cn2

CLUSTER_NAMESPACE = "contrail-k8s-kubemanager-mk-contrail"
PLUGIN = Path(cn2.__file__).parent / "native" / "contrail-k8s-cni"
STATUS = "juniper.net/networks-status"
GROUP_VERSION = "core.contrail.juniper.net/v1alpha1"


def told(machine: Machine, name: str) -> str:
    """The status annotation of a definition."""
    notes = machine.get("net-attach-def", name)["metadata"]["annotations"]
    return str(notes.get(STATUS, ""))


def edit(machine: Machine, name: str, **keys: Any) -> None:
    """Change the annotation of a definition."""
    annotation = {"metadata": {"annotations": {"juniper.net/networks": json.dumps(keys)}}}
    machine.kubectl("patch", "net-attach-def", name, "--type=merge", "-p", json.dumps(annotation))


def state(machine: Machine, name: str) -> str:
    """The state of a network, "" for one that is not there."""
    status: dict[str, str] = (machine.get("vn", name) or {}).get("status") or {}
    return status.get("state", "")


def success(machine: Machine, *names: str) -> None:
    """Wait until networks are there and ready."""
    machine.until(lambda: {state(machine, name) for name in names} == {"Success"}, f"{names}")


def interfaces(machine: Machine, name: str) -> dict[str, Any]:
    """A running pod's network-status by interface, without the default network's."""
    notes = machine.running(name)["metadata"]["annotations"]
    entries = json.loads(notes["k8s.v1.cni.cncf.io/network-status"])
    return {one["interface"]: one for one in entries[1:]}


def asking(**element: Any) -> str:
    """The JSON form of a pod's request for one network."""
    return json.dumps([element])


def warnings(machine: Machine, kind: str = "Pod") -> dict[str, list[str]]:
    """The messages of all Warning events about objects of a kind, by the object's name."""
    found: dict[str, list[str]] = {}
    fields = f"involvedObject.kind={kind},type=Warning"
    for event in machine.items("events", "--field-selector", fields):
        found.setdefault(event["involvedObject"]["name"], []).append(event["message"])
    return found


def complains(machine: Machine, name: str, text: str) -> None:
    """Wait for a Warning event about a pod."""
    machine.until(lambda: any(text in one for one in warnings(machine).get(name, ())), text)


def targets(machine: Machine, name: str) -> dict[str, str]:
    """RouteTargets of a network's RoutingInstance, with their direction."""
    spec = machine.get("ri", name)["spec"]
    return {
        one["name"]: one["attributes"].get("importExport", "both")
        for one in spec.get("routeTargetReferences", ())
    }


def inside(machine: Machine, name: str, *command: str) -> str:
    """Run a command in the network namespace of a pod."""
    namespace = machine.pod_netns(machine.get("pod", name))
    done = subprocess.run(
        ["nsenter", f"--net={namespace}", *command], capture_output=True, text=True, check=False
    )
    return done.stdout


def reaches(machine: Machine, source: str, interface: str, target: str) -> bool:
    ping = ["ping", "-c", "1", "-W", "1", "-I", interface, target]
    return " 0% packet loss" in inside(machine, source, *ping)


def delete_pods(machine: Machine, *names: str) -> None:
    machine.kubectl("delete", "pod", *names, "--timeout=30s")


def hand_made(name: str, cidr: str, subnet: str = "", **spec: Any) -> str:
    """A Subnet and a VirtualNetwork as people write them, without a definition."""
    subnet = subnet or f"{name}-v4"
    reference = {
        "apiVersion": GROUP_VERSION,
        "kind": "Subnet",
        "namespace": "default",
        "name": subnet,
    }
    kinds: list[tuple[str, str, dict[str, Any]]] = [
        ("Subnet", subnet, {"cidr": cidr, **spec}),
        ("VirtualNetwork", name, {"v4SubnetReference": reference}),
    ]
    return together(
        *(
            json.dumps(
                {
                    "apiVersion": GROUP_VERSION,
                    "kind": kind,
                    "metadata": {"name": one, "namespace": "default"},
                    "spec": given,
                }
            )
            for kind, one, given in kinds
        )
    )
