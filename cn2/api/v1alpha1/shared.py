"""What the kinds of core.contrail.juniper.net/v1alpha1 have in common (cn2-api.md chapter 2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from cn2.api import schema as s
from cn2.api.columns import AGE, STATE
from cn2.api.kind import (
    Claim,
    Column,
    Complete,
    Family,
    Kind,
    NameRule,
    Object,
    Schema,
    Validate,
    ValidateAmong,
    Warn,
)

GROUP = "core.contrail.juniper.net"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"

FQ_NAME = s.strings("FqName is the fully qualified name, computed by the server.")

NO_FILTER = "no traffic is filtered by it"
"""Of the kinds of security policy: `Kind.inert`."""

STATES = ("Pending", "Success", "Failure")

_REFERENCE_FIELDS: dict[str, Schema] = {
    "kind": s.string("Kind of the referent."),
    "namespace": s.string("Namespace of the referent."),
    "name": s.string("Name of the referent."),
    "uid": s.string("UID of the referent."),
    "apiVersion": s.string("API version of the referent."),
    "resourceVersion": s.string("Resource version of the referent when the link was made."),
    "fieldPath": s.string("Part of the referent that is meant, when it is not the whole."),
}


def reference(description: str, *, attributes: Schema | None = None) -> Schema:
    """A ResourceReference; with `attributes` one of the references that carry some."""
    properties = {**_REFERENCE_FIELDS, "fqName": FQ_NAME}
    if attributes is not None:
        properties["attributes"] = attributes
    return s.reference(description, properties)


def references(description: str, *, attributes: Schema | None = None) -> Schema:
    """A list of ResourceReferences that is owned as a whole."""
    return s.array(reference("", attributes=attributes), description)


def parent(description: str) -> Schema:
    """The owner in Contrail's hierarchy: a plain ObjectReference, `{}` when unset."""
    return {**s.object(description, _REFERENCE_FIELDS), s.STRUCT: True}


def struct(description: str, properties: Mapping[str, Schema]) -> Schema:
    """A struct that is serialized also when nothing is set in it."""
    return s.object(description, properties, default={})


def core_schema(
    name: str,
    spec: Mapping[str, Schema] | None = None,
    status: Mapping[str, Schema] | None = None,
    *,
    required: Sequence[str] = (),
) -> Schema:
    """The schema of a core kind: its own fields with CommonSpec and CommonStatus."""
    return s.whole(
        s.object(
            f"{name}Spec is the desired state of a {name}.",
            {"fqName": FQ_NAME, **(spec or {})},
            required=required,
            default={},
        ),
        s.object(
            f"{name}Status is the observed state of a {name}.",
            {
                "state": s.string("State of the object: Pending, Success or Failure.", enum=STATES),
                "observation": s.string("What stands in the way; empty on success."),
                **(status or {}),
            },
        ),
    )


def core_kind(
    kind: str,
    plural: str,
    short_name: str,
    description: str,
    *,
    namespaced: bool,
    schema: Schema,
    categories: tuple[str, ...] = (),
    columns: Sequence[Column] = (),
    selectable_fields: tuple[str, ...] = (),
    complete: Complete | None = None,
    validate: Validate | None = None,
    validate_among: ValidateAmong | None = None,
    warn: Warn | None = None,
    inert: str = "",
    made_for: Callable[[Object], tuple[str, str, str] | None] | None = None,
    claims: Callable[[Object], list[Claim]] | None = None,
    kept_by: tuple[str, ...] = (),
    pool_of: Callable[[Object], str] | None = None,
) -> Kind:
    """A kind of the aggregated API server. STATE and AGE stand behind the columns given."""
    return Kind(
        group=GROUP,
        version=VERSION,
        kind=kind,
        plural=plural,
        short_names=(short_name,),
        namespaced=namespaced,
        description=description,
        categories=categories,
        kept_by=kept_by,
        pool_of=pool_of,
        family=Family.AGGREGATED,
        name_rule=NameRule.PATH_SEGMENT,
        schema=schema,
        columns=(*columns, STATE, AGE),
        status=True,
        selectable_fields=("status.state", *selectable_fields),
        complete=complete,
        validate=validate,
        validate_among=validate_among,
        warn=warn,
        inert=inert,
        made_for=made_for,
        claims=claims,
    )
