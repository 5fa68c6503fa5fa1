"""AddressGroup (cn2-api.md 4.16)."""

from __future__ import annotations

from cn2.api import schema as s
from cn2.api.access import items
from cn2.api.checks import block
from cn2.api.kind import Column, FieldError, Object
from cn2.api.v1alpha1.shared import NO_FILTER, core_kind, core_schema

FIREWALL_SUBNET = s.object(
    "A block of addresses.",
    {
        "ipPrefix": s.string("First address of the block."),
        "ipPrefixLen": s.int_or_string("Bits of the prefix."),
    },
)


def _subnets(obj: Object) -> int:
    return len(items(obj, "spec", "addressGroupPrefixes", "subnet"))


def _validate(new: Object, old: Object | None) -> list[FieldError]:
    path = "spec.addressGroupPrefixes.subnet"
    return [
        error
        for index, subnet in enumerate(items(new, *path.split(".")))
        for error in block(f"{path}[{index}]", subnet)
    ]


ADDRESS_GROUP = core_kind(
    "AddressGroup",
    "addressgroups",
    "ag",
    "AddressGroup is a set of address blocks that firewall rules refer to.",
    namespaced=True,
    categories=("contrail", "security"),
    schema=core_schema(
        "AddressGroup",
        {
            "addressGroupPrefixes": s.object(
                "The blocks.", {"subnet": s.array(FIREWALL_SUBNET, "Blocks of addresses.")}
            )
        },
    ),
    columns=(
        Column(name="Subnets", cell=_subnets, type="integer", description="Number of blocks."),
    ),
    validate=_validate,
    inert=NO_FILTER,
    kept_by=("FirewallRule",),
)
