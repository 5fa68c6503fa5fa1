"""Subnet (cn2-api.md 4.2)."""

from __future__ import annotations

from typing import Any

from cn2.api import schema as s
from cn2.api.access import items, mapping, name_of, namespace_of, text
from cn2.api.checks import address, cidr, immutable
from cn2.api.definitions import gateway_problem
from cn2.api.kind import Column, FieldError, Object
from cn2.api.references import keep
from cn2.api.schema_checks import invalid, required
from cn2.api.v1alpha1.instance_ip import subnet_claim_pool
from cn2.api.v1alpha1.shared import core_kind, core_schema
from cn2.net.prefix import Prefix, parse_address, parse_prefix


def block_of(obj: Object) -> Prefix | None:
    """The addresses of a Subnet, or None when its cidr is not valid."""
    try:
        return parse_prefix(text(obj, "spec", "cidr"))
    except ValueError:
        return None


def _complete(new: Object, old: Object | None) -> None:
    spec = mapping(new, "spec")
    keep(spec, mapping(old, "spec"), "defaultGateway", "bgpaasPrimaryIP", "bgpaasSecondaryIP")
    block = block_of(new)
    if block is not None and not spec.get("defaultGateway"):
        spec["defaultGateway"] = block.default_gateway


def _inside(path: str, value: Any, block: Prefix) -> list[FieldError]:
    errors = address(path, value)
    if value and not errors and value not in block:
        errors = [invalid(path, value, f"not in {block}")]
    return errors


def _check_gateway(gateway: Any, block: Prefix) -> list[FieldError]:
    problem = gateway_problem(gateway, block) if gateway else ""
    return [invalid("spec.defaultGateway", gateway, problem)] if problem else []


def _check_ranges(ranges: list[Any], block: Prefix) -> list[FieldError]:
    errors = []
    for i, entry in enumerate(ranges):
        for j, ip_range in enumerate(items(entry, "ipRanges")):
            path = f"spec.ranges[{i}].ipRanges[{j}]"
            first, last = text(ip_range, "from"), text(ip_range, "to")
            wrong = _inside(f"{path}.from", first, block) + _inside(f"{path}.to", last, block)
            if (
                not wrong
                and first
                and last
                and int(parse_address(first)) > int(parse_address(last))
            ):
                wrong.append(invalid(f"{path}.to", last, f"is lower than {first}"))
            errors += wrong
    return errors


def _validate(new: Object, old: Object | None) -> list[FieldError]:
    spec = mapping(new, "spec")
    errors = cidr("spec.cidr", spec.get("cidr"))
    if spec.get("cidr") == "":
        errors.append(required("spec.cidr"))
    block = block_of(new)
    if block is not None:
        if old is None and not block.for_hosts:
            message = "has addresses that no interface can have"
            errors.append(invalid("spec.cidr", str(block), message))
        errors += _check_gateway(spec.get("defaultGateway"), block)
        errors += _check_ranges(items(spec, "ranges"), block)
        for key in ("bgpaasPrimaryIP", "bgpaasSecondaryIP"):
            errors += _inside(f"spec.{key}", spec.get(key), block)
            if spec.get("disableBGPaaSIPAutoAllocation") and not spec.get(key):
                errors.append(required(f"spec.{key}"))
    for index, server in enumerate(items(spec, "dnsNameservers")):
        errors += address(f"spec.dnsNameservers[{index}]", server)
    return errors + immutable(new, old, "spec.cidr")


def too_small(block: Prefix, gateway: str = "") -> str:
    """What is said of a block in which every address is reserved, "" of others."""
    if block.capacity > len(block.reserved_ids(gateway)):
        return ""
    return f"{block} has no address for pods: all of its {block.capacity} are reserved"


def _warn(new: Object, old: Object | None) -> list[str]:
    block = block_of(new)
    problem = too_small(block, text(new, "spec", "defaultGateway")) if block else ""
    return [f"spec.cidr: {problem}"] if problem else []


_RANGE = s.object(
    "Range is a named list of address ranges.",
    {
        "key": s.string("Name by which an InstanceIP asks for these ranges."),
        "ipRanges": s.array(
            s.object(
                "Addresses from the first to the last, both included.",
                {"from": s.string("First address."), "to": s.string("Last address.")},
                required=("from", "to"),
            ),
            "Ranges of addresses.",
        ),
    },
)

SUBNET = core_kind(
    "Subnet",
    "subnets",
    "sn",
    "Subnet represents a block of IP addresses and its configuration. IPAM allocates and releases"
    " IP address from that block on demand. It can be used by different VirtualNetwork in the mean"
    " time.",
    namespaced=True,
    categories=("contrail", "ipam", "networking"),
    schema=core_schema(
        "Subnet",
        {
            "cidr": s.string("The block of addresses, for example 172.16.10.0/24. Immutable."),
            "defaultGateway": s.string("Gateway; the first host address when not given."),
            "dnsNameservers": s.strings("Addresses of name servers."),
            "ranges": s.array(
                _RANGE,
                "Where addresses are taken from, by key; the whole block when empty. A later entry"
                " replaces an earlier one with the same key.",
            ),
            "disableBGPaaSIPAutoAllocation": s.boolean(
                "Take bgpaasPrimaryIP and bgpaasSecondaryIP as given instead of allocating them."
            ),
            "bgpaasPrimaryIP": s.string("Address of the first control node for BGPAsAService."),
            "bgpaasSecondaryIP": s.string("Address of the second control node."),
        },
        {
            "ipCount": s.integer("Number of addresses in use, reserved ones included.", bits=64),
            "allocationUsage": s.string("Share of the addresses that is in use."),
        },
        required=("cidr",),
    ),
    columns=(
        Column(name="CIDR", path=".spec.cidr", description="The block of addresses."),
        Column(
            name="Usage",
            path=".status.allocationUsage",
            description="Share of the addresses that is in use.",
        ),
    ),
    complete=_complete,
    validate=_validate,
    warn=_warn,
    pool_of=lambda obj: subnet_claim_pool(namespace_of(obj), name_of(obj)),
)
