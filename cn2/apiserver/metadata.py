"""The part of an object's metadata that is the server's business."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from cn2.api.kind import Family, FieldError, Kind, NameRule, Object
from cn2.apiserver.errors import bad_request, conflict, invalid

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_LABEL_1035 = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_QUALIFIED = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")

_SUBDOMAIN_TEXT = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or"
    " '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used"
    " for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
_LABEL_TEXT = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and"
    " must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex"
    " used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
_LABEL_1035_TEXT = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an"
    " alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or"
    " 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"
)

_QUALIFIED_TEXT = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an"
    " alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for"
    " validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
_OPTIONAL_PREFIX = "with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
_LABEL_VALUE_TEXT = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.',"
    " and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or"
    " '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)
_LABEL_LIMIT = 63
_ANNOTATIONS = 256 << 10
"""Bytes that all annotations of an object may have together."""

_SEGMENT_LIMIT = 512
"""Room for what is made from two names of 253 characters; a name must fit into a URL."""
_GENERATED_LIMIT = 58
_TEXT_MAPS = ("labels", "annotations")
_TYPES: dict[str, tuple[type, str]] = {
    "generateName": (str, "a string"),
    **dict.fromkeys(_TEXT_MAPS, (dict, "an object")),
}
_SERVER_OWNED = (
    "uid",
    "creationTimestamp",
    "generation",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "selfLink",
)

_GENERATION_GROUPS = frozenset(
    {"apps", "batch", "discovery.k8s.io", "networking.k8s.io", "policy", "scheduling.k8s.io"}
)
"""Of Kubernetes' own kinds, those of these groups count generations."""


def of(obj: Object) -> dict[str, Any]:
    """The metadata of what a client sent, as a dict that is part of the object; of the right types
    where it is looked at before the schema is. Raises BadRequest."""
    metadata = obj.setdefault("metadata", {})
    if metadata is None:
        metadata = obj["metadata"] = {}
    if not isinstance(metadata, dict):
        raise bad_request("metadata is not an object")
    for field, (wanted, called) in _TYPES.items():
        value = metadata.get(field)
        if value is not None and not isinstance(value, wanted):
            raise bad_request(f"metadata.{field}: must be {called}")
    return metadata


def check_type(kind: Kind, obj: Object) -> None:
    """The object is of the kind that the URL names; what was left out is filled in."""
    given = obj.get("apiVersion") or kind.api_version, obj.get("kind") or kind.kind
    if given != (kind.api_version, kind.kind):
        raise bad_request(
            f"the object provided is {given[0]}, Kind={given[1]},"
            f" the URL is for {kind.api_version}, Kind={kind.kind}"
        )
    obj["apiVersion"], obj["kind"] = given


def place(kind: Kind, obj: Object, namespace: str) -> None:
    """The object is in the namespace that the URL names."""
    metadata = of(obj)
    if not kind.namespaced:
        if metadata.pop("namespace", ""):
            raise bad_request("namespace may not be set on a cluster-scoped object")
        return
    if (metadata.get("namespace") or namespace) != namespace:
        raise bad_request(
            "the namespace of the provided object does not match the namespace sent on the request"
        )
    metadata["namespace"] = namespace


def name_new(kind: Kind, obj: Object, suffix: Callable[[], str]) -> bool:
    """Checks the name of a new object or generates one; tells whether it generated."""
    metadata = of(obj)
    prefix = metadata.get("generateName") or ""
    generated = bool(prefix) and not metadata.get("name")
    if generated:
        metadata["name"] = generated_name(prefix, suffix)
    name = metadata.get("name")
    if not name:
        error = FieldError(
            "metadata.name",
            "Required value: name or generateName is required",
            "FieldValueRequired",
        )
        raise invalid(kind, "", [error])
    errors = _name_errors(kind, name) + text_map_errors(metadata)
    if errors:
        raise invalid(kind, str(name), errors)
    return generated


def generated_name(prefix: str, suffix: Callable[[], str]) -> str:
    """A name that begins with `generateName` and is not too long for any kind."""
    return prefix[:_GENERATED_LIMIT] + suffix()


def strip_new(obj: Object) -> None:
    """Forgets what only the server may say of a new object."""
    metadata = of(obj)
    if metadata.pop("resourceVersion", None):
        raise bad_request("resourceVersion should not be set on objects to be created")
    for name in (*_SERVER_OWNED, "managedFields"):
        metadata.pop(name, None)


def check_uid(kind: Kind, new: Object, old: Object) -> None:
    """A writer that names a uid means that object and no later one of the same name."""
    uid, actual = of(new).get("uid"), old["metadata"]["uid"]
    if uid and uid != actual:
        why = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {actual}"
        raise conflict(kind, old["metadata"]["name"], why)


def carry_over(kind: Kind, new: Object, old: Object) -> None:
    """An update keeps what only the server may say; finalizers of the dying only shrink."""
    metadata, before = of(new), old["metadata"]
    for name in (*_SERVER_OWNED, "generateName"):
        if name in before:
            metadata[name] = before[name]
        else:
            metadata.pop(name, None)
    # An empty list is not the same as none: it resets the ownership of all fields.
    if metadata.get("managedFields") is None and "managedFields" in before:
        metadata["managedFields"] = before["managedFields"]
    same = all(metadata.get(field) == before.get(field) for field in _TEXT_MAPS)
    errors = [] if same else text_map_errors(metadata)
    if before.get("deletionTimestamp"):
        added = set(metadata.get("finalizers") or ()) - set(before.get("finalizers") or ())
        if added:
            errors.append(
                FieldError(
                    "metadata.finalizers",
                    "Forbidden: no new finalizers can be added if the object is being deleted,"
                    f" found new finalizers {sorted(added)}",
                    "FieldValueForbidden",
                )
            )
    if errors:
        raise invalid(kind, before["name"], errors)


def has_generation(kind: Kind) -> bool:
    return kind.family is not Family.KUBERNETES or kind.group in _GENERATION_GROUPS


def count_generation(kind: Kind, new: Object, old: Object) -> None:
    """A change of anything but metadata and status is a new generation."""
    if has_generation(kind) and _intent(new) != _intent(old):
        new["metadata"]["generation"] = old["metadata"].get("generation", 0) + 1


def _intent(obj: Object) -> Object:
    return {key: value for key, value in obj.items() if key not in ("metadata", "status")}


def text_map_errors(metadata: dict[str, Any]) -> list[FieldError]:
    """What is wrong with labels and annotations."""
    errors = []
    annotations = metadata.get("annotations") or {}
    if sum(len(str(key)) + len(str(value)) for key, value in annotations.items()) > _ANNOTATIONS:
        message = f"Too long: may not be more than {_ANNOTATIONS} bytes"
        errors.append(FieldError("metadata.annotations", message, "FieldValueTooLong"))
    for field in _TEXT_MAPS:
        for key, value in (metadata.get(field) or {}).items():
            where = f"metadata.{field}"
            problem = _key_problem(key, lower=field == "annotations")
            if problem:
                errors.append(FieldError(where, f'Invalid value: "{key}": {problem}'))
            elif field == "labels" and (problem := _label_value_problem(value)):
                errors.append(FieldError(where, f'Invalid value: "{value}": {problem}'))
    return errors


def _key_problem(key: str, *, lower: bool) -> str:
    """Why this is no key of a label or an annotation, in Kubernetes' words; "" when it is one."""
    prefix, slash, name = key.rpartition("/")
    if "/" in prefix:
        return f"a qualified name {_QUALIFIED_TEXT} {_OPTIONAL_PREFIX}"
    if slash:
        if not prefix:
            return "prefix part must be non-empty"
        problem = _problem(prefix.lower() if lower else prefix, _SUBDOMAIN, 253, _SUBDOMAIN_TEXT)
        if problem:
            return f"prefix part {problem}"
    if not name:
        return "name part must be non-empty"
    if len(name) > _LABEL_LIMIT:
        return f"name part must be no more than {_LABEL_LIMIT} characters"
    return "" if _QUALIFIED.fullmatch(name) else f"name part {_QUALIFIED_TEXT}"


def _label_value_problem(value: Any) -> str:
    if not isinstance(value, str):
        return "a valid label must be a string"
    if len(value) > _LABEL_LIMIT:
        return f"must be no more than {_LABEL_LIMIT} characters"
    return "" if not value or _QUALIFIED.fullmatch(value) else _LABEL_VALUE_TEXT


def _name_errors(kind: Kind, name: Any) -> list[FieldError]:
    problem = _name_problem(kind.name_rule, str(name))
    if not problem:
        return []
    return [FieldError("metadata.name", f'Invalid value: "{name}": {problem}')]


def _name_problem(rule: NameRule, name: str) -> str:
    match rule:
        case NameRule.PATH_SEGMENT:
            if name in (".", ".."):
                return f"may not be '{name}'"
            if len(name) > _SEGMENT_LIMIT:
                return f"must be no more than {_SEGMENT_LIMIT} characters"
            bad = next((part for part in ("/", "%") if part in name), "")
            return f"may not contain '{bad}'" if bad else ""
        case NameRule.LABEL:
            return _problem(name, _LABEL, 63, _LABEL_TEXT)
        case NameRule.LABEL_1035:
            return _problem(name, _LABEL_1035, 63, _LABEL_1035_TEXT)
        case NameRule.SUBDOMAIN:
            return _problem(name, _SUBDOMAIN, 253, _SUBDOMAIN_TEXT)


def _problem(name: str, pattern: re.Pattern[str], limit: int, text: str) -> str:
    if len(name) > limit:
        return f"must be no more than {limit} characters"
    return "" if pattern.fullmatch(name) else text
