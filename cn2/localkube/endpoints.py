"""Keeps EndpointSlices and Endpoints equal to the readiness of each service's pods."""

from __future__ import annotations

from cn2.api.access import items, label, mapping, name_of, namespace_of, text
from cn2.api.kind import Kind, Object
from cn2.api.kinds import ENDPOINT_SLICE, ENDPOINTS, POD, SERVICE
from cn2.client.cache import Key, key_of
from cn2.client.errors import AlreadyExists, NotFound
from cn2.client.http import Client
from cn2.client.informer import Informer, Informers
from cn2.client.loop import Controller
from cn2.localkube.slices import (
    ENDPOINTS_MANAGED_BY,
    ENDPOINTS_MANAGER,
    MANAGED_BY,
    MANAGER,
    SERVICE_LABEL,
    endpoint_slices,
    endpoints,
    selects,
)

_BY_NAMESPACE = "namespace"
_BY_SERVICE = "service"


class ServiceEndpoints:
    def __init__(self, client: Client, informers: Informers) -> None:
        self._client = client
        self._services = informers.of(SERVICE)
        self._pods = informers.of(POD)
        self._slices = informers.of(ENDPOINT_SLICE)
        self._endpoints = informers.of(ENDPOINTS)
        for informer in (self._services, self._pods):
            informer.add_index(_BY_NAMESPACE, lambda obj: (namespace_of(obj),))
        self._slices.add_index(_BY_SERVICE, _service_of_slice)
        self.controller = (
            Controller("endpoints", self.reconcile)
            .watch(self._services)
            .watch(self._pods, self._services_of)
            .watch(self._slices, _service_key)
            .watch(self._endpoints)
        )

    def _services_of(self, pod: Object) -> list[Key]:
        services = self._services.by_index(_BY_NAMESPACE, namespace_of(pod))
        return [key_of(service) for service in services if selects(service, pod)]

    async def reconcile(self, key: Key) -> float | None:
        service = self._services.objects.get(key)
        if service is None:
            await self._clear_endpoints(key)
            return None
        # Without a selector, people or other controllers say what the endpoints are.
        if not mapping(service, "spec", "selector"):
            return None
        if text(service, "metadata", "deletionTimestamp"):
            return None
        pods = self._pods.by_index(_BY_NAMESPACE, key[0])
        await self._keep_slices(key, endpoint_slices(service, pods))
        await self._keep_endpoints(key, endpoints(service, pods))
        return None

    async def _keep_slices(self, key: Key, wanted: dict[str, Object]) -> None:
        have = {name_of(part): part for part in self._slices.by_index(_BY_SERVICE, "/".join(key))}
        for name, part in wanted.items():
            await self._keep(ENDPOINT_SLICE, self._slices, have.pop(name, None), part)
        for name, part in have.items():
            await self._delete(ENDPOINT_SLICE, name, key[0], text(part, "metadata", "uid"))

    async def _keep_endpoints(self, key: Key, wanted: Object) -> None:
        have = self._endpoints.objects.get(key)
        await self._keep(ENDPOINTS, self._endpoints, have, wanted)

    async def _keep(
        self, kind: Kind, informer: Informer, have: Object | None, wanted: Object
    ) -> None:
        if have is None:
            try:
                informer.learn(await self._client.create(kind, wanted))
            except AlreadyExists:
                return
        elif _differs(have, wanted):
            informer.learn(await self._client.replace(kind, _over(have, wanted)))

    async def _clear_endpoints(self, key: Key) -> None:
        """Endpoints have the service's name and no owner: ours are removed with the service.
        Those that somebody wrote by hand stay, the service may come after them."""
        have = self._endpoints.objects.get(key)
        if have is not None and label(have, ENDPOINTS_MANAGED_BY) == ENDPOINTS_MANAGER:
            await self._delete(ENDPOINTS, key[1], key[0], text(have, "metadata", "uid"))

    async def _delete(self, kind: Kind, name: str, namespace: str, uid: str) -> None:
        try:
            await self._client.delete(kind, name, namespace, uid=uid)
        except NotFound:
            return


def _service_of_slice(part: Object) -> tuple[str, ...]:
    if label(part, MANAGED_BY) != MANAGER:
        return ()
    return (f"{namespace_of(part)}/{label(part, SERVICE_LABEL)}",)


def _service_key(part: Object) -> list[Key]:
    if label(part, MANAGED_BY) != MANAGER:
        return []
    return [(namespace_of(part), label(part, SERVICE_LABEL))]


_CONTENT = ("endpoints", "ports", "subsets")


def _differs(have: Object, wanted: Object) -> bool:
    if any((have.get(part) or []) != (wanted.get(part) or []) for part in _CONTENT):
        return True
    labels = mapping(have, "metadata", "labels")
    if any(
        labels.get(key) != value for key, value in mapping(wanted, "metadata", "labels").items()
    ):
        return True
    owners = items(wanted, "metadata", "ownerReferences")
    return bool(owners) and items(have, "metadata", "ownerReferences") != owners


def _over(have: Object, wanted: Object) -> Object:
    """The object as it is, with what we say of it: other labels and annotations stay."""
    labels = mapping(have, "metadata", "labels") | mapping(wanted, "metadata", "labels")
    owners = items(wanted, "metadata", "ownerReferences")
    metadata = {**have["metadata"], "labels": labels}
    if owners:
        metadata["ownerReferences"] = owners
    kept = {key: value for key, value in have.items() if key not in _CONTENT}
    return {**kept, **{key: wanted[key] for key in _CONTENT if key in wanted}, "metadata": metadata}
