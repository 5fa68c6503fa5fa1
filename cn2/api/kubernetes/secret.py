"""Secret (core/v1)."""

from __future__ import annotations

import base64

from cn2.api import schema as s
from cn2.api.access import at, mapping
from cn2.api.columns import AGE, NAME
from cn2.api.kind import Column, FieldError, Kind, Object
from cn2.api.kubernetes.config_map import base64_size, check_immutable, check_size, count_data
from cn2.api.schema_checks import invalid


def _complete(new: Object, old: Object | None) -> None:
    plain = new.pop("stringData", None) or {}
    if plain:
        encoded = {key: base64.b64encode(value.encode()).decode() for key, value in plain.items()}
        new["data"] = {**mapping(new, "data"), **encoded}
    if not new.get("type"):
        new["type"] = at(old, "type", default="Opaque")


def _validate(new: Object, old: Object | None) -> list[FieldError]:
    errors = check_immutable(new, old)
    errors += check_size(map(base64_size, mapping(new, "data").values()))
    if old is not None and new.get("type") != old.get("type"):
        errors.append(invalid("type", new.get("type"), "field is immutable"))
    return errors


SECRET = Kind(
    group="",
    version="v1",
    kind="Secret",
    plural="secrets",
    namespaced=True,
    description=(
        "Secret holds secret data of a certain type. The total bytes of the values in the Data"
        " field must be less than MaxSecretSize bytes."
    ),
    schema=s.whole(
        data=s.map_of(s.string(format="byte"), "Data contains the secret data, in base64."),
        immutable=s.boolean("Data stored in the Secret cannot be updated."),
        stringData=s.map_of(s.string(), "Secret data in string form; write-only."),
        type=s.string("Used to facilitate programmatic handling of secret data."),
    ),
    columns=(
        NAME,
        Column(name="Type", path=".type", description="Type of the secret."),
        Column(name="Data", cell=count_data, type="integer", description="Number of keys."),
        AGE,
    ),
    selectable_fields=("type",),
    complete=_complete,
    validate=_validate,
)
