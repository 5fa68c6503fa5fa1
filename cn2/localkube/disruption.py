"""PodDisruptionBudgets: the status by which the eviction of a pod is allowed or refused."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from cn2.api.access import at, mapping, namespace_of, text
from cn2.api.kind import Object
from cn2.api.kinds import (
    DEPLOYMENT,
    POD,
    POD_DISRUPTION_BUDGET,
    REPLICA_SET,
    REPLICATION_CONTROLLER,
    STATEFUL_SET,
)
from cn2.api.kubernetes.selectors import selector_matches
from cn2.client.cache import Key, key_of
from cn2.client.errors import Conflict, NotFound
from cn2.client.http import Client
from cn2.client.informer import Informers
from cn2.client.loop import Controller
from cn2.localkube.budgets import recheck_seconds, status_of

_BY_NAMESPACE = "namespace"


def _namespace(obj: Object) -> tuple[str]:
    return (namespace_of(obj),)


class Disruption:
    def __init__(
        self,
        client: Client,
        informers: Informers,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._client = client
        self._clock = clock
        self._budgets = informers.of(POD_DISRUPTION_BUDGET)
        self._pods = informers.of(POD)
        self._scaled = {
            kind.kind: informers.of(kind)
            for kind in (DEPLOYMENT, REPLICA_SET, REPLICATION_CONTROLLER, STATEFUL_SET)
        }
        for informer in (self._budgets, self._pods):
            informer.add_index(_BY_NAMESPACE, _namespace)
        self.controller = (
            Controller("disruption", self.reconcile)
            .watch(self._budgets)
            .watch(self._pods, self._budgets_of)
        )
        for informer in self._scaled.values():
            self.controller.watch(informer, self._budgets_beside)

    def _budgets_of(self, pod: Object) -> Iterable[Key]:
        labels = mapping(pod, "metadata", "labels")
        return [
            key_of(budget)
            for budget in self._budgets.by_index(_BY_NAMESPACE, namespace_of(pod))
            if selects(budget, labels)
        ]

    def _budgets_beside(self, workload: Object) -> Iterable[Key]:
        return map(key_of, self._budgets.by_index(_BY_NAMESPACE, namespace_of(workload)))

    async def reconcile(self, key: Key) -> float | None:
        budget = self._budgets.objects.get(key)
        if budget is None or text(budget, "metadata", "deletionTimestamp"):
            return None
        now = self._clock()
        pods = [
            pod
            for pod in self._pods.by_index(_BY_NAMESPACE, key[0])
            if selects(budget, mapping(pod, "metadata", "labels"))
        ]
        status = status_of(budget, pods, lambda owner: self._scale(key[0], owner), now)
        if status != budget.get("status"):
            try:
                wanted = {**budget, "status": status}
                reply = await self._client.replace(
                    POD_DISRUPTION_BUDGET, wanted, subresource="status"
                )
            except NotFound:
                return None
            except Conflict:
                return 0.05  # an eviction came first; the watch brings what it wrote
            self._budgets.learn(reply)
        return recheck_seconds({"status": status}, now)

    def _scale(self, namespace: str, owner: Object) -> int | None:
        """Replicas that the controller of a pod wants: the Deployment's where a ReplicaSet is."""
        informer = self._scaled.get(text(owner, "kind"))
        found = informer.get(text(owner, "name"), namespace) if informer is not None else None
        if found is None or at(found, "metadata", "uid") != owner.get("uid"):
            return None
        for above in at(found, "metadata", "ownerReferences", default=[]):
            if above.get("controller") and text(above, "kind") == DEPLOYMENT.kind:
                return self._scale(namespace, above)
        replicas = at(found, "spec", "replicas", default=1)
        return int(replicas)


def selects(budget: Object, labels: dict[str, str]) -> bool:
    """policy/v1: an empty selector selects every pod, none at all no pod."""
    selector = at(budget, "spec", "selector")
    return selector is not None and selector_matches(selector, labels)
