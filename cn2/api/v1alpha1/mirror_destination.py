"""MirrorDestination (cn2-api.md 4.20)."""

from __future__ import annotations

from cn2.api import schema as s
from cn2.api.access import mapping
from cn2.api.checks import address, mac
from cn2.api.kind import Column, FieldError, Object
from cn2.api.schema_checks import required
from cn2.api.v1alpha1.shared import core_kind, core_schema, reference


def _validate(new: Object, old: Object | None) -> list[FieldError]:
    spec = mapping(new, "spec")
    header = mapping(spec, "staticNextHopHeader")
    path = "spec.staticNextHopHeader"
    errors = [
        *address(f"{path}.vTEPDestinationIP", header.get("vTEPDestinationIP")),
        *mac(f"{path}.vTEPDestinationMac", header.get("vTEPDestinationMac")),
    ]
    if spec.get("nextHopMode") == "static":
        needed = ("vTEPDestinationIP", "vTEPDestinationMac", "vxlanID")
        missing = [f"{path}.{key}" for key in needed if not header.get(key)]
        errors += [required(where) for where in (missing if header else [path])]
    return errors


MIRROR_DESTINATION = core_kind(
    "MirrorDestination",
    "mirrordestinations",
    "md",
    "MirrorDestination is an analyzer that receives copies of an interface's packets.",
    namespaced=False,
    schema=core_schema(
        "MirrorDestination",
        {
            "trafficDirection": s.string(
                "Direction of the packets that are copied.",
                enum=("ingress", "egress", "both"),
                default="both",
            ),
            "udpPort": s.integer("UDP port of the copies.", minimum=0, maximum=65535),
            "juniperHeader": s.boolean("Put a Juniper header before a copy.", default=True),
            "nextHopMode": s.string(
                "Where the analyzer is: found by its pod, or given.",
                enum=("dynamic", "static"),
                default="dynamic",
            ),
            "staticNextHopHeader": s.object(
                "Where the analyzer is, with nextHopMode static.",
                {
                    "vTEPDestinationIP": s.string("Address of the tunnel's end."),
                    "vTEPDestinationMac": s.string("MAC address behind it."),
                    "vxlanID": s.integer("VXLAN network identifier.", minimum=0, maximum=16777215),
                },
            ),
            "nicAssistedMirroring": s.boolean("The network card makes the copies.", default=False),
            "nicAssistedVlanID": s.integer("VLAN of such copies.", minimum=0, maximum=4094),
        },
        {
            "virtualmachineinterfacereference": reference("Interface of the analyzer."),
            "instanceipference": reference("Address of the analyzer."),
        },
    ),
    columns=(
        Column(
            name="Direction",
            path=".spec.trafficDirection",
            description="Direction of the packets that are copied.",
        ),
    ),
    validate=_validate,
    inert="no packets are copied",
)
