"""VirtualMachineInterface (cn2-api.md 4.7)."""

from __future__ import annotations

from cn2.api import schema as s
from cn2.api.access import annotation, at, items, mapping, text
from cn2.api.checks import (
    block,
    each_parses,
    each_refers_to,
    immutable_references,
    mac,
    needs,
    refers_to,
)
from cn2.api.columns import NAME
from cn2.api.kind import Column, FieldError, Object
from cn2.api.v1alpha1.shared import core_kind, core_schema, parent, reference, references, struct
from cn2.net.mac import parse_interface_mac
from cn2.net.names import mac_of_uid

POD_NAME = "kube-manager.juniper.net/pod-name"
POD_NAMESPACE = "kube-manager.juniper.net/pod-namespace"
POD_CLUSTER_NAME = "kube-manager.juniper.net/pod-cluster-name"
POD_UID = "kube-manager.juniper.net/pod-uid"
INTERFACE = "interface"


def pod_of(obj: Object) -> tuple[str, str, str] | None:
    """(namespace, name, uid) of the Pod that an interface, its machine or one of its addresses was
    made for; None when people made it."""
    uid = annotation(obj, POD_UID)
    return (annotation(obj, POD_NAMESPACE), annotation(obj, POD_NAME), uid) if uid else None


_MACS = "virtualMachineInterfaceMacAddresses"
MAX_VLAN = 4094


def _complete(new: Object, old: Object | None) -> None:
    if items(new, "spec", _MACS, "macAddress"):
        return
    kept = items(old, "spec", _MACS, "macAddress")
    addresses = kept or [mac_of_uid(text(new, "metadata", "uid"))]
    new.setdefault("spec", {})[_MACS] = {"macAddress": list(addresses)}


def _check_pairs(new: Object) -> list[FieldError]:
    errors = []
    path = "spec.allowedAddressPairs.allowedAddressPair"
    for index, pair in enumerate(items(new, *path.split("."))):
        if pair.get("ip"):
            errors += block(f"{path}[{index}].ip", mapping(pair, "ip"))
        errors += mac(f"{path}[{index}].mac", at(pair, "mac"))
    return errors


def _validate(new: Object, old: Object | None) -> list[FieldError]:
    spec = mapping(new, "spec")
    return [
        *refers_to("spec.parent", spec.get("parent"), "Namespace", "VirtualRouter"),
        *needs(
            "spec.virtualNetworkReference", spec.get("virtualNetworkReference"), "VirtualNetwork"
        ),
        *each_refers_to(
            "spec.virtualMachineReferences",
            items(spec, "virtualMachineReferences"),
            "VirtualMachine",
        ),
        *each_parses(
            f"spec.{_MACS}.macAddress", items(spec, _MACS, "macAddress"), parse_interface_mac
        ),
        *each_refers_to(
            "spec.virtualMachineInterfaceReferences",
            items(spec, "virtualMachineInterfaceReferences"),
            "VirtualMachineInterface",
        ),
        *each_refers_to("spec.tagReferences", items(spec, "tagReferences"), "Tag"),
        *_check_pairs(new),
        *immutable_references(new, old, "spec.virtualNetworkReference", "spec.parent"),
    ]


_ALLOWED_ADDRESS_PAIR = s.object(
    "An address besides its own that the interface may use.",
    {
        "ip": s.object(
            "Block of addresses.",
            {
                "ipPrefix": s.string("First address of the block."),
                "ipPrefixLen": s.int_or_string("Bits of the prefix."),
            },
        ),
        "mac": s.string("MAC address; the interface's own when empty."),
        "addressMode": s.string(
            "active-standby for VRRP (also when empty), active-active for ECMP.",
            enum=("", "active-standby", "active-active"),
        ),
    },
)

VIRTUAL_MACHINE_INTERFACE = core_kind(
    "VirtualMachineInterface",
    "virtualmachineinterfaces",
    "vmi",
    "VirtualMachineInterface represents an interface(port) into virtual network. It may or may not"
    " have corresponding virtual machine. A virtual machine interface has at least a MAC address"
    " and an IP address.",
    namespaced=True,
    categories=("contrail", "networking"),
    schema=core_schema(
        "VirtualMachineInterface",
        {
            "parent": parent("The Namespace or VirtualRouter that the interface belongs to."),
            "virtualNetworkReference": reference("The VirtualNetwork. Immutable."),
            "virtualMachineReferences": references("The VirtualMachine that has the interface."),
            _MACS: s.object(
                "MAC addresses.",
                {"macAddress": s.strings("Assigned by the system when none is given.")},
            ),
            "virtualMachineInterfaceDisablePolicy": s.boolean(
                "Packet mode: no flows, hence no policy, floating addresses or link-local services."
            ),
            "allowedAddressPairs": s.object(
                "Further addresses that may be used on the interface.",
                {"allowedAddressPair": s.array(_ALLOWED_ADDRESS_PAIR, "The addresses.")},
            ),
            "portSecurityEnabled": s.boolean("Drop packets with addresses of others."),
            "virtualMachineInterfaceReferences": references("Sub-interfaces of this interface."),
            "properties": s.object(
                "Properties of a sub-interface.",
                {
                    "subInterfaceVlanTag": s.integer(
                        "802.1Q tag.", bits=64, minimum=0, maximum=MAX_VLAN
                    )
                },
            ),
            "tagReferences": references("Tags."),
        },
        {
            "routingInstanceReferences": references(
                "Routing instances that the interface takes part in.",
                attributes=struct("", {"direction": s.string("ingress, egress or both.")}),
            ),
            "bgpRouterReference": reference("The client router of a BGPAsAService."),
        },
    ),
    columns=(
        Column(
            name="ClusterName",
            cell=lambda obj: annotation(obj, POD_CLUSTER_NAME),
            description="Cluster of the pod.",
        ),
        NAME,
        Column(
            name="Network",
            path=".spec.virtualNetworkReference.name",
            description="The VirtualNetwork.",
        ),
        Column(
            name="PodName",
            cell=lambda obj: annotation(obj, POD_NAME),
            description="The pod that has the interface.",
        ),
        Column(
            name="IfcName",
            cell=lambda obj: annotation(obj, INTERFACE),
            description="Name of the interface inside the pod.",
        ),
    ),
    complete=_complete,
    validate=_validate,
    made_for=pod_of,
)
