"""Deployments: a ReplicaSet for each template, and the way from one to the next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from cn2.api.access import annotation, at, items, mapping, name_of, namespace_of, text
from cn2.api.kind import Object
from cn2.api.kinds import DEPLOYMENT, POD, REPLICA_SET
from cn2.api.kubernetes.mirror import is_mirror
from cn2.client.cache import Key
from cn2.client.errors import AlreadyExists, ApiError, NotFound
from cn2.client.events import NORMAL, WARNING, Events
from cn2.client.http import Client
from cn2.client.informer import Informers
from cn2.client.loop import Controller
from cn2.localkube.pods import is_finished
from cn2.localkube.workloads import deployment_history as history
from cn2.localkube.workloads import deployment_status as progress
from cn2.localkube.workloads import rolling
from cn2.localkube.workloads.claims import Claims
from cn2.localkube.workloads.conditions import condition_of
from cn2.localkube.workloads.ownership import controller_of, is_deleting
from cn2.localkube.workloads.pod_control import namespace_is_ending
from cn2.localkube.workloads.rolling import replicas_of
from cn2.localkube.workloads.status import write_status
from cn2.localkube.workloads.templates import same_template
from cn2.localkube.workloads.times import Clock, utc_now


@dataclass(slots=True)
class _Rollout:
    """One look at a Deployment: what there is, and what becomes of it on the way."""

    deployment: Object
    new: Object | None
    old: list[Object]
    conditions: list[Object] = field(default_factory=list)

    @property
    def sets(self) -> list[Object]:
        return [*self.old, *([self.new] if self.new else [])]


class Deployments:
    def __init__(
        self, client: Client, informers: Informers, events: Events, *, clock: Clock = utc_now
    ) -> None:
        self._client = client
        self._events = events
        self._clock = clock
        self._deployments = informers.of(DEPLOYMENT)
        self._sets = informers.of(REPLICA_SET)
        self._pods = informers.of(POD)
        self._claims = Claims(client, self._deployments, self._sets)
        self._set_pods = Claims(client, self._sets, self._pods)
        self.controller = (
            Controller("deployment", self.reconcile)
            .watch(self._deployments)
            .watch(self._sets, self._claims.owners_of)
            .watch(self._pods, self._recreated_by)
        )

    def _recreated_by(self, pod: Object) -> list[Key]:
        """A Deployment that recreates waits for the end of each old pod."""
        reference = controller_of(pod)
        owner = self._sets.get(text(reference, "name"), namespace_of(pod)) if reference else None
        if owner is None or text(owner, "metadata", "uid") != text(reference, "uid"):
            return []
        keys = self._claims.owners_of(owner) if controller_of(owner) else []
        return [key for key in keys if not rolling.is_rolling(self._deployments.objects[key])]

    async def reconcile(self, key: Key) -> float | None:
        deployment = self._deployments.objects.get(key)
        if deployment is None or is_mirror(deployment):
            return None
        sets = await self._claims.take(deployment)
        new = history.newest(deployment, sets)
        old = [one for one in sets if one is not new]
        conditions = items(deployment, "status", "conditions")
        rollout = _Rollout(deployment, new, old, conditions)
        if is_deleting(deployment):
            return await self._tell(rollout, judge=False)
        self._note_pause(rollout)
        if at(deployment, "spec", "paused") is True or rolling.is_scaled_elsewhere(
            deployment, sets
        ):
            return await self._scale(rollout)
        if rolling.is_rolling(deployment):
            return await self._roll(rollout)
        return await self._recreate(rollout)

    def _note_pause(self, rollout: _Rollout) -> None:
        said = progress.paused(rollout.deployment, rollout.conditions)
        if said:
            self._progress(rollout, said)

    def _progress(self, rollout: _Rollout, condition: Object) -> None:
        now = self._clock()
        rollout.conditions = progress.with_progressing(rollout.conditions, condition, now)

    # -- the three ways --------------------------------------------------------------------------

    async def _scale(self, rollout: _Rollout) -> float | None:
        """Paused, or scaled in the middle of a rollout: sizes only."""
        if rollout.new is not None:
            await self._keep_new(rollout)
        if rollout.sets:
            wanted = rolling.scale(rollout.deployment, rollout.new, rollout.old)
            for one in [one for one in rollout.sets if replicas_of(one) or name_of(one) in wanted]:
                await self._resize(rollout, one, wanted.get(name_of(one), replicas_of(one)))
        if at(rollout.deployment, "spec", "paused") is True:
            await self._clean(rollout)
        return await self._tell(rollout, judge=False)

    async def _roll(self, rollout: _Rollout) -> float | None:
        new = await self._ensure_new(rollout)
        if new is None:
            return await self._tell(rollout)
        deployment = rollout.deployment
        size = rolling.new_size(deployment, new, rollout.old)
        if size != replicas_of(new):
            await self._resize(rollout, new, size)
            return await self._tell(rollout)
        sizes = rolling.shrink_old(deployment, new, rollout.old)
        for one in list(rollout.old):
            if name_of(one) in sizes:
                await self._resize(rollout, one, sizes[name_of(one)])
        if not sizes:
            await self._clean_when_complete(rollout)
        return await self._tell(rollout)

    async def _recreate(self, rollout: _Rollout) -> float | None:
        active = [one for one in rollout.old if replicas_of(one) > 0]
        for one in active:
            await self._resize(rollout, one, 0)
        if active or self._has_old_pods(rollout):
            return await self._tell(rollout)
        new = await self._ensure_new(rollout)
        if new is not None:
            size = rolling.new_size(rollout.deployment, new, rollout.old)
            if size != replicas_of(new):
                await self._resize(rollout, new, size)
            await self._clean_when_complete(rollout)
        return await self._tell(rollout)

    def _has_old_pods(self, rollout: _Rollout) -> bool:
        """A pod that is being deleted still runs."""
        pods = (pod for one in rollout.old for pod in self._set_pods.owned(one))
        return any(not is_finished(pod) for pod in pods)

    # -- the newest ReplicaSet -------------------------------------------------------------------

    async def _ensure_new(self, rollout: _Rollout) -> Object | None:
        """The ReplicaSet of the template, made if need be; None when it could not be made."""
        if rollout.new is None:
            await self._create(rollout)
        if rollout.new is not None:
            await self._keep_new(rollout)
        return rollout.new

    async def _create(self, rollout: _Rollout) -> None:
        deployment = rollout.deployment
        size = rolling.new_size(deployment, None, rollout.old)
        wanted = history.new_replica_set(deployment, rollout.old, size)
        name = name_of(wanted)
        try:
            made = await self._client.create(REPLICA_SET, wanted)
        except AlreadyExists:
            await self._meet(rollout, name)
            return
        except ApiError as error:
            await self._could_not(rollout, name, error)
            return
        self._sets.learn(made)
        rollout.new = made
        if size:
            self._say_scaled(deployment, name, 0, size)
        if progress.progress_deadline(deployment) is not None:
            self._progress(rollout, progress.created(made))

    async def _meet(self, rollout: _Rollout, name: str) -> None:
        """The name is taken: by our own ReplicaSet that was not yet seen, or by another one of
        the same hash, which makes us count a collision and choose another name."""
        deployment = rollout.deployment
        try:
            found = await self._client.get(REPLICA_SET, name, namespace_of(deployment))
        except NotFound:
            return
        uid = text(deployment, "metadata", "uid")
        template = mapping(deployment, "spec", "template")
        ours = text(controller_of(found), "uid") == uid
        if ours and same_template(mapping(found, "spec", "template"), template):
            self._sets.learn(found)
            rollout.new = found
            return
        status = mapping(deployment, "status")
        collided = {**status, "collisionCount": status.get("collisionCount", 0) + 1}
        await write_status(self._client, self._deployments, deployment, collided)

    async def _could_not(self, rollout: _Rollout, name: str, error: ApiError) -> None:
        if namespace_is_ending(error):
            return
        deployment = rollout.deployment
        message = f'Failed to create new replica set "{name}": {error.message}'
        self._events.emit(deployment, WARNING, "ReplicaSetCreateError", message)
        if progress.progress_deadline(deployment) is not None:
            self._progress(rollout, progress.refused(name, error.message))
        await self._tell(rollout, judge=False)
        raise error

    async def _keep_new(self, rollout: _Rollout) -> None:
        """Annotations and revision of the newest ReplicaSet, and of the Deployment after it."""
        assert rollout.new is not None
        wanted = history.updated(rollout.deployment, rollout.new, rollout.old)
        if wanted != rollout.new:
            rollout.new = await self._replace(wanted)
        revision = annotation(rollout.new, history.REVISION)
        if annotation(rollout.deployment, history.REVISION) != revision:
            change = {"metadata": {"annotations": {history.REVISION: revision}}}
            rollout.deployment = await self._client.patch(
                DEPLOYMENT, name_of(rollout.deployment), change, namespace_of(rollout.deployment)
            )
            self._deployments.learn(rollout.deployment)
        has_deadline = progress.progress_deadline(rollout.deployment) is not None
        if has_deadline and not condition_of(rollout.conditions, progress.PROGRESSING):
            self._progress(rollout, progress.found(rollout.new))

    # -- writes ----------------------------------------------------------------------------------

    async def _resize(self, rollout: _Rollout, one: Object, size: int) -> None:
        """Gives a ReplicaSet its size, and lets it remember how large the Deployment is."""
        before, deployment = replicas_of(one), rollout.deployment
        annotations = {**mapping(one, "metadata", "annotations"), **history.sizes(deployment)}
        wanted = {
            **one,
            "metadata": {**one["metadata"], "annotations": annotations},
            "spec": {**one["spec"], "replicas": size},
        }
        if wanted == one:
            return
        written = await self._replace(wanted)
        if rollout.new is one:
            rollout.new = written
        else:
            rollout.old[:] = [written if other is one else other for other in rollout.old]
        if size != before:
            self._say_scaled(deployment, name_of(one), before, size)

    async def _replace(self, wanted: Object) -> Object:
        written = await self._client.replace(REPLICA_SET, wanted)
        self._sets.learn(written)
        return written

    def _say_scaled(self, deployment: Object, name: str, before: int, after: int) -> None:
        way = "up" if after > before else "down"
        message = f"Scaled {way} replica set {name} from {before} to {after}"
        self._events.emit(deployment, NORMAL, "ScalingReplicaSet", message)

    async def _clean_when_complete(self, rollout: _Rollout) -> None:
        if progress.is_complete(rollout.deployment, mapping(rollout.deployment, "status")):
            await self._clean(rollout)

    async def _clean(self, rollout: _Rollout) -> None:
        for one in history.superfluous(rollout.deployment, rollout.old):
            try:
                await self._client.delete(
                    REPLICA_SET,
                    name_of(one),
                    namespace_of(one),
                    uid=text(one, "metadata", "uid"),
                    propagation="Background",
                )
            except ApiError as error:
                if error.status not in (404, 409):
                    raise

    async def _tell(self, rollout: _Rollout, *, judge: bool = True) -> float | None:
        now = self._clock()
        old: Sequence[Object] = rollout.old
        status = progress.deployment_status(
            rollout.deployment, rollout.new, old, rollout.conditions, now, progress=judge
        )
        await write_status(self._client, self._deployments, rollout.deployment, status)
        return progress.seconds_to_deadline(rollout.deployment, status, now)
