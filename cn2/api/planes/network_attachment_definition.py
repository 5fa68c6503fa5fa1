"""NetworkAttachmentDefinition (cn2-api.md chapter 7; multi-net spec of the CNCF plumbing group)."""

from __future__ import annotations

from cn2.api import definitions, json_text
from cn2.api import schema as s
from cn2.api.access import annotation, at, mapping, name_of, namespace_of, text
from cn2.api.columns import AGE
from cn2.api.kind import Family, FieldError, Kind, Lookup, Object, holder
from cn2.api.network_annotations import mistyped
from cn2.api.route_target_lists import not_automatic
from cn2.api.schema_checks import invalid
from cn2.api.v1alpha1.subnet import too_small
from cn2.api.v1alpha1.virtual_network import INERT
from cn2.net.prefix import parse_prefix


def _validate(new: Object, old: Object | None) -> list[FieldError]:
    return _check_config(text(new, "spec", "config")) + _check_annotation(new)


def _check_config(config: str) -> list[FieldError]:
    if not config.strip():
        return []
    try:
        parsed = json_text.parse(config)
    except ValueError as error:
        return [invalid("spec.config", json_text.shown(config), str(error))]
    if not isinstance(parsed, dict):
        return [invalid("spec.config", json_text.shown(config), "must be a JSON object")]
    return []


def _check_annotation(obj: Object) -> list[FieldError]:
    asked = at(obj, "metadata", "annotations", definitions.ANNOTATION)
    return definitions.read(asked)[1] if isinstance(asked, str) else []


def _validate_among(new: Object, old: Object | None, lookup: Lookup) -> list[FieldError]:
    asked = annotation(new, definitions.ANNOTATION)
    lists = definitions.read(asked)[0].lists if asked else {}
    return [
        error
        for key, targets in lists.items()
        for error in not_automatic(f"{definitions.PATH}.{key}", targets, lookup)
    ]


def _warn(new: Object, old: Object | None) -> list[str]:
    annotations = mapping(new, "metadata", "annotations")
    asked = annotation(new, definitions.ANNOTATION)
    intent = definitions.read(asked)[0] if asked else definitions.Intent()
    small = [
        f"{definitions.PATH}.ipam{family.upper()}Subnet: {problem}"
        for family, block in intent.blocks.items()
        if (problem := too_small(parse_prefix(block.cidr), block.gateway))
    ]
    unknown = [definitions.unknown_text(intent.unknown)] if intent.unknown else []
    return (
        small
        + mistyped(annotations, definitions.ANNOTATION, [definitions.STATUS_ANNOTATION])
        + unknown
        + [
            f"{definitions.PATH}.{key} is stored but has no effect yet"
            for key in INERT
            if intent.switches.get(key)
        ]
    )


def _wants(obj: Object) -> list[str]:
    """A living definition with our annotation wants its network, and with it the numbers."""
    if not annotation(obj, definitions.ANNOTATION) or at(obj, "metadata", "deletionTimestamp"):
        return []
    namespace, name = namespace_of(obj), name_of(obj)
    return [holder(kind, namespace, name) for kind in ("VirtualNetwork", "RoutingInstance")]


NETWORK_ATTACHMENT_DEFINITION = Kind(
    group="k8s.cni.cncf.io",
    version="v1",
    kind="NetworkAttachmentDefinition",
    plural="network-attachment-definitions",
    short_names=("net-attach-def",),
    namespaced=True,
    family=Family.CRD,
    schema=s.whole(s.object("", {"config": s.string()})),
    columns=(AGE,),
    validate=_validate,
    validate_among=_validate_among,
    warn=_warn,
    wants=_wants,
)
