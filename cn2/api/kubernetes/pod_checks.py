"""What no schema can say about pods."""

from __future__ import annotations

import copy
import re
from typing import Any

from cn2.api.access import items, mapping, text
from cn2.api.checks import forbidden
from cn2.api.kind import FieldError, Object
from cn2.api.kubernetes.pod_defaults import containers_of
from cn2.api.quantity import amount
from cn2.api.schema_checks import duplicate, invalid, quote, required

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_LABEL_RULE = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and"
    " must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used"
    " for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)


def check_pod_spec(path: str, spec: Object) -> list[FieldError]:
    """Checks of a pod spec in a pod or a template; `path` is where it stands."""
    errors: list[FieldError] = []
    if not items(spec, "containers"):
        errors.append(required(f"{path}.containers"))
    volumes = {text(volume, "name") for volume in items(spec, "volumes")}
    for index, volume in enumerate(items(spec, "volumes")):
        if not _LABEL.fullmatch(text(volume, "name")):
            where = f"{path}.volumes[{index}].name"
            errors.append(invalid(where, text(volume, "name"), _LABEL_RULE))
    seen: set[str] = set()
    for field in ("initContainers", "containers"):
        for index, container in enumerate(items(spec, field)):
            where = f"{path}.{field}[{index}]"
            errors += _check_container(where, container, volumes)
            name = text(container, "name")
            # Twice in one list is found by the schema's list keys.
            if field == "containers" and name in seen:
                errors.append(duplicate(f"{where}.name", name))
            if field == "initContainers":
                seen.add(name)
    return errors


def _check_container(path: str, container: Object, volumes: set[str]) -> list[FieldError]:
    errors = []
    name = text(container, "name")
    if not name:
        errors.append(required(f"{path}.name"))
    elif not _LABEL.fullmatch(name):
        errors.append(invalid(f"{path}.name", name, _LABEL_RULE))
    if not text(container, "image"):
        errors.append(required(f"{path}.image"))
    errors += _check_resources(f"{path}.resources", mapping(container, "resources"))
    for index, mount in enumerate(items(container, "volumeMounts")):
        if text(mount, "name") not in volumes:
            errors.append(_not_found(f"{path}.volumeMounts[{index}].name", text(mount, "name")))
    return errors


def _check_resources(path: str, resources: Object) -> list[FieldError]:
    errors = []
    limits, requests = mapping(resources, "limits"), mapping(resources, "requests")
    for section, amounts in (("limits", limits), ("requests", requests)):
        for name, value in amounts.items():
            if amount(value) < 0:
                where = f"{path}.{section}[{name}]"
                errors.append(invalid(where, value, "must be greater than or equal to 0"))
    for name in requests.keys() & limits.keys():
        if amount(requests[name]) > amount(limits[name]):
            what = f"must be less than or equal to {name} limit of {limits[name]}"
            errors.append(invalid(f"{path}.requests", requests[name], what))
    return errors


def _not_found(path: str, value: str) -> FieldError:
    return FieldError(path, f"Not found: {quote(value)}", "FieldValueNotFound", value)


def check_pod(new: Object, old: Object | None) -> list[FieldError]:
    """`validate` hook of Pod."""
    errors = check_pod_spec("spec", mapping(new, "spec"))
    if old is not None and _changes_fixed_part(new, old):
        errors.append(
            forbidden(
                "spec",
                "pod updates may not change fields other than"
                " `spec.containers[*].image`,`spec.initContainers[*].image`,"
                "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing"
                " tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it"
                " was previously negative)",
            )
        )
    return errors


def _changes_fixed_part(new: Object, old: Object) -> bool:
    same = mapping(new, "spec") == mapping(old, "spec")
    return not same and _fixed_part(new, old) != _fixed_part(old, old)


def _fixed_part(obj: Object, old: Object) -> Any:
    """The part of the spec that an update must leave alone. A node is given once (binding)."""
    spec = copy.deepcopy(mapping(obj, "spec"))
    for key in ("activeDeadlineSeconds", "tolerations", "schedulingGates"):
        spec.pop(key, None)
    if not text(old, "spec", "nodeName"):
        spec.pop("nodeName", None)
    for container in containers_of(spec):
        container.pop("image", None)
        container.pop("imagePullPolicy", None)
    return spec
