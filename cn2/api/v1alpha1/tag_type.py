"""TagType (cn2-api.md 4.15)."""

from __future__ import annotations

from cn2.api import schema as s
from cn2.api.kind import Column
from cn2.api.v1alpha1.shared import NO_FILTER, core_kind, core_schema

TAG_TYPE = core_kind(
    "TagType",
    "tagtypes",
    "tt",
    "TagType is a dimension of Tags, for example a label's key.",
    namespaced=False,
    categories=("contrail", "security"),
    schema=core_schema("TagType", status={"tagTypeId": s.string("Number of the type.")}),
    columns=(Column(name="ID", path=".status.tagTypeId", description="Number of the type."),),
    kept_by=("Tag",),
    inert=NO_FILTER,
)
