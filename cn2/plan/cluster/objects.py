"""Reading objects, and making the parts that many of them share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from cn2.api.kind import Kind, Object, holder
from cn2.plan.cluster.steps import Claimed, Delete, Patch
from cn2.plan.snapshot import Key

SUCCESS = "Success"
PENDING = "Pending"
FAILURE = "Failure"


def key(obj: Object) -> Key:
    """(namespace, name)."""
    return obj["metadata"].get("namespace", ""), obj["metadata"]["name"]


def text(key_: Key) -> str:
    """A key as people write it: `namespace/name`, or `name` alone."""
    return "/".join(part for part in key_ if part)


def uid(obj: Object) -> str:
    return str(obj["metadata"]["uid"])


def spec(obj: Object) -> dict[str, Any]:
    return obj.get("spec") or {}


def status(obj: Object) -> dict[str, Any]:
    return obj.get("status") or {}


def labels(obj: Object) -> dict[str, str]:
    return obj["metadata"].get("labels") or {}


def notes(obj: Object) -> dict[str, str]:
    """The annotations."""
    return obj["metadata"].get("annotations") or {}


def finalizers(obj: Object) -> list[str]:
    return list(obj["metadata"].get("finalizers") or ())


def terminating(obj: Object) -> bool:
    """Being deleted."""
    return "deletionTimestamp" in obj["metadata"]


def state(obj: Object) -> str:
    """`Success`, `Pending`, `Failure`, or "" while nobody has said anything."""
    return str(status(obj).get("state", ""))


def target(reference: Mapping[str, Any] | None) -> Key:
    """(namespace, name) that a reference points at; ("", "") for none."""
    reference = reference or {}
    return reference.get("namespace", ""), reference.get("name", "")


def holder_of(kind: Kind, key_: Key) -> str:
    """The name under which an object holds numbers."""
    return holder(kind.kind, *key_)


def reference(kind: Kind, obj: Object, *, version: bool = True) -> dict[str, Any]:
    """A reference to `obj` in the order of keys that CN2 serves; the server adds fqName.

    `version`: with the target's resourceVersion at the time of linking, as CN2's controllers do
    (cn2-api.md 2). It is not kept up to date.
    """
    made: dict[str, Any] = {"kind": kind.kind}
    if kind.namespaced:
        made["namespace"] = obj["metadata"]["namespace"]
    made |= {"name": obj["metadata"]["name"], "uid": uid(obj), "apiVersion": kind.api_version}
    if version:
        made["resourceVersion"] = obj["metadata"]["resourceVersion"]
    return made


def parent(kind: Kind, obj: Object) -> dict[str, Any]:
    """`spec.parent`: a plain ObjectReference without a resourceVersion."""
    return reference(kind, obj, version=False)


def owner(kind: Kind, obj: Object) -> dict[str, Any]:
    """The ownerReference of what `obj` controls."""
    return {
        "apiVersion": kind.api_version,
        "kind": kind.kind,
        "name": obj["metadata"]["name"],
        "uid": uid(obj),
        "controller": True,
        "blockOwnerDeletion": True,
    }


def patch(kind: Kind, obj: Object, body: dict[str, Any]) -> Patch:
    """Merge `body` into `obj`."""
    return Patch(kind, *key(obj), body=body, uid=uid(obj))


def delete(kind: Kind, obj: Object) -> Delete:
    """Delete `obj`."""
    return Delete(kind, *key(obj), uid=uid(obj))


def add_finalizers(kind: Kind, obj: Object, wanted: Iterable[str]) -> list[Patch]:
    """Put `wanted` behind the finalizers that are there.

    The list is written whole, so the write holds only for the version that was read.
    """
    have = finalizers(obj)
    missing = [name for name in wanted if name not in have]
    if not missing or terminating(obj):
        return []
    return [patch(kind, obj, _finalizer_body(obj, have + missing))]


def remove_finalizers(kind: Kind, obj: Object, ours: Iterable[str]) -> list[Patch]:
    """Take our finalizers away."""
    have = finalizers(obj)
    ours = set(ours)
    left = [name for name in have if name not in ours]
    if left == have:
        return []
    last = terminating(obj) and not left
    return [Patch(kind, *key(obj), body=_finalizer_body(obj, left), uid=uid(obj), last=last)]


def _finalizer_body(obj: Object, names: list[str]) -> dict[str, Any]:
    version = obj["metadata"]["resourceVersion"]
    return {"metadata": {"finalizers": names or None, "resourceVersion": version}}


def set_status(
    kind: Kind, obj: Object, wanted: dict[str, Any], claimed: Claimed | None = None
) -> list[Patch]:
    """Bring the status to `wanted`; nothing when it is so. A None takes the field away."""
    body = difference(status(obj), wanted)
    if not body:
        return []
    return [
        Patch(
            kind,
            *key(obj),
            body={"status": body},
            uid=uid(obj),
            subresource="status",
            claimed=claimed,
        )
    ]


def set_fields(kind: Kind, obj: Object, wanted: dict[str, Any]) -> list[Patch]:
    """Bring metadata and spec fields to `wanted`; nothing when they are so."""
    body = difference(obj, wanted)
    return [patch(kind, obj, body)] if body else []


def success(**more: Any) -> dict[str, Any]:
    return {"state": SUCCESS, "observation": "", **more}


def pending(observation: str, **more: Any) -> dict[str, Any]:
    return {"state": PENDING, "observation": observation, **more}


def failure(observation: str, **more: Any) -> dict[str, Any]:
    return {"state": FAILURE, "observation": observation, **more}


def difference(live: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """The merge patch that brings the fields of `wanted` into `live`; {} when they are there.

    A None in `wanted` means that the field must not be. References count as equal when they point
    at the same object: their fqName is the server's, their resourceVersion is that of the time of
    linking.
    """
    body: dict[str, Any] = {}
    for name, value in wanted.items():
        have = live.get(name)
        if value is None:
            if name in live:
                body[name] = None
        elif isinstance(value, dict) and not _is_reference(value):
            inner = difference(have if isinstance(have, dict) else {}, value)
            if inner:
                body[name] = inner
        elif name not in live or not same(have, value):
            body[name] = value
    return body


def same(have: Any, wanted: Any) -> bool:
    """Whether `have` carries all of `wanted`, references being compared by their target."""
    if isinstance(wanted, dict):
        if not isinstance(have, dict):
            return False
        if not _is_reference(wanted):
            return have.keys() == wanted.keys() and all(
                same(have[name], value) for name, value in wanted.items()
            )
        return all(
            same(have.get(name), value)
            for name, value in wanted.items()
            if name not in ("resourceVersion", "fqName")
        )
    if isinstance(wanted, list):
        return (
            isinstance(have, list)
            and len(have) == len(wanted)
            and all(same(*pair) for pair in zip(have, wanted, strict=True))
        )
    return bool(have == wanted)


def _is_reference(value: Mapping[str, Any]) -> bool:
    return "kind" in value and "name" in value


def owns(obj: Object, manager: str, *path: str) -> bool:
    """Whether `manager` owns a field by the managedFields, e.g. `owns(o, m, "spec", "cidr")`."""
    for entry in obj["metadata"].get("managedFields") or ():
        if entry.get("manager") != manager:
            continue
        node = entry.get("fieldsV1") or {}
        for part in path:
            node = node.get("f:" + part) if node is not None else None
        if node is not None:
            return True
    return False


def owned_labels(obj: Object, manager: str) -> set[str]:
    """The label keys that `manager` has set."""
    return {name for name in labels(obj) if owns(obj, manager, "metadata", "labels", name)}
