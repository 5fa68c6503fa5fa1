"""ServiceAccount (core/v1)."""

from __future__ import annotations

from cn2.api import schema as s
from cn2.api.access import items
from cn2.api.columns import AGE, NAME
from cn2.api.kind import Column, Kind, Object
from cn2.api.shared_types import LOCAL_OBJECT_REFERENCE, object_reference


def _secrets(obj: Object) -> int:
    return len(items(obj, "secrets"))


SERVICE_ACCOUNT = Kind(
    group="",
    version="v1",
    kind="ServiceAccount",
    plural="serviceaccounts",
    short_names=("sa",),
    namespaced=True,
    description="ServiceAccount binds together a name and a principal that can be authenticated.",
    schema=s.whole(
        automountServiceAccountToken=s.boolean(
            "Whether pods running as this service account should have an API token mounted."
        ),
        imagePullSecrets=s.array(LOCAL_OBJECT_REFERENCE, "References to secrets for pulling."),
        secrets=s.list_map(
            object_reference(""), ("name",), "Secrets that pods running as this may use."
        ),
    ),
    columns=(
        NAME,
        Column(name="Secrets", cell=_secrets, type="integer", description="Number of secrets."),
        AGE,
    ),
    subresources=("token",),
)
