"""The annotation by which a pod asks for networks, and what to warn of where it was mistyped.

Pods come from people, and from the templates of workloads: there they must be annotated.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping

from cn2.api import json_text
from cn2.api.access import mapping
from cn2.api.kind import Object

NETWORKS = "k8s.v1.cni.cncf.io/networks"
ELEMENT_KEYS = ("name", "namespace", "ips", "mac", "interface", "cni-args")
"""Of the annotation's JSON form; every other key of the standard has no effect."""

_OTHERS = {f"{NETWORKS}-status", "k8s.v1.cni.cncf.io/network-status"}
_LIKENESS = 0.85


def mistyped(
    annotations: Mapping[str, object], meant: str, others: Iterable[str] = ()
) -> list[str]:
    """Warnings of keys that look like `meant`, when that itself is missing."""
    if meant in annotations:
        return []
    keys = [key for key in annotations if key not in others]
    near = difflib.get_close_matches(meant, keys, n=3, cutoff=_LIKENESS)
    return [f"annotation {key} has no effect: did you mean {meant}?" for key in near]


def warn_pod(new: Object, old: Object | None) -> list[str]:
    """`warn` hook of a pod."""
    return _warnings(mapping(new, "metadata", "annotations"))


def warn_template(*path: str) -> Callable[[Object, Object | None], list[str]]:
    """`warn` hook of a workload whose pod template is at this path."""

    def warn(new: Object, old: Object | None) -> list[str]:
        inside = mapping(new, *path, "metadata", "annotations")
        found = _warnings(inside)
        if NETWORKS in mapping(new, "metadata", "annotations") and NETWORKS not in inside:
            where = ".".join((*path, "metadata", "annotations"))
            text = f"annotation {NETWORKS} has no effect here: pods take it from {where}"
            found.append(text)
        return found

    return warn


def _warnings(annotations: Mapping[str, object]) -> list[str]:
    return mistyped(annotations, NETWORKS, _OTHERS) + _unknown_keys(annotations.get(NETWORKS))


def _unknown_keys(text: object) -> list[str]:
    """Of the JSON form. What is no list of objects is refused elsewhere."""
    if not isinstance(text, str) or not text.lstrip().startswith("["):
        return []
    try:
        elements = json_text.parse(text)
    except ValueError:
        return []
    unknown = dict.fromkeys(
        key
        for element in elements
        if isinstance(element, dict)
        for key in element
        if key not in ELEMENT_KEYS
    )
    said = [
        f"{key} (did you mean {near[0]}?)"
        if (near := difflib.get_close_matches(key.lower(), ELEMENT_KEYS, n=1))
        else key
        for key in unknown
    ]
    return [f"{NETWORKS} has keys that have no effect: {', '.join(said)}"] if said else []
