"""Tag (cn2-api.md 4.15)."""

from __future__ import annotations

from cn2.api import schema as s
from cn2.api.access import at
from cn2.api.checks import immutable, refers_to
from cn2.api.kind import Column, FieldError, Object
from cn2.api.v1alpha1.shared import NO_FILTER, core_kind, core_schema, reference


def _validate(new: Object, old: Object | None) -> list[FieldError]:
    return [
        *refers_to("spec.tagTypeReference", at(new, "spec", "tagTypeReference"), "TagType"),
        *immutable(new, old, "spec.tagTypeName", "spec.tagValue"),
    ]


TAG = core_kind(
    "Tag",
    "tags",
    "t",
    "Tag is a type and a value by which firewall rules select interfaces.",
    namespaced=False,
    categories=("contrail", "security"),
    schema=core_schema(
        "Tag",
        {
            "tagTypeName": s.string("Name of the type, for example a label's key. Immutable."),
            "tagValue": s.string("The value. Immutable."),
            "tagTypeReference": reference("The TagType."),
        },
        {"tagId": s.string("Number of the tag: the type's times 65536, plus the value's.")},
    ),
    columns=(
        Column(name="TagType", path=".spec.tagTypeName", description="Name of the type."),
        Column(name="TagValue", path=".spec.tagValue", description="The value."),
        Column(name="ID", path=".status.tagId", description="Number of the tag."),
    ),
    validate=_validate,
    inert=NO_FILTER,
)
