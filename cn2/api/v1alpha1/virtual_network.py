"""VirtualNetwork (cn2-api.md 4.1)."""

from __future__ import annotations

from cn2.api import schema as s
from cn2.api.access import at, items, mapping, name_of, namespace_of, text
from cn2.api.checks import forbidden, refers_to, route_targets
from cn2.api.kind import Claim, Column, FieldError, Lookup, Object, holder
from cn2.api.route_target_lists import not_automatic
from cn2.api.schema_checks import invalid
from cn2.api.v1alpha1.shared import core_kind, core_schema, reference, struct
from cn2.api.v1alpha1.subnet import block_of

ID_POOL = "virtual-network-id-pool"
LISTS = ("routeTargetList", "importRouteTargetList", "exportRouteTargetList")


def _families(obj: Object) -> str:
    spec = mapping(obj, "spec")
    return ",".join(family for family in ("v6", "v4") if spec.get(f"{family}SubnetReference"))


def _validate(new: Object, old: Object | None) -> list[FieldError]:
    spec = mapping(new, "spec")
    errors = []
    for key in LISTS:
        errors += route_targets(f"spec.{key}", items(spec, key))
    for key in ("v4SubnetReference", "v6SubnetReference"):
        errors += refers_to(f"spec.{key}", spec.get(key), "Subnet")
    errors += refers_to(
        "spec.providerNetworkReference", spec.get("providerNetworkReference"), "VirtualNetwork"
    )
    if spec.get("fabricForwarding") and spec.get("isProviderNetwork"):
        errors.append(
            forbidden("spec.fabricForwarding", "may not be set together with isProviderNetwork")
        )
    if at(old, "spec", "isProviderNetwork") and not spec.get("isProviderNetwork"):
        errors.append(forbidden("spec.isProviderNetwork", "a provider network stays one"))
    return errors


def _validate_among(new: Object, old: Object | None, lookup: Lookup) -> list[FieldError]:
    spec = mapping(new, "spec")
    errors = []
    for key in LISTS:
        errors += not_automatic(f"spec.{key}", items(spec, key), lookup)
    for family in ("v4", "v6"):
        reference = mapping(spec, f"{family}SubnetReference")
        namespace = text(reference, "namespace") or namespace_of(new)
        subnet = lookup("Subnet", namespace, text(reference, "name")) if reference else None
        if problem := wrong_family(subnet, family):
            where = f"spec.{family}SubnetReference"
            errors.append(invalid(where, f"{namespace}/{text(reference, 'name')}", problem))
    return errors


INERT = ("fabricSNAT", "fabricForwarding", "isProviderNetwork", "providerNetworkReference")
"""Fields that nothing acts on yet."""


def _warn(new: Object, old: Object | None) -> list[str]:
    return [f"spec.{key} is stored but has no effect yet" for key in INERT if at(new, "spec", key)]


def wrong_family(subnet: Object | None, family: str) -> str:
    """Why a network's reference of that family (`v4`, `v6`) cannot mean this Subnet, "" when it
    can, or when there is none yet."""
    block = block_of(subnet) if subnet is not None else None
    if block is None or block.family == family:
        return ""
    return f"its cidr {block} is IP{block.family}, so it belongs into {block.family}SubnetReference"


def _claims(obj: Object) -> list[Claim]:
    number = at(obj, "status", "virtualNetworkNetworkId")
    if not number:
        return []
    who = holder("VirtualNetwork", namespace_of(obj), name_of(obj))
    return [Claim(ID_POOL, number, who)]


VIRTUAL_NETWORK = core_kind(
    "VirtualNetwork",
    "virtualnetworks",
    "vn",
    "VirtualNetwork is a collection of endpoints (interface or IP(s) or MAC(s)) that can"
    " communicate with each other. It is also a collection of subnets whose default gateways are"
    " connected by an implicit router.",
    namespaced=True,
    categories=("contrail", "networking"),
    schema=core_schema(
        "VirtualNetwork",
        {
            "v4SubnetReference": reference("The Subnet of IPv4 addresses."),
            "v6SubnetReference": reference("The Subnet of IPv6 addresses."),
            "routeTargetList": s.strings(
                "Route targets, as target:A:B, that are both imported and exported."
            ),
            "importRouteTargetList": s.strings("Route targets that are imported only."),
            "exportRouteTargetList": s.strings("Route targets that are exported only."),
            "fabricSNAT": s.boolean(
                "Traffic to the underlay leaves with the node's address, by port mapping.",
                default=False,
            ),
            "fabricForwarding": s.boolean(
                "Makes contrail/ip-fabric the provider network of this one. Excludes"
                " isProviderNetwork."
            ),
            "isProviderNetwork": s.boolean(
                "This network is a provider network. Cannot be taken back."
            ),
            "providerNetworkReference": reference(
                "The provider network, for example contrail/ip-fabric."
            ),
            "virtualNetworkProperties": struct(
                "How packets are forwarded.",
                {
                    "forwardingMode": s.string(
                        "l2_l3: IP by routes, everything else by MAC addresses. l2: MAC addresses"
                        " only. l3: routes only.",
                        enum=("l2_l3", "l2", "l3"),
                        default="l2_l3",
                    ),
                    "rpf": s.string(
                        "Reverse path forwarding: drop a packet whose source is not reachable"
                        " through the interface that it came from.",
                        enum=("enable", "disable"),
                        default="enable",
                    ),
                },
            ),
        },
        {
            "virtualNetworkNetworkId": s.integer(
                "Number of the network, unique in the cluster; its VXLAN network identifier.",
                bits=64,
            )
        },
    ),
    columns=(
        Column(
            name="VNI",
            path=".status.virtualNetworkNetworkId",
            type="integer",
            description="VXLAN network identifier.",
        ),
        Column(name="IP Families", cell=_families, description="Families that have a Subnet."),
    ),
    validate=_validate,
    validate_among=_validate_among,
    warn=_warn,
    claims=_claims,
)
