"""What CN2's aggregated API server computes on every write (cn2-api.md chapters 1 and 3).

`spec.fqName` and the fqName and uid in references, the parent label, one back-reference label per
object referred to, and a status that always has state and observation. References are found by
the schema's `x-cn2-reference` marks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from cn2.api.access import items, mapping, name_of, namespace_of, text
from cn2.api.kind import Family, Kind, Lookup, Object, Schema
from cn2.api.kinds import KINDS
from cn2.api.references import keep_references
from cn2.api.schema import REFERENCE
from cn2.net.names import PARENT_LABEL, back_reference, parent_label_value

DOMAIN = "default-domain"
DEFAULT_STATE = "Pending"


@dataclass(slots=True)
class _Node:
    """The part of a schema that leads to references."""

    is_reference: bool = False
    properties: dict[str, _Node] = field(default_factory=dict)
    items: _Node | None = None
    values: _Node | None = None


def _tree(schema: Schema) -> _Node | None:
    additional = schema.get("additionalProperties")
    node = _Node(
        is_reference=bool(schema.get(REFERENCE)),
        properties={
            name: child
            for name, property_schema in schema.get("properties", {}).items()
            if (child := _tree(property_schema)) is not None
        },
        items=_tree(schema["items"]) if "items" in schema else None,
        values=_tree(additional) if isinstance(additional, dict) else None,
    )
    leads_somewhere = node.is_reference or node.properties or node.items or node.values
    return node if leads_somewhere else None


def _walk(node: _Node, value: Any) -> Iterator[Object]:
    if isinstance(value, list):
        if node.items is not None:
            for item in value:
                yield from _walk(node.items, item)
        return
    if not isinstance(value, dict):
        return
    if node.is_reference:
        yield value
    for name, child in node.properties.items():
        if name in value:
            yield from _walk(child, value[name])
    if node.values is not None:
        for item in value.values():
            yield from _walk(node.values, item)


_AGGREGATED = {kind.kind: kind for kind in KINDS if kind.family is Family.AGGREGATED}
_NAMESPACED = {kind.kind: kind.namespaced for kind in reversed(KINDS)}
_TREES = {name: _tree(kind.schema) for name, kind in _AGGREGATED.items()}
_HAS_SPEC = {
    name for name, kind in _AGGREGATED.items() if "spec" in kind.schema.get("properties", {})
}
_HAS_PARENT = {
    name
    for name in _HAS_SPEC
    if "parent" in _AGGREGATED[name].schema["properties"]["spec"].get("properties", {})
}


def references(kind: Kind, obj: Object) -> Iterator[Object]:
    """Every reference in an object that names something, in the schema's order."""
    tree = _TREES.get(kind.kind)
    if tree is not None:
        yield from (ref for ref in _walk(tree, obj) if ref.get("kind") and ref.get("name"))


def target(ref: Object, own_namespace: str) -> tuple[str, str, str]:
    """(kind, namespace, name) that a reference means: without a namespace, its own object's."""
    kind, namespace = text(ref, "kind"), text(ref, "namespace")
    if not _NAMESPACED.get(kind, bool(namespace)):
        namespace = ""
    elif not namespace:
        namespace = own_namespace
    return kind, namespace, text(ref, "name")


def _plain_fq_name(namespace: str, name: str) -> list[str]:
    return [DOMAIN, namespace, name] if namespace else [name]


def fq_name_of(kind: str, namespace: str, name: str, lookup: Lookup) -> list[str]:
    """The fqName of any object that can be referred to. Only kinds with a parent are looked up."""
    if kind == "Namespace":
        return [DOMAIN, name]
    if kind in _HAS_PARENT:
        stored = lookup(kind, namespace, name)
        known = items(stored, "spec", "fqName")
        if known:
            return list(known)
    return _plain_fq_name(namespace, name)


def _own_fq_name(obj: Object, lookup: Lookup) -> list[str]:
    namespace, name = namespace_of(obj), name_of(obj)
    parent = mapping(obj, "spec", "parent")
    if parent.get("kind") and parent.get("name"):
        return [*fq_name_of(*target(parent, namespace), lookup), name]
    return _plain_fq_name(namespace, name)


def computed_labels(kind: Kind, obj: Object) -> dict[str, str]:
    """The parent label and the back-reference labels that are true of an object."""
    return _labels_of(obj, references(kind, obj))


def _labels_of(obj: Object, refs: Iterable[Object]) -> dict[str, str]:
    namespace = namespace_of(obj)
    labels = dict(back_reference(*target(ref, namespace)) for ref in refs)
    parent = mapping(obj, "spec", "parent")
    if parent.get("kind") and parent.get("name"):
        parent_kind, parent_namespace, parent_name = target(parent, namespace)
        labels[PARENT_LABEL] = parent_label_value(parent_namespace, parent_kind, parent_name)
    return labels


def _set_labels(obj: Object, wanted: dict[str, str], before: dict[str, str]) -> None:
    """Labels that were true of the old version and are no longer are removed; one that a
    controller put in ahead of the reference stays."""
    metadata = obj["metadata"]
    labels = dict(mapping(metadata, "labels"))
    for key in before:
        if key not in wanted:
            labels.pop(key, None)
    labels.update(wanted)
    if labels:
        metadata["labels"] = labels
    else:
        metadata.pop("labels", None)


def _complete_references(refs: Iterable[Object], namespace: str, lookup: Lookup) -> None:
    for ref in refs:
        which = target(ref, namespace)
        ref["fqName"] = fq_name_of(*which, lookup)
        if not ref.get("uid"):
            stored = lookup(*which)
            if stored is not None:
                ref["uid"] = text(stored, "metadata", "uid")


def _keep(kind: Kind, new: Object, old: Object) -> dict[str, str]:
    """Keep what an update left out of references; the labels that were true before, unless
    nothing that they depend on is different."""
    changed = [part for part in ("spec", "status") if new.get(part) != old.get(part)]
    for part in changed:
        keep_references(new.get(part), old.get(part))
    return computed_labels(kind, old) if changed else {}


def apply(kind: Kind, new: Object, old: Object | None, lookup: Lookup) -> None:
    """Fill in, in place, everything that the server computes; `old` is None on create.

    What an update leaves out of a reference (uid, resourceVersion) is kept from `old`. Kinds
    without CN2's conventions are left alone.
    """
    if kind.kind not in _HAS_SPEC or _AGGREGATED[kind.kind].group != kind.group:
        return
    spec = new.setdefault("spec", {})
    before = _keep(kind, new, old) if old is not None else {}
    spec["fqName"] = _own_fq_name(new, lookup)
    refs = list(references(kind, new))
    _complete_references(refs, namespace_of(new), lookup)
    _set_labels(new, _labels_of(new, refs), before)
    status = new.get("status")
    if status:
        status.setdefault("state", DEFAULT_STATE)
        status.setdefault("observation", "")
