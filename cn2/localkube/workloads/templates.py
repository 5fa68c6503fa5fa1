"""Pod templates: their hash, when two are the same, and the pod that one makes. Pure."""

from __future__ import annotations

import copy
import json
from typing import Any

from cn2.api.access import mapping, name_of, namespace_of
from cn2.api.kind import Object
from cn2.net.names import fnv1a32_number, safe_letters

HASH_LABEL = "pod-template-hash"
_LONGEST_PREFIX = 57
"""Of a generated name, so that it stays a label with its suffix."""


def template_hash(template: Object, collisions: int = 0) -> str:
    """A short name for a template; another one after each collision."""
    text = json.dumps(significant(template), sort_keys=True, separators=(",", ":"))
    return safe_letters(fnv1a32_number(f"{text}{collisions or ''}"))


def same_template(one: Object, other: Object) -> bool:
    """Whether two templates make the same pods, whatever their hash labels."""
    return significant(one) == significant(other)


def significant(template: Object) -> Object:
    """A template without its hash label and without fields that say nothing."""
    metadata = mapping(template, "metadata")
    labels = {key: value for key, value in mapping(metadata, "labels").items() if key != HASH_LABEL}
    said = _said({**template, "metadata": {**metadata, "labels": labels}})
    return said if isinstance(said, dict) else {}


def _said(value: Any) -> Any:
    """Without nulls and empty maps and lists below."""
    if isinstance(value, dict):
        parts = {key: _said(part) for key, part in value.items()}
        return {key: part for key, part in parts.items() if part not in (None, {}, [])}
    if isinstance(value, list):
        return [_said(part) for part in value]
    return value


def with_hash(template: Object, value: str) -> Object:
    """The template with its hash as a label."""
    metadata = mapping(template, "metadata")
    labels = {**mapping(metadata, "labels"), HASH_LABEL: value}
    return {**template, "metadata": {**metadata, "labels": labels}}


def pod_of(template: Object, owner: Object, reference: Object) -> Object:
    """A new pod from a template, whose name the server makes up from the owner's."""
    given = mapping(template, "metadata")
    metadata: Object = {
        "generateName": f"{name_of(owner)[:_LONGEST_PREFIX]}-",
        "namespace": namespace_of(owner),
        "ownerReferences": [reference],
    }
    for field in ("labels", "annotations", "finalizers"):
        if given.get(field):
            metadata[field] = copy.deepcopy(given[field])
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": copy.deepcopy(mapping(template, "spec")),
    }
