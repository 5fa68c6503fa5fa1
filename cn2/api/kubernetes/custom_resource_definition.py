"""CustomResourceDefinition (apiextensions.k8s.io/v1): read-only, made from the table of kinds."""

from __future__ import annotations

from cn2.api import schema as s
from cn2.api.columns import NAME
from cn2.api.kind import Column, Kind

CUSTOM_RESOURCE_DEFINITION = Kind(
    group="apiextensions.k8s.io",
    version="v1",
    kind="CustomResourceDefinition",
    plural="customresourcedefinitions",
    short_names=("crd", "crds"),
    categories=("api-extensions",),
    namespaced=False,
    description=(
        "CustomResourceDefinition represents a resource that should be exposed on the API server."
        " Its name MUST be in the format <.spec.name>.<.spec.group>."
    ),
    verbs=("get", "list"),
    schema=s.whole(
        s.any_object("spec describes how the user wants the resources to appear"),
        s.any_object("status indicates the actual state of the CustomResourceDefinition"),
    ),
    columns=(
        NAME,
        Column(
            name="Created At", path=".metadata.creationTimestamp", description="When it was made."
        ),
    ),
)
