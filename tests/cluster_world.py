"""A cluster in a dict: carries out the steps of plans as the API server would.

It knows uids, resourceVersions, merge patches, finalizers, owner garbage collection, field owners
and claims; enough for plans to be asked until the world is right.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from typing import Any

from cn2.api.kind import Kind, Object
from cn2.api.kinds import (
    GLOBAL_SYSTEM_CONFIG,
    GLOBAL_VROUTER_CONFIG,
    INSTANCE_IP,
    KINDS,
    NETWORK_ATTACHMENT_DEFINITION,
    VIRTUAL_MACHINE,
    VIRTUAL_ROUTER,
)
from cn2.api.pools import static_pool
from cn2.plan.cluster import (
    addresses,
    attachments,
    cluster_networks,
    interfaces,
    networks,
    objects,
    pods,
    route_targets,
    routers,
    routing_instances,
    services,
    subnets,
    system,
)
from cn2.plan.cluster.addresses import AddressBook
from cn2.plan.cluster.indexes import INDEXES
from cn2.plan.cluster.settings import Settings
from cn2.plan.cluster.steps import (
    Allocate,
    Create,
    Delete,
    Later,
    Patch,
    Promise,
    Say,
    Step,
    Steps,
)
from cn2.plan.finding import Finding
from cn2.plan.snapshot import Key, Snapshot, Table

CLUSTER = "contrail-k8s-kubemanager-mk"
CLUSTER_NAMESPACE = CLUSTER + "-contrail"

SIMPLE = (GLOBAL_SYSTEM_CONFIG, GLOBAL_VROUTER_CONFIG, VIRTUAL_MACHINE, VIRTUAL_ROUTER)

Plan = Callable[[Key], Steps]


class World:
    """Objects, and the controllers that look after them."""

    def __init__(self, **settings: Any) -> None:
        self.tables = {kind.kind: Table(INDEXES.get(kind.kind, {})) for kind in KINDS}
        self.clock = 0.0
        self.snapshot = Snapshot(self.tables, lambda: self.clock)
        self.book = AddressBook()
        self.findings: list[Finding] = []
        self.writes: list[tuple[str, Step]] = []
        self.revision = 0
        self.keys: dict[Key, None] = {}
        self.resting: dict[tuple[str, int], str] = {}
        self.settings = Settings(
            **{
                "cluster_name": CLUSTER,
                "pod_v4_subnet": "10.244.0.0/16",
                "service_v4_subnet": "10.96.0.0/12",
                **settings,
            }
        )

    # -- looking -------------------------------------------------------------------------------

    def get(self, kind: Kind, name: str, namespace: str = "") -> Object:
        return self.tables[kind.kind].objects[namespace, name]

    def find(self, kind: Kind, name: str, namespace: str = "") -> Object | None:
        return self.tables[kind.kind].objects.get((namespace, name))

    def names(self, kind: Kind) -> list[str]:
        return sorted(name for _, name in self.tables[kind.kind].objects)

    def state(self, kind: Kind, name: str, namespace: str = "") -> str:
        return objects.state(self.get(kind, name, namespace))

    def reasons(self) -> list[str]:
        return [finding.reason for finding in self.findings]

    # -- what people and other controllers do ----------------------------------------------------

    def create(self, kind: Kind, obj: Object, manager: str = "kubectl") -> Object:
        made = copy.deepcopy(obj)
        metadata = made["metadata"]
        key = metadata.get("namespace", ""), metadata["name"]
        assert key not in self.tables[kind.kind].objects, f"{kind.kind} {key} exists"
        self.revision += 1
        made |= {"apiVersion": kind.api_version, "kind": kind.kind}
        metadata["uid"] = f"{self.revision:08x}-0000-4000-8000-000000000000"
        metadata["resourceVersion"] = str(self.revision)
        metadata["creationTimestamp"] = f"{self.revision:06d}"
        if kind.group == "core.contrail.juniper.net":
            made.pop("status", None)
        _own(made, manager, made)
        if kind.complete:
            kind.complete(made, None)
        self.keys[key] = None
        self._put(kind, None, made)
        return made

    def patch(
        self,
        kind: Kind,
        name: str,
        body: dict[str, Any],
        namespace: str = "",
        manager: str = "kubectl",
    ) -> bool:
        """False when a claim of the new object is held by somebody else."""
        old = self.get(kind, name, namespace)
        new = _merge(old, body)
        for claim in kind.claims(new) if kind.claims else ():
            if self.held(claim.pool).get(claim.id, claim.holder) != claim.holder:
                return False
        self.revision += 1
        new["metadata"]["resourceVersion"] = str(self.revision)
        _own(new, manager, body)
        self._put(kind, old, new)
        return True

    def delete(self, kind: Kind, name: str, namespace: str = "") -> None:
        old = self.get(kind, name, namespace)
        new = copy.deepcopy(old)
        new["metadata"]["deletionTimestamp"] = "now"
        self._put(kind, old, new)

    def _put(self, kind: Kind, old: Object | None, new: Object) -> None:
        key = objects.key(new)
        gone = objects.terminating(new) and not objects.finalizers(new)
        if gone:
            self._rest(kind, new)
            del self.tables[kind.kind].objects[key]
            self._collect(new["metadata"]["uid"])
        else:
            self.tables[kind.kind].objects[key] = new
        if kind is INSTANCE_IP:
            self.book.change(old, None if gone else new)

    def _rest(self, kind: Kind, obj: Object) -> None:
        """Claims of what is still wanted rest; the others are free."""
        wanted = self.wanted()
        for claim in kind.claims(obj) if kind.claims else ():
            if claim.holder in wanted:
                self.resting[claim.pool, claim.id] = claim.holder

    def _collect(self, uid: str) -> None:
        for table, kind in [(self.tables[kind.kind], kind) for kind in KINDS]:
            for (namespace, name), obj in list(table.objects.items()):
                owners = obj["metadata"].get("ownerReferences") or ()
                if any(one["uid"] == uid for one in owners) and not objects.terminating(obj):
                    self.delete(kind, name, namespace)

    def wanted(self) -> set[str]:
        wants = NETWORK_ATTACHMENT_DEFINITION.wants or (lambda _: [])
        table = self.tables[NETWORK_ATTACHMENT_DEFINITION.kind]
        return {one for nad in table.objects.values() for one in wants(nad)}

    def held(self, pool: str) -> dict[int, str]:
        wanted = self.wanted()
        found = {
            id: holder
            for (name, id), holder in self.resting.items()
            if name == pool and holder in wanted
        }
        for kind in KINDS:
            for obj in self.tables[kind.kind].objects.values() if kind.claims else ():
                found |= {one.id: one.holder for one in kind.claims(obj) if one.pool == pool}
        return found

    # -- controllers -----------------------------------------------------------------------------

    def settle(self, *, kubernetes: bool = True, reverse: bool = False) -> int:
        """Ask every plan about every key until nobody has orders; how many writes that took."""
        before = len(self.writes)
        for _ in range(60):
            count = len(self.writes)
            plans = [*self._core(), *(self._kubernetes() if kubernetes else ())]
            for manager, plan in reversed(plans) if reverse else plans:
                for key in [*reversed(self.keys)] if reverse else list(self.keys):
                    self._run(manager, plan, key)
            if len(self.writes) == count:
                return count - before
        raise AssertionError(f"the world does not come to rest: {self.writes[-6:]}")

    def _run(self, manager: str, plan: Plan, key: Key) -> None:
        for _ in range(24):
            steps = plan(key)
            for step in steps:
                self._do(manager, step)
            if all(isinstance(step, Say | Later) for step in steps):
                return
        raise AssertionError(f"a plan for {key} goes round in circles: {steps}")

    def _do(self, manager: str, step: Step) -> None:
        match step:
            case Say():
                self.findings.append(step.finding)
            case Promise():
                self.snapshot.keep_promise(step.pool, step.holder, step.number)
            case Allocate():
                self._allocate(step)
            case Create():
                self.writes.append((manager, step))
                self.create(step.kind, step.object, manager)
            case Patch():
                self.writes.append((manager, step))
                self._patch(manager, step)
            case Delete():
                self.writes.append((manager, step))
                self.delete(step.kind, step.name, step.namespace)
            case Later():
                pass

    def _patch(self, manager: str, step: Patch) -> None:
        body = copy.deepcopy(step.body)
        body.get("metadata", {}).pop("resourceVersion", None)
        done = self.patch(step.kind, step.name, body, step.namespace, manager)
        if step.claimed is None:
            assert done, "a claim that the plan did not speak of"
        elif done:
            self.snapshot.fulfil_promise(step.claimed.pool, step.claimed.holder)
        else:
            self.snapshot.refuse_promise(
                step.claimed.pool, step.claimed.holder, step.claimed.number
            )

    def _allocate(self, step: Allocate) -> None:
        held = self.held(step.pool)
        mine = sorted(id for id, holder in held.items() if holder == step.holder)
        number = mine[0] if mine else static_pool(step.pool).start
        while not mine and (number in held or number in step.avoid):
            number += 1
        self.snapshot.keep_promise(step.pool, step.holder, number)

    def _core(self) -> Iterable[tuple[str, Plan]]:
        snapshot = self.snapshot
        for plan in (networks, routers, route_targets, subnets, interfaces):
            yield "manager", lambda key, plan=plan: plan.plan(snapshot, key)
        yield "manager", lambda _: system.plan(snapshot, CLUSTER)
        yield "manager", lambda key: system.plan_node(snapshot, key)
        yield "manager", lambda key: addresses.plan(snapshot, self.book, key)
        yield "manager", lambda key: routing_instances.plan_orphan(snapshot, key)
        for kind in SIMPLE:
            yield "manager", lambda key, kind=kind: interfaces.plan_simple(kind, snapshot, key)

    def _kubernetes(self) -> Iterable[tuple[str, Plan]]:
        snapshot, settings = self.snapshot, self.settings
        yield "kubemanager", lambda _: cluster_networks.plan(snapshot, settings)
        for plan in (attachments, pods, services):
            yield "kubemanager", lambda key, plan=plan: plan.plan(snapshot, settings, key)
        yield "kubemanager", lambda key: pods.plan_router(snapshot, settings, key)
        yield "kubemanager", lambda key: cluster_networks.plan_namespace(snapshot, settings, key)


def _merge(old: Any, body: Any) -> Any:
    if not isinstance(body, dict):
        return copy.deepcopy(body)
    new = dict(old) if isinstance(old, dict) else {}
    for name, value in body.items():
        if value is None:
            new.pop(name, None)
        else:
            new[name] = _merge(new.get(name), value)
    return copy.deepcopy(new)


def _own(obj: Object, manager: str, body: dict[str, Any]) -> None:
    """Field owners of spec, labels and annotations, as far down as objects go."""
    entries = obj["metadata"].setdefault("managedFields", [])
    fields = {
        "spec": body.get("spec") or {},
        "metadata": {
            part: (body.get("metadata") or {}).get(part) or {} for part in ("labels", "annotations")
        },
    }
    mine = next((one for one in entries if one["manager"] == manager), None)
    if mine is None:
        mine = {"manager": manager, "fieldsV1": {}}
        entries.append(mine)
    for entry in entries:
        _mark(entry["fieldsV1"], fields, entry is mine)


def _mark(tree: dict[str, Any], body: dict[str, Any], ours: bool) -> None:
    for name, value in body.items():
        node = "f:" + name
        if isinstance(value, dict):
            if ours or node in tree:
                _mark(tree.setdefault(node, {}), value, ours)
        elif ours and value is not None:
            tree[node] = {}
        else:
            tree.pop(node, None)
