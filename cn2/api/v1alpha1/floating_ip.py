"""FloatingIP (cn2-api.md 4.9)."""

from __future__ import annotations

from cn2.api import schema as s
from cn2.api.access import at, items, mapping, text
from cn2.api.checks import address, each_refers_to, immutable_references, refers_to
from cn2.api.kind import Column, FieldError, Object
from cn2.api.references import keep
from cn2.api.schema_checks import duplicate, required
from cn2.api.v1alpha1.shared import core_kind, core_schema, parent, reference, references

MAX_PORT = 65535


def _interfaces(obj: Object) -> int:
    return len(items(obj, "spec", "virtualMachineInterfaceReferences"))


def _port_mapping(obj: Object) -> str:
    return ",".join(
        f"{at(mapped, 'protocol', default='')}/{at(mapped, 'srcPort')}->{at(mapped, 'dstPort')}"
        for mapped in items(obj, "spec", "floatingIPPortMappings", "portMappings")
    )


def _complete(new: Object, old: Object | None) -> None:
    keep(mapping(new, "spec"), mapping(old, "spec"), "floatingIPAddress")


def _validate(new: Object, old: Object | None) -> list[FieldError]:
    spec = mapping(new, "spec")
    return [
        *address("spec.floatingIPAddress", spec.get("floatingIPAddress")),
        *_check_mappings(spec),
        *refers_to("spec.parent", spec.get("parent"), "InstanceIP"),
        *each_refers_to(
            "spec.virtualMachineInterfaceReferences",
            items(spec, "virtualMachineInterfaceReferences"),
            "VirtualMachineInterface",
        ),
        *immutable_references(new, old, "spec.parent"),
    ]


def _check_mappings(spec: Object) -> list[FieldError]:
    path = "spec.floatingIPPortMappings.portMappings"
    mappings = items(spec, "floatingIPPortMappings", "portMappings")
    if spec.get("floatingIPPortMappingsEnable") and not mappings:
        return [required(path)]
    errors, seen = [], set()
    for index, mapped in enumerate(mappings):
        port = text(mapped, "protocol"), at(mapped, "srcPort", default=0)
        if port in seen:
            errors.append(duplicate(f"{path}[{index}]", f"{port[0]}/{port[1]}"))
        seen.add(port)
    return errors


_PORT_MAPPING = s.object(
    "One port that is translated.",
    {
        "srcPort": s.integer("Port of the floating address.", minimum=1, maximum=MAX_PORT),
        "dstPort": s.integer("Port of the interface.", minimum=1, maximum=MAX_PORT),
        "protocol": s.string("TCP, UDP or SCTP.", enum=("TCP", "UDP", "SCTP")),
    },
)

FLOATING_IP = core_kind(
    "FloatingIP",
    "floatingips",
    "fip",
    "FloatingIP is an IP address that is translated to the addresses of interfaces.",
    namespaced=False,
    categories=("contrail", "ipam", "networking"),
    schema=core_schema(
        "FloatingIP",
        {
            "floatingIPAddress": s.string("The address."),
            "floatingIPPortMappings": s.object(
                "Ports that are translated.",
                {"portMappings": s.array(_PORT_MAPPING, "The ports.")},
                required=("portMappings",),
            ),
            "floatingIPPortMappingsEnable": s.boolean(
                "Translate the ports listed only; all ports when false."
            ),
            "floatingIPTrafficDirection": s.string(
                "Direction of the traffic that is translated; both when empty.",
                enum=("", "ingress", "egress", "both"),
            ),
            "parent": parent("The InstanceIP that holds the address."),
            "virtualMachineInterfaceReferences": references(
                "Interfaces that receive the traffic, in equal shares."
            ),
        },
        {"subnetReference": reference("The Subnet that the address was taken from.")},
    ),
    columns=(
        Column(name="IPAddress", path=".spec.floatingIPAddress", description="The address."),
        Column(
            name="Interfaces",
            cell=_interfaces,
            type="integer",
            description="Number of interfaces that receive the traffic.",
        ),
        Column(name="PortMapping", cell=_port_mapping, description="protocol/from->to."),
    ),
    complete=_complete,
    validate=_validate,
    inert="no address is translated",
)
