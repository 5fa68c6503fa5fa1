"""InstanceIP (cn2-api.md 4.8)."""

from __future__ import annotations

from cn2.api import schema as s
from cn2.api.access import items, mapping, name_of, text
from cn2.api.checks import (
    address,
    cidr,
    each_refers_to,
    immutable_references,
    needs,
)
from cn2.api.kind import Claim, Column, FieldError, Object, holder
from cn2.api.references import keep
from cn2.api.schema_checks import invalid
from cn2.api.v1alpha1.shared import core_kind, core_schema, reference, references
from cn2.api.v1alpha1.virtual_machine_interface import pod_of
from cn2.net.prefix import family_of, parse_address, parse_prefix


def subnet_pool_name(namespace: str, name: str) -> str:
    """What CN2 calls the pool of a Subnet's addresses (cn2-api.md 3.10).

    The same for a-b/c and a/b-c, so nothing is claimed under it.
    """
    return f"subnet-id-pool-Subnet-{namespace}-{name}"


def subnet_claim_pool(namespace: str, name: str) -> str:
    """The pool that a Subnet's addresses are claimed in: no two Subnets share it."""
    return f"subnet-id-pool-Subnet-{namespace}/{name}"


def _network(obj: Object) -> str:
    network = mapping(obj, "spec", "virtualNetworkReference")
    if not network:
        return ""
    return f"{text(network, 'namespace')}/{text(network, 'name')}"


def _complete(new: Object, old: Object | None) -> None:
    spec = mapping(new, "spec")
    keep(spec, mapping(old, "spec"), "instanceIPAddress", "cidr", "instanceIPFamily")
    ip = text(spec, "instanceIPAddress")
    if ip and not address("", ip):
        spec["instanceIPAddress"] = str(parse_address(ip))
        if not spec.get("instanceIPFamily"):
            spec["instanceIPFamily"] = family_of(ip)


def _check_address(new: Object) -> list[FieldError]:
    path, ip = "spec.instanceIPAddress", text(new, "spec", "instanceIPAddress")
    block_text = text(new, "spec", "cidr")
    family = text(new, "spec", "instanceIPFamily")
    errors = address(path, ip) + cidr("spec.cidr", block_text)
    if errors or not ip:
        return errors
    if family and family_of(ip) != family:
        errors.append(invalid(path, ip, f"is not an address of family {family}"))
    if block_text and ip not in parse_prefix(block_text):
        errors.append(invalid(path, ip, f"not in {block_text}"))
    return errors


def _unchangeable(new: Object, old: Object | None) -> list[FieldError]:
    """What nobody changes; the address once it is taken from a Subnet: a controller whose pick
    was refused picks another."""
    taken = mapping(old, "status", "subnetReference")
    keys = ("instanceIPFamily", "instanceIPAddress", "cidr") if taken else ("instanceIPFamily",)
    errors = []
    for key in keys:
        before, now = text(old, "spec", key), text(new, "spec", key)
        if before and now != before:
            errors.append(invalid(f"spec.{key}", now, "field is immutable"))
    return errors


def _validate(new: Object, old: Object | None) -> list[FieldError]:
    spec = mapping(new, "spec")
    return [
        *_check_address(new),
        *needs(
            "spec.virtualNetworkReference", spec.get("virtualNetworkReference"), "VirtualNetwork"
        ),
        *each_refers_to(
            "spec.virtualMachineInterfaceReferences",
            items(spec, "virtualMachineInterfaceReferences"),
            "VirtualMachineInterface",
        ),
        *_unchangeable(new, old),
        *immutable_references(new, old, "spec.virtualNetworkReference"),
    ]


def _claims(obj: Object) -> list[Claim]:
    subnet = mapping(obj, "status", "subnetReference")
    ip, block = text(obj, "spec", "instanceIPAddress"), text(obj, "spec", "cidr")
    if not (subnet and ip and block):
        return []
    pool = subnet_claim_pool(text(subnet, "namespace"), text(subnet, "name"))
    try:
        id = parse_prefix(block).id(ip)
    except ValueError:
        return []
    return [Claim(pool, id, holder("InstanceIP", "", name_of(obj)))]


INSTANCE_IP = core_kind(
    "InstanceIP",
    "instanceips",
    "iip",
    "InstanceIP represents an IP address and its configuration used for interfaces.",
    namespaced=False,
    categories=("contrail", "ipam", "networking"),
    schema=core_schema(
        "InstanceIP",
        {
            "instanceIPAddress": s.string(
                "The address; allocated when not given. Immutable once it is taken."
            ),
            "instanceIPFamily": s.string("v4 or v6. Immutable.", enum=("", "v4", "v6")),
            "cidr": s.string("The block that the address belongs to."),
            "virtualNetworkReference": reference(
                "The VirtualNetwork whose Subnet gives the address. Immutable."
            ),
            "virtualMachineInterfaceReferences": references("Interfaces that use the address."),
            "ipRangeKeys": s.strings("Which of the Subnet's ranges to take the address from."),
        },
        {"subnetReference": reference("The Subnet that the address was taken from.")},
    ),
    columns=(
        Column(name="IPAddress", path=".spec.instanceIPAddress", description="The address."),
        Column(name="Network", cell=_network, description="namespace/name of the network."),
    ),
    complete=_complete,
    made_for=pod_of,
    validate=_validate,
    claims=_claims,
)
