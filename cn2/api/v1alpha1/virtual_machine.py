"""VirtualMachine (cn2-api.md 4.6)."""

from __future__ import annotations

from cn2.api import schema as s
from cn2.api.access import text
from cn2.api.kind import Column, Object
from cn2.api.v1alpha1.shared import core_kind, core_schema
from cn2.api.v1alpha1.virtual_machine_interface import pod_of


def _workload(obj: Object) -> str:
    parts = ("serverClusterName", "serverNamespace", "serverName")
    return "/".join(text(obj, "spec", part) for part in parts)


VIRTUAL_MACHINE = core_kind(
    "VirtualMachine",
    "virtualmachines",
    "vm",
    "VirtualMachine represents a computational resource, for example, a virtual machine, bare"
    " metal server, or container.",
    namespaced=False,
    categories=("contrail", "networking"),
    made_for=pod_of,
    schema=core_schema(
        "VirtualMachine",
        {
            "serverType": s.string(
                "What it is.", enum=("virtual-server", "baremetal-server", "container")
            ),
            "serverName": s.string("Name of the workload, for example of a pod."),
            "serverNamespace": s.string("Namespace of the workload."),
            "serverClusterName": s.string("Cluster of the workload; empty in a single cluster."),
        },
        required=("serverName", "serverNamespace", "serverClusterName"),
    ),
    columns=(
        Column(name="Type", path=".spec.serverType", description="What it is."),
        Column(name="Workload", cell=_workload, description="cluster/namespace/name."),
    ),
)
