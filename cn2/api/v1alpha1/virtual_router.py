"""VirtualRouter (cn2-api.md 4.14)."""

from __future__ import annotations

from cn2.api import schema as s
from cn2.api.access import items, mapping
from cn2.api.checks import address, each_refers_to, immutable_references, needs
from cn2.api.kind import Column, FieldError, Object
from cn2.api.v1alpha1.shared import core_kind, core_schema, parent, reference


def _validate(new: Object, old: Object | None) -> list[FieldError]:
    spec = mapping(new, "spec")
    return [
        *needs("spec.parent", spec.get("parent"), "GlobalSystemConfig"),
        *address("spec.virtualRouterIPAddress", spec.get("virtualRouterIPAddress")),
        *each_refers_to(
            "spec.virtualMachineReferences",
            items(spec, "virtualMachineReferences"),
            "VirtualMachine",
        ),
        *immutable_references(new, old, "spec.parent"),
    ]


VIRTUAL_ROUTER = core_kind(
    "VirtualRouter",
    "virtualrouters",
    "vr",
    "VirtualRouter is packet forwarding system on devices such as compute nodes(servers), TOR(s),"
    " routers.",
    namespaced=False,
    categories=("contrail", "contrail-cluster"),
    schema=core_schema(
        "VirtualRouter",
        {
            "parent": parent("The GlobalSystemConfig."),
            "virtualRouterIPAddress": s.string("Address of the router in the underlay."),
            "virtualRouterDpdkEnabled": s.boolean("The router runs on DPDK."),
            "virtualRouterType": s.string(
                "Empty on nodes; otherwise embedded, tor-agent or tor-service-node."
            ),
            "virtualMachineReferences": s.list_map(
                reference("A VirtualMachine on this node."),
                ("uid",),
                "The VirtualMachines whose interfaces the router serves.",
            ),
        },
        required=("parent", "virtualRouterIPAddress"),
    ),
    columns=(
        Column(
            name="IP",
            path=".spec.virtualRouterIPAddress",
            description="Address of the router in the underlay.",
        ),
    ),
    validate=_validate,
)
