"""VirtualNetworkRouter (cn2-api.md 4.5)."""

from __future__ import annotations

from cn2.api import schema as s
from cn2.api.access import at, items
from cn2.api.checks import immutable
from cn2.api.kind import Column, FieldError, Object
from cn2.api.selector_checks import selector
from cn2.api.shared_types import label_selector
from cn2.api.v1alpha1.shared import core_kind, core_schema, struct


def _validate(new: Object, old: Object | None) -> list[FieldError]:
    errors = selector("spec.virtualNetworkSelector", at(new, "spec", "virtualNetworkSelector"))
    for index, one in enumerate(items(new, "spec", "import", "virtualNetworkRouters")):
        path = f"spec.import.virtualNetworkRouters[{index}]"
        for key in ("virtualNetworkRouterSelector", "namespaceSelector"):
            errors += selector(f"{path}.{key}", at(one, key))
    return errors + immutable(new, old, "spec.type")


VIRTUAL_NETWORK_ROUTER = core_kind(
    "VirtualNetworkRouter",
    "virtualnetworkrouters",
    "vnr",
    "VirtualNetworkRouter establishes connectivity between two or more VirtualNetworks",
    namespaced=True,
    schema=core_schema(
        "VirtualNetworkRouter",
        {
            "type": s.string(
                "mesh joins the selected networks with each other; spoke joins them with the"
                " networks of the hubs that it imports, hub with those of its spokes. Immutable.",
                enum=("mesh", "spoke", "hub"),
            ),
            "virtualNetworkSelector": label_selector(
                "Labels of the VirtualNetworks, in the router's own namespace."
            ),
            "import": struct(
                "Other routers to connect with. Takes effect when both sides import each other.",
                {
                    "virtualNetworkRouters": s.array(
                        s.object(
                            "",
                            {
                                "virtualNetworkRouterSelector": label_selector(
                                    "Labels of the VirtualNetworkRouters."
                                ),
                                "namespaceSelector": label_selector(
                                    "Labels of their namespaces; the own namespace when absent."
                                ),
                            },
                        ),
                        "Selectors of routers.",
                    )
                },
            ),
        },
        required=("type", "virtualNetworkSelector"),
    ),
    columns=(Column(name="Type", path=".spec.type", description="mesh, spoke or hub."),),
    validate=_validate,
    inert="no routes are leaked between networks",
)
