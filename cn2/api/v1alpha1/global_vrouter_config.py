"""GlobalVrouterConfig (cn2-api.md 4.13)."""

from __future__ import annotations

from cn2.api import schema as s
from cn2.api.access import at, items, mapping, name_of
from cn2.api.checks import address, forbidden, immutable_references, needs
from cn2.api.kind import FieldError, Object
from cn2.api.schema_checks import invalid
from cn2.api.v1alpha1.shared import core_kind, core_schema, parent

NAME = "default-global-vrouter-config"
MAX_PORT = 65535


def _check_pools(spec: Object) -> list[FieldError]:
    errors = []
    for index, pool in enumerate(items(spec, "portTranslationPools", "pools")):
        path = f"spec.portTranslationPools.pools[{index}]"
        if ("portRange" in pool) == ("portCount" in pool):
            errors.append(invalid(path, pool, "needs exactly one of portRange and portCount"))
        first, last = at(pool, "portRange", "startPort"), at(pool, "portRange", "endPort")
        if first is not None and last is not None and first > last:
            errors.append(invalid(f"{path}.portRange.endPort", last, f"is lower than {first}"))
    return errors


def _validate(new: Object, old: Object | None) -> list[FieldError]:
    errors = []
    if name_of(new) != NAME:
        errors.append(forbidden("metadata.name", f"the only object of this kind is {NAME}"))
    spec = mapping(new, "spec")
    errors += needs("spec.parent", spec.get("parent"), "GlobalSystemConfig")
    for index, entry in enumerate(items(spec, "linklocalServices", "linklocalServiceEntry")):
        path = f"spec.linklocalServices.linklocalServiceEntry[{index}]"
        errors += address(f"{path}.linklocalServiceIP", at(entry, "linklocalServiceIP"))
        for number, ip in enumerate(items(entry, "ipFabricServiceIP")):
            errors += address(f"{path}.ipFabricServiceIP[{number}]", ip)
    return errors + _check_pools(spec) + immutable_references(new, old, "spec.parent")


_PORT = {"minimum": 0, "maximum": MAX_PORT}
_SERVICE = s.object(
    "A service of the underlay that pods reach at a link-local address.",
    {
        "linklocalServiceName": s.string("Name of the service."),
        "linklocalServiceIP": s.string("Link-local address."),
        "linklocalServicePort": s.integer("Port at that address.", **_PORT),
        "ipFabricServiceIP": s.strings("Addresses in the underlay."),
        "ipFabricServicePort": s.integer("Port in the underlay.", **_PORT),
        "ipFabricDNSServiceName": s.string("Name in the underlay, instead of addresses."),
    },
)
_PORT_POOL = s.object(
    "Ports of one protocol: a range, or a number of ports.",
    {
        "protocol": s.string("tcp or udp.", enum=("tcp", "udp")),
        "portRange": s.object(
            "First and last port.",
            {
                "startPort": s.integer("First port.", **_PORT),
                "endPort": s.integer("Last port.", **_PORT),
            },
            required=("startPort", "endPort"),
        ),
        "portCount": s.integer("How many ports.", minimum=1, maximum=MAX_PORT),
    },
    required=("protocol",),
)

GLOBAL_VROUTER_CONFIG = core_kind(
    "GlobalVrouterConfig",
    "globalvrouterconfigs",
    "gvc",
    "GlobalVrouterConfig is the configuration of all vRouters.",
    namespaced=False,
    categories=("contrail", "contrail-cluster"),
    schema=core_schema(
        "GlobalVrouterConfig",
        {
            "parent": parent("The GlobalSystemConfig."),
            "encapsulationPriorities": s.object(
                "Encapsulations, most wanted first.",
                {
                    "encapsulation": s.array(
                        s.string(enum=("MPLSoGRE", "MPLSoUDP", "VXLAN")), "Encapsulations."
                    )
                },
                required=("encapsulation",),
            ),
            "linklocalServices": s.object(
                "Services of the underlay at link-local addresses.",
                {"linklocalServiceEntry": s.array(_SERVICE, "The services.")},
                required=("linklocalServiceEntry",),
            ),
            "portTranslationPools": s.object(
                "Ports that source NAT uses.", {"pools": s.array(_PORT_POOL, "The pools.")}
            ),
            "flowExportRate": s.integer("Flow records per second.", minimum=0),
        },
        required=("parent",),
    ),
    validate=_validate,
)
