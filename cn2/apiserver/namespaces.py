"""The life of a namespace: nothing is created where none is, or where one is ending."""

from __future__ import annotations

from cn2.api.kind import Kind, Object
from cn2.api.kinds import NAMESPACE
from cn2.apiserver.backend import Backend
from cn2.apiserver.digest import header
from cn2.apiserver.errors import forbidden

FINALIZER = "kubernetes"
NAME_LABEL = "kubernetes.io/metadata.name"
IMMORTAL = frozenset({"default", "kube-system", "kube-public"})
"""Namespaces that kube-apiserver never deletes."""


def is_namespace(kind: Kind) -> bool:
    return (kind.group, kind.plural) == (NAMESPACE.group, NAMESPACE.plural)


async def admit(backend: Backend, kind: Kind, namespace: str, name: str) -> None:
    """Raises when nothing may be created in this namespace now."""
    entry = await backend.existing(NAMESPACE, "", namespace)
    if header(entry).deletionTimestamp:
        why = (
            f"unable to create new content in namespace {namespace} because it is being terminated"
        )
        cause = {
            "reason": "NamespaceTerminating",
            "message": f"namespace {namespace} is being terminated",
            "field": "metadata.namespace",
        }
        raise forbidden(kind, name, why, [cause])


def check_mortal(kind: Kind, name: str) -> None:
    """Raises Forbidden for a namespace that may not be deleted."""
    if is_namespace(kind) and name in IMMORTAL:
        raise forbidden(kind, name, "this namespace may not be deleted")


def begin(obj: Object) -> None:
    """What every new namespace has."""
    labels = obj["metadata"].setdefault("labels", {})
    labels[NAME_LABEL] = obj["metadata"]["name"]
    obj.setdefault("spec", {})["finalizers"] = [FINALIZER]
    obj["status"] = {"phase": "Active"}


def keep(new: Object, old: Object) -> None:
    """An ordinary update touches neither the finalizers, which are `/finalize`'s, nor the label
    by which selectors know the name."""
    new["spec"] = old.get("spec") or {}
    labels = new["metadata"].get("labels") or {}
    new["metadata"]["labels"] = {**labels, NAME_LABEL: old["metadata"]["name"]}


def is_held(kind: Kind, obj: Object) -> bool:
    """A namespace stays until its contents are gone, which `/finalize` reports."""
    return is_namespace(kind) and bool((obj.get("spec") or {}).get("finalizers"))
