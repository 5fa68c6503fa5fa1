"""NetworkAttachmentDefinition (cn2-api.md chapter 7; multi-net spec of the CNCF plumbing group)."""

from __future__ import annotations

import json

from cn2.api import schema as s
from cn2.api.access import annotation, at, name_of, namespace_of, text
from cn2.api.columns import AGE
from cn2.api.kind import Family, FieldError, Kind, Object, holder
from cn2.api.schema_checks import invalid

NETWORKS = "juniper.net/networks"


def _validate(new: Object, old: Object | None) -> list[FieldError]:
    """spec.config is JSON when given. The annotation is not looked at: what is wrong with it
    becomes the status annotation, so that correcting it heals."""
    config = text(new, "spec", "config")
    if not config.strip():
        return []
    try:
        parsed = json.loads(config)
    except ValueError as error:
        return [invalid("spec.config", config, f"is not JSON: {error}")]
    if not isinstance(parsed, dict):
        return [invalid("spec.config", config, "is not a JSON object")]
    return []


def _wants(obj: Object) -> list[str]:
    """A living definition with our annotation wants its network, and with it the numbers."""
    if not annotation(obj, NETWORKS) or at(obj, "metadata", "deletionTimestamp"):
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
    wants=_wants,
)
