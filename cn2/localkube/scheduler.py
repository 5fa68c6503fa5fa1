"""The scheduler: binds pods to nodes and says so."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from cn2.api.access import items, name_of, namespace_of, text
from cn2.api.kind import Object
from cn2.api.kinds import NODE, POD
from cn2.client.cache import Key, key_of
from cn2.client.errors import Conflict, NotFound
from cn2.client.events import NORMAL, WARNING, Events
from cn2.client.http import Client
from cn2.client.informer import Informers
from cn2.client.loop import Controller
from cn2.client.request import Patch
from cn2.localkube.fit import choose
from cn2.localkube.pods import BY_NODE, is_finished, node_of_pod

NAME = "default-scheduler"


class Scheduler:
    """One pod at a time, so that each choice sees the ones before it."""

    def __init__(
        self,
        client: Client,
        informers: Informers,
        events: Events,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._client = client
        self._events = events
        self._clock = clock
        self._nodes = informers.of(NODE)
        self._pods = informers.of(POD)
        self._pods.add_index(BY_NODE, node_of_pod)
        self._bound: dict[str, str] = {}
        """Node by uid of pods bound by us whose binding the watch has not shown yet."""
        self._pods.on_change(self._forget)
        self.controller = (
            # A pod counts for its node from the choice on: bindings need not wait for each other.
            Controller("scheduler", self.reconcile, workers=8)
            .watch(self._pods)
            .watch(self._nodes, lambda _: self._waiting())
        )

    async def reconcile(self, key: Key) -> float | None:
        pod = self._pods.objects.get(key)
        if pod is None or text(pod, "metadata", "deletionTimestamp"):
            return None
        if text(pod, "spec", "nodeName"):
            await self._condition(pod, {"type": "PodScheduled", "status": "True"})
            return None
        if not is_ours(pod) or text(pod, "metadata", "uid") in self._bound:
            return None
        choice = choose(pod, self._nodes.objects.values(), self._load())
        if choice.node:
            await self._bind(pod, choice.node)
        else:
            await self._refuse(pod, choice.message)
        return None

    def _forget(self, old: Object | None, new: Object | None) -> None:
        if new is None or text(new, "spec", "nodeName"):
            self._bound.pop(text(new or old or {}, "metadata", "uid"), None)

    def _waiting(self) -> list[Key]:
        unbound = self._pods.by_index(BY_NODE, "")
        return [key_of(pod) for pod in unbound if is_ours(pod)]

    def _load(self) -> dict[str, int]:
        load = {
            name: sum(not is_finished(pod) for pod in self._pods.by_index(BY_NODE, name))
            for _, name in self._nodes.objects
        }
        for node in self._bound.values():
            load[node] = load.get(node, 0) + 1
        return load

    async def _bind(self, pod: Object, node: str) -> None:
        name, namespace, uid = name_of(pod), namespace_of(pod), text(pod, "metadata", "uid")
        binding = {
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": {"name": name, "namespace": namespace, "uid": uid},
            "target": {"apiVersion": "v1", "kind": "Node", "name": node},
        }
        self._bound[uid] = node
        try:
            await self._client.create(POD, binding, subresource="binding")
        except (NotFound, Conflict):
            # Deleted or bound by somebody else meanwhile: the watch brings what is true now.
            self._bound.pop(uid, None)
            return
        except BaseException:
            self._bound.pop(uid, None)
            raise
        self._events.emit(
            pod, NORMAL, "Scheduled", f"Successfully assigned {namespace}/{name} to {node}"
        )

    async def _refuse(self, pod: Object, message: str) -> None:
        """The event comes with the change of the condition: once, not at every attempt."""
        condition = {
            "type": "PodScheduled",
            "status": "False",
            "reason": "Unschedulable",
            "message": message,
        }
        if await self._condition(pod, condition):
            self._events.emit(pod, WARNING, "FailedScheduling", message)

    async def _condition(self, pod: Object, condition: Object) -> bool:
        """Writes the condition where it says something else; True when it did."""
        if same_condition(pod, condition):
            return False
        stamp = self._clock().strftime("%Y-%m-%dT%H:%M:%SZ")
        entry = {
            "lastProbeTime": None,
            "lastTransitionTime": stamp,
            "reason": None,
            "message": None,
            **condition,
        }
        try:
            self._pods.learn(
                await self._client.patch(
                    POD,
                    name_of(pod),
                    {"status": {"conditions": [entry]}},
                    namespace_of(pod),
                    how=Patch.STRATEGIC,
                    subresource="status",
                )
            )
        except NotFound:
            return False
        return True


def is_ours(pod: Object) -> bool:
    """It waits for this scheduler: no other is named, and no scheduling gate holds it."""
    if text(pod, "metadata", "deletionTimestamp") or is_finished(pod):
        return False
    return text(pod, "spec", "schedulerName") in ("", NAME) and not items(
        pod, "spec", "schedulingGates"
    )


def same_condition(pod: Object, condition: Object) -> bool:
    for entry in items(pod, "status", "conditions"):
        if text(entry, "type") == condition["type"]:
            return all(
                text(entry, key) == condition.get(key, "")
                for key in ("status", "reason", "message")
            )
    return False
