"""GlobalSystemConfig (cn2-api.md 4.12)."""

from __future__ import annotations

from cn2.api import schema as s
from cn2.api.access import at, items, mapping, name_of
from cn2.api.checks import each_refers_to, forbidden
from cn2.api.kind import Column, FieldError, Object
from cn2.api.schema_checks import invalid
from cn2.api.v1alpha1.bgp_router import DEFAULT_AS_NUMBER
from cn2.api.v1alpha1.bgp_types import AS_NUMBER
from cn2.api.v1alpha1.shared import core_kind, core_schema, references
from cn2.net.route_target import MAX_SHORT_AS

NAME = "default-global-system-config"


def _validate(new: Object, old: Object | None) -> list[FieldError]:
    errors: list[FieldError] = []
    if name_of(new) != NAME:
        errors.append(forbidden("metadata.name", f"the only object of this kind is {NAME}"))
    spec = mapping(new, "spec")
    number = at(spec, "autonomousSystem", default=DEFAULT_AS_NUMBER)
    if number > MAX_SHORT_AS and not spec.get("enable4bytesAS"):
        errors.append(invalid("spec.autonomousSystem", number, "needs enable4bytesAS above 65535"))
    references = items(spec, "bgpRouterReferences")
    return errors + each_refers_to("spec.bgpRouterReferences", references, "BGPRouter")


GLOBAL_SYSTEM_CONFIG = core_kind(
    "GlobalSystemConfig",
    "globalsystemconfigs",
    "gsc",
    "GlobalSystemConfig is the configuration of the whole system.",
    namespaced=False,
    categories=("contrail", "contrail-cluster"),
    schema=core_schema(
        "GlobalSystemConfig",
        {
            "enable4bytesAS": s.boolean("AS numbers may have four octets.", default=False),
            "autonomousSystem": {
                **AS_NUMBER,
                "description": "AS number of the control nodes and of automatic route targets.",
                "default": DEFAULT_AS_NUMBER,
            },
            "bgpRouterReferences": references("BGP routers."),
            "ibgpAutoMesh": s.boolean(
                "Give the routers of one AS sessions with each other.", default=True
            ),
            "defaultEnableSNAT": s.boolean(
                "fabricSNAT of VirtualNetworks for which nobody says otherwise."
            ),
        },
    ),
    columns=(
        Column(name="ASN", path=".spec.autonomousSystem", type="integer", description="AS number."),
    ),
    validate=_validate,
)
