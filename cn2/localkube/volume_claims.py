"""PersistentVolumeClaims: there is nobody here who provides volumes, and the claim says so."""

from __future__ import annotations

from cn2.api.access import text
from cn2.api.kinds import PERSISTENT_VOLUME_CLAIM
from cn2.client.cache import Key
from cn2.client.events import NORMAL, Events
from cn2.client.informer import Informers
from cn2.client.loop import Controller

SOURCE = "persistentvolume-controller"
_MESSAGE = (
    "no persistent volumes available for this claim and no storage class is set: volumes are not"
    " provided here, an emptyDir is all a pod can have"
)


class VolumeClaims:
    def __init__(self, informers: Informers, events: Events) -> None:
        self._events = events
        self._claims = informers.of(PERSISTENT_VOLUME_CLAIM)
        self._told: dict[Key, str] = {}
        """Uid of the claim that was told last of each name."""
        self.controller = Controller("volume-claims", self.reconcile).watch(self._claims)

    async def reconcile(self, key: Key) -> float | None:
        claim = self._claims.objects.get(key)
        if claim is None:
            self._told.pop(key, None)
            return None
        uid = text(claim, "metadata", "uid")
        if text(claim, "spec", "volumeName") or self._told.get(key) == uid:
            return None
        self._told[key] = uid
        self._events.emit(claim, NORMAL, "FailedBinding", _MESSAGE)
        return None
