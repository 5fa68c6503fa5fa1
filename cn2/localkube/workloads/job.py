"""Jobs: pods until enough of them have succeeded."""

from __future__ import annotations

from collections.abc import Sequence

from cn2.api.access import items, mapping, name_of, namespace_of, text
from cn2.api.kind import Object
from cn2.api.kinds import JOB, POD
from cn2.client.cache import Key
from cn2.client.errors import ApiError, Conflict, NotFound
from cn2.client.events import NORMAL, WARNING, Events
from cn2.client.http import Client
from cn2.client.informer import Informers
from cn2.client.loop import Controller
from cn2.client.request import Patch
from cn2.localkube.workloads import job_plan as plan
from cn2.localkube.workloads.job_indexes import next_indexes, with_index
from cn2.localkube.workloads.job_plan import TRACKING, Tally, Verdict
from cn2.localkube.workloads.job_status import job_status, noted, was_resumed
from cn2.localkube.workloads.ownership import controller_of, controller_reference, is_deleting
from cn2.localkube.workloads.pod_control import PodControl, namespace_is_ending
from cn2.localkube.workloads.pod_state import BURST, is_active
from cn2.localkube.workloads.status import write_status
from cn2.localkube.workloads.templates import pod_of
from cn2.localkube.workloads.times import Clock, utc_now

_BY_JOB = "job"


class Jobs:
    def __init__(
        self, client: Client, informers: Informers, events: Events, *, clock: Clock = utc_now
    ) -> None:
        self._client = client
        self._events = events
        self._clock = clock
        self._jobs = informers.of(JOB)
        self._pods = informers.of(POD)
        self._pods.add_index(_BY_JOB, _job_of)
        self._control = PodControl(client, self._jobs, self._pods, events)
        self.controller = (
            Controller("job", self.reconcile)
            .watch(self._jobs)
            .watch(self._pods, self._control.claims.owners_of)
            .watch(self._pods, _widowed)
        )

    async def reconcile(self, key: Key) -> float | None:
        job = self._jobs.objects.get(key)
        uid = text(job, "metadata", "uid")
        for pod in self._pods.by_index(_BY_JOB, "/".join(key)):
            if text(controller_of(pod), "uid") != uid:
                await self._release(pod)
        if job is None:
            return None
        pods = await self._control.take(job)
        if is_deleting(job):
            for pod in pods:
                await self._release(pod)
            return None
        if plan.finished(job):
            return await self._tidy(job, pods)
        return await self._work(job, pods)

    async def _work(self, job: Object, pods: Sequence[Object]) -> float | None:
        found = plan.tally(job, pods, self._clock())
        if found.ended:
            job = await write_status(self._client, self._jobs, job, noted(job, found))
            for pod in found.ended:
                await self._release(pod)
        end = plan.verdict(job, found, self._clock())
        wait, error = await self._manage(job, found, end)
        active = [pod for pod in self._control.owned(job) if is_active(pod)]
        before = mapping(job, "status")
        status = job_status(job, found, active, end, self._clock())
        job = await write_status(self._client, self._jobs, job, status)
        self._tell(job, end, was_resumed(before, status))
        if error is not None and not namespace_is_ending(error):
            raise error
        now = self._clock()
        later = plan.seconds_to_live(job, now) if end else plan.seconds_to_deadline(job, now)
        return min((one for one in (wait, later) if one is not None), default=None)

    async def _manage(
        self, job: Object, found: Tally, end: Verdict | None
    ) -> tuple[float | None, ApiError | None]:
        """Creates or deletes pods; seconds until it may go on, and what went wrong."""
        if end is not None:
            return None, await self._control.delete_all(job, found.active)
        surplus = len(found.active) - plan.wanted_active(job, found)
        if surplus > 0:
            gone = plan.surplus(job, found.active, surplus)
            # These are not failures: without the finalizer they are not counted.
            for pod in gone:
                await self._release(pod)
            return None, await self._control.delete_all(job, gone)
        if surplus == 0:
            return None, None
        wait = plan.seconds_to_retry(job, found)
        if wait > 0:
            return wait, None
        new = self._new_pods(job, found, min(-surplus, BURST))
        return None, await self._control.create_all(job, new)

    def _new_pods(self, job: Object, found: Tally, number: int) -> list[Object]:
        reference = controller_reference(JOB, job)
        template = mapping(job, "spec", "template")

        def pod() -> Object:
            made = pod_of(template, job, reference)
            made["metadata"]["finalizers"] = [*items(made, "metadata", "finalizers"), TRACKING]
            return made

        if not plan.is_indexed(job):
            return [pod() for _ in range(number)]
        indexes = next_indexes(job["spec"]["completions"], plan.taken_indexes(found), number)
        return [with_index(pod(), name_of(job), index) for index in indexes]

    async def _tidy(self, job: Object, pods: Sequence[Object]) -> float | None:
        """A finished Job: no pod goes on, none is held, and the Job itself goes in time."""
        await self._control.delete_all(job, [pod for pod in pods if is_active(pod)])
        for pod in pods:
            await self._release(pod)
        left = plan.seconds_to_live(job, self._clock())
        if left is None or left > 0:
            return left
        try:
            await self._client.delete(
                JOB,
                name_of(job),
                namespace_of(job),
                uid=text(job, "metadata", "uid"),
                propagation="Foreground",
            )
        except (NotFound, Conflict):
            return None
        return None

    async def _release(self, pod: Object) -> None:
        """Takes the finalizer off a pod."""
        if not plan.tracked(pod):
            return
        metadata = {
            "uid": text(pod, "metadata", "uid"),
            "$deleteFromPrimitiveList/finalizers": [TRACKING],
        }
        try:
            patched = await self._client.patch(
                POD, name_of(pod), {"metadata": metadata}, namespace_of(pod), how=Patch.STRATEGIC
            )
        except (NotFound, Conflict):
            return
        self._pods.learn(patched)

    def _tell(self, job: Object, end: Verdict | None, resumed: bool | None) -> None:
        if end is not None and end.type == "Complete":
            self._events.emit(job, NORMAL, "Completed", "Job completed")
        elif end is not None:
            self._events.emit(job, WARNING, end.reason, end.message)
        if resumed is not None:
            word = "Resumed" if resumed else "Suspended"
            self._events.emit(job, NORMAL, word, f"Job {word.lower()}")


def _job_of(pod: Object) -> tuple[str, ...]:
    reference = controller_of(pod)
    if text(reference, "kind") != JOB.kind:
        return ()
    return (f"{namespace_of(pod)}/{text(reference, 'name')}",)


def _widowed(pod: Object) -> list[Key]:
    """The key of the Job that a pod is held for, whether there is such a Job or not."""
    named = _job_of(pod)
    return [(namespace_of(pod), text(controller_of(pod), "name"))] if named else []
