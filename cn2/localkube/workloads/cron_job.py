"""CronJobs: a Job at each time of a schedule."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from cn2.api.access import at, items, mapping, name_of, namespace_of, text
from cn2.api.kind import Object
from cn2.api.kinds import CRON_JOB, JOB
from cn2.client.cache import Key
from cn2.client.errors import AlreadyExists, Conflict, NotFound
from cn2.client.events import NORMAL, WARNING, Events
from cn2.client.http import Client
from cn2.client.informer import Informers
from cn2.client.loop import Controller
from cn2.localkube.workloads import cron_plan as plan
from cn2.localkube.workloads.claims import Claims
from cn2.localkube.workloads.job_plan import finished
from cn2.localkube.workloads.ownership import is_deleting
from cn2.localkube.workloads.status import write_status
from cn2.localkube.workloads.times import Clock, stamp, utc_now


class CronJobs:
    def __init__(
        self, client: Client, informers: Informers, events: Events, *, clock: Clock = utc_now
    ) -> None:
        self._client = client
        self._events = events
        self._clock = clock
        self._cron_jobs = informers.of(CRON_JOB)
        self._jobs = informers.of(JOB)
        # A Job without a controller is never adopted: a CronJob has no selector.
        self._claims = Claims(client, self._cron_jobs, self._jobs, fits=lambda owner, obj: False)
        self._told: dict[Key, datetime] = {}
        """The last time of each schedule of which it was told that it is not served."""
        self.controller = (
            Controller("cronjob", self.reconcile)
            .watch(self._cron_jobs)
            .watch(self._jobs, self._owner_of)
        )

    def _owner_of(self, job: Object) -> list[Key]:
        owned = items(job, "metadata", "ownerReferences")
        return self._claims.owners_of(job) if owned else []

    async def reconcile(self, key: Key) -> float | None:
        cron_job = self._cron_jobs.objects.get(key)
        if cron_job is None or is_deleting(cron_job):
            self._told.pop(key, None)
            return None
        jobs = self._claims.owned(cron_job)
        active = plan.running(cron_job, jobs)
        self._tell_of_ends(cron_job, jobs, active)
        for job in plan.superfluous(cron_job, jobs):
            await self._delete(cron_job, job)
        status = dict(mapping(cron_job, "status")) | {"active": active}
        success = plan.last_success(cron_job, jobs)
        if success:
            status["lastSuccessfulTime"] = success
        wait = None
        if at(cron_job, "spec", "suspend") is not True:
            wait = await self._start(key, cron_job, status)
        await write_status(self._client, self._cron_jobs, cron_job, status)
        return wait

    async def _start(self, key: Key, cron_job: Object, status: Object) -> float | None:
        """Starts the Job that is due; the status comes to tell of it. Seconds to the next."""
        now = self._clock()
        try:
            when, wait = plan.due(cron_job, now), plan.seconds_to_next(cron_job, now)
        except ValueError as error:
            # Refused when it is written; here for what was stored before it was.
            self._events.emit(cron_job, WARNING, "InvalidSchedule", f"invalid schedule: {error}")
            return None
        if when is None:
            return wait
        policy = text(cron_job, "spec", "concurrencyPolicy")
        if policy == plan.FORBID and status["active"]:
            if self._told.get(key) != when:
                self._told[key] = when
                message = (
                    "Not starting job because prior execution is running and concurrency policy"
                    " is Forbid"
                )
                self._events.emit(cron_job, NORMAL, "JobAlreadyActive", message)
            return wait
        if policy == plan.REPLACE:
            for one in status["active"]:
                await self._delete(cron_job, {"metadata": one})
            status["active"] = []
        job = await self._create(cron_job, when)
        if job is not None and not finished(job):
            status["active"] = [*status["active"], plan.reference(job)]
        status["lastScheduleTime"] = stamp(when)
        return wait

    async def _create(self, cron_job: Object, when: datetime) -> Object | None:
        """The Job of this time; None when the name is taken by what is not ours."""
        wanted = plan.job_for(cron_job, when)
        name, namespace = name_of(wanted), namespace_of(cron_job)
        try:
            job = await self._client.create(JOB, wanted)
        except AlreadyExists:
            found = await self._client.get(JOB, name, namespace)
            owners = items(found, "metadata", "ownerReferences")
            ours = {text(owner, "uid") for owner in owners}
            return found if text(cron_job, "metadata", "uid") in ours else None
        self._jobs.learn(job)
        self._events.emit(cron_job, NORMAL, "SuccessfulCreate", f"Created job {name}")
        return job

    async def _delete(self, cron_job: Object, job: Object) -> None:
        name = name_of(job)
        try:
            await self._client.delete(
                JOB,
                name,
                namespace_of(cron_job),
                uid=text(job, "metadata", "uid"),
                propagation="Background",
            )
        except (NotFound, Conflict):
            return
        self._events.emit(cron_job, NORMAL, "SuccessfulDelete", f"Deleted job {name}")

    def _tell_of_ends(
        self, cron_job: Object, jobs: Sequence[Object], active: Sequence[Object]
    ) -> None:
        still = {text(one, "uid") for one in active}
        by_uid = {text(job, "metadata", "uid"): job for job in jobs}
        for one in items(cron_job, "status", "active"):
            uid, name = text(one, "uid"), text(one, "name")
            if uid in still:
                continue
            if uid not in by_uid:
                message = f"Active job went missing: {name}"
                self._events.emit(cron_job, NORMAL, "MissingJob", message)
                continue
            type_ = text(finished(by_uid[uid]), "type")
            message = f"Saw completed job: {name}, condition: {type_}"
            self._events.emit(cron_job, NORMAL, "SawCompletedJob", message)
