"""Who owns whom, over all kinds, by uid; and what follows for one object. Pure.

The rules are Kubernetes' (garbage collection, `metadata.ownerReferences`): an object whose owners
are all absent goes; an owner deleted in the foreground waits for the dependents that block it; an
owner deleted with orphaning lets its dependents go free first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum

from cn2.api.access import at, items, text
from cn2.api.kind import Kind, Object

FOREGROUND = "foregroundDeletion"
"""Finalizer of an owner that waits for its dependents."""
ORPHAN = "orphan"
"""Finalizer of an owner whose dependents are to stay."""


@dataclass(frozen=True, slots=True)
class Node:
    """What the collector needs to know of one object."""

    kind: Kind
    namespace: str
    name: str
    uid: str
    revision: str
    owners: tuple[Object, ...]
    """ownerReferences as written."""
    finalizers: tuple[str, ...]
    deleting: bool

    @property
    def owner_uids(self) -> frozenset[str]:
        return frozenset(text(owner, "uid") for owner in self.owners)

    @property
    def waits(self) -> bool:
        """It is being deleted in the foreground."""
        return self.deleting and FOREGROUND in self.finalizers

    @property
    def orphans(self) -> bool:
        return self.deleting and ORPHAN in self.finalizers

    def blocks(self, owner: str) -> bool:
        """Its reference to the owner `owner` holds up that owner's foreground deletion."""
        return any(
            text(reference, "uid") == owner and at(reference, "blockOwnerDeletion") is True
            for reference in self.owners
        )


class Standing(Enum):
    """What an owner is to its dependents."""

    SOLID = "solid"
    WAITING = "waiting for its dependents to go"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete the object, with this propagation."""

    propagation: str


@dataclass(frozen=True, slots=True)
class DropOwners:
    """Remove the references to these owners: others still hold the object."""

    uids: frozenset[str]


@dataclass(frozen=True, slots=True)
class Release:
    """Remove the finalizer: nothing is waited for any more."""

    finalizer: str


@dataclass(frozen=True, slots=True)
class Free:
    """Remove the object from the references of its dependents, then release it."""

    dependents: tuple[Node, ...]


Step = Delete | DropOwners | Release | Free | None


def node_of(kind: Kind, obj: Object) -> Node:
    return Node(
        kind=kind,
        namespace=text(obj, "metadata", "namespace"),
        name=text(obj, "metadata", "name"),
        uid=text(obj, "metadata", "uid"),
        revision=text(obj, "metadata", "resourceVersion"),
        owners=tuple(items(obj, "metadata", "ownerReferences")),
        finalizers=tuple(items(obj, "metadata", "finalizers")),
        deleting=bool(text(obj, "metadata", "deletionTimestamp")),
    )


class Graph:
    """The nodes known, and their dependents. Its verbs return the uids to look at again."""

    def __init__(self) -> None:
        self.nodes: dict[str, Node] = {}
        self._dependents: dict[str, set[str]] = {}

    def dependents(self, uid: str) -> list[Node]:
        return [self.nodes[dependent] for dependent in sorted(self._dependents.get(uid, ()))]

    def put(self, node: Node) -> set[str]:
        old = self.nodes.get(node.uid)
        self.nodes[node.uid] = node
        before = old.owner_uids if old else frozenset()
        self._link(node.uid, before, node.owner_uids)
        look = set[str]()
        if node.owners or node.deleting:
            look.add(node.uid)
        if node.waits and not (old and old.waits):
            look |= self._dependents.get(node.uid, set())
        if old is None or old.owners != node.owners:
            look |= self._waiting(before | node.owner_uids)
        return look

    def remove(self, uid: str) -> set[str]:
        old = self.nodes.pop(uid, None)
        look = set(self._dependents.get(uid, ()))
        if old is not None:
            self._link(uid, old.owner_uids, frozenset())
            look |= self._waiting(old.owner_uids)
        return look

    def _waiting(self, uids: Iterable[str]) -> set[str]:
        return {uid for uid in uids if uid in self.nodes and self.nodes[uid].waits}

    def _link(self, uid: str, before: frozenset[str], after: frozenset[str]) -> None:
        for owner in before - after:
            dependents = self._dependents[owner]
            dependents.discard(uid)
            if not dependents:
                del self._dependents[owner]
        for owner in after - before:
            self._dependents.setdefault(owner, set()).add(uid)


def decide(graph: Graph, node: Node, standing: Callable[[Object], Standing]) -> Step:
    """The next step for one object; `standing` judges an ownerReference."""
    if node.deleting:
        return _decide_deleting(graph, node)
    if not node.owners:
        return None
    found = {text(owner, "uid"): standing(owner) for owner in node.owners}
    lost = frozenset(uid for uid, state in found.items() if state is not Standing.SOLID)
    if len(lost) < len(found):
        return DropOwners(lost) if lost else None
    if Standing.WAITING in found.values() and graph.dependents(node.uid):
        return Delete("Foreground")
    return Delete(_own_propagation(node))


def _decide_deleting(graph: Graph, node: Node) -> Step:
    if node.orphans:
        return Free(tuple(graph.dependents(node.uid)))
    if node.waits and not any(child.blocks(node.uid) for child in graph.dependents(node.uid)):
        return Release(FOREGROUND)
    return None


def _own_propagation(node: Node) -> str:
    """A finalizer that asks for a mode decides it; else dependents go in the background."""
    if ORPHAN in node.finalizers:
        return "Orphan"
    return "Foreground" if FOREGROUND in node.finalizers else "Background"
