"""StatefulSets: pods with names of their own, one after the other."""

from __future__ import annotations

from collections.abc import Sequence

from cn2.api.access import at, name_of, namespace_of, text
from cn2.api.kind import Object
from cn2.api.kinds import POD, STATEFUL_SET
from cn2.api.kubernetes.mirror import is_mirror
from cn2.client.cache import Key
from cn2.client.errors import ApiError
from cn2.client.events import NORMAL, WARNING, Events
from cn2.client.http import Client
from cn2.client.informer import Informers
from cn2.client.loop import Controller
from cn2.localkube.workloads import stateful_pods as plan
from cn2.localkube.workloads.backoff import Failures
from cn2.localkube.workloads.history import History
from cn2.localkube.workloads.ownership import controller_reference, is_deleting
from cn2.localkube.workloads.pod_control import PodControl, namespace_is_ending
from cn2.localkube.workloads.pod_state import seconds_to_available
from cn2.localkube.workloads.revisions import HASH_LABEL
from cn2.localkube.workloads.status import write_status
from cn2.localkube.workloads.times import Clock, utc_now


def _words(verb: str, owner: Object, pod: str, error: str) -> str:
    """kube-controller-manager's words for what became of a pod."""
    end = f"failed error: {error}" if error else "successful"
    return f"{verb} Pod {pod} in StatefulSet {name_of(owner)} {end}"


class StatefulSets:
    def __init__(
        self, client: Client, informers: Informers, events: Events, *, clock: Clock = utc_now
    ) -> None:
        self._client = client
        self._events = events
        self._clock = clock
        self._failures = Failures()
        self._sets = informers.of(STATEFUL_SET)
        self._control = PodControl(
            client, self._sets, informers.of(POD), events, words=_words, fits=plan.is_member
        )
        self._history = History(client, informers, self._sets)
        self.controller = (
            Controller("statefulset", self.reconcile)
            .watch(self._sets)
            .watch(informers.of(POD), self._control.claims.owners_of)
            .watch(self._history.informer, self._history.claims.owners_of)
        )

    async def reconcile(self, key: Key) -> float | None:
        owner = self._sets.objects.get(key)
        if owner is None or is_mirror(owner) or is_deleting(owner):
            self._failures.forget(key)
            return None
        revisions = await self._history.claims.take(owner)
        update = await self._history.current(owner, revisions)
        known = {name_of(one): one for one in revisions}
        current = known.get(text(owner, "status", "currentRevision"), update)
        pods = plan.by_ordinal(owner, await self._control.take(owner))
        steps = plan.next_steps(owner, pods, name_of(update), self._clock())
        wait = await self._recreate(key, owner, steps.recreate)
        error = await self._create(owner, steps.create, current, update)
        error = await self._control.delete_all(owner, steps.delete) or error
        here = self._control.owned(owner)
        used = {text(pod, "metadata", "labels", HASH_LABEL) for pod in here}
        now = self._clock()
        status = plan.stateful_set_status(owner, here, name_of(current), name_of(update), now)
        used |= {status["currentRevision"], name_of(update)}
        await self._history.clean(owner, revisions, used)
        await write_status(self._client, self._sets, owner, status)
        if error is not None and not namespace_is_ending(error):
            raise error
        later = seconds_to_available(here, at(owner, "spec", "minReadySeconds", default=0), now)
        return min((one for one in (wait, later) if one is not None), default=None)

    async def _create(
        self, owner: Object, ordinals: Sequence[int], current: Object, update: Object
    ) -> ApiError | None:
        reference = controller_reference(STATEFUL_SET, owner)
        first = plan.first_updated(owner)
        new = [
            plan.stateful_pod(owner, ordinal, update if ordinal >= first else current, reference)
            for ordinal in ordinals
        ]
        return await self._control.create_all(owner, new)

    async def _recreate(self, key: Key, owner: Object, pods: Sequence[Object]) -> float | None:
        """Deletes pods that have ended, later each time; seconds until one is due."""
        waits = []
        for pod in pods:
            place = (key, name_of(pod))
            left = self._failures.seconds(place, pod, self._clock())
            if left > 0:
                waits.append(left)
                continue
            failed = text(pod, "status", "phase") == "Failed"
            self._events.emit(
                owner,
                WARNING if failed else NORMAL,
                "RecreatingFailedPod" if failed else "RecreatingTerminatedPod",
                f"StatefulSet {namespace_of(owner)}/{name_of(owner)} is recreating"
                f" {'failed' if failed else 'terminated'} Pod {name_of(pod)}",
            )
            await self._control.delete(owner, pod)
        return min(waits, default=None)
