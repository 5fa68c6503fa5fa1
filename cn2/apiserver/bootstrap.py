"""What a cluster has before anybody has made anything."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Iterable

from cn2.api.access import annotation
from cn2.api.kind import Kind, Object
from cn2.api.kinds import CLUSTER_ROLE, NAMESPACE, PRIORITY_CLASS, SERVICE
from cn2.api.kubernetes.priority_class import SYSTEM_CLASSES, SYSTEM_DESCRIPTIONS
from cn2.apiserver import bootstrap_roles, writes
from cn2.apiserver.backend import Backend
from cn2.apiserver.options import WriteOptions
from cn2.apiserver.writes import Change, Update

NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")
MANAGER = "kube-apiserver"


async def ensure(backend: Backend, port: int) -> None:
    """Makes the objects that are not there; `port` is where the API is served on the fabric."""
    await _ensure_all(backend, [(NAMESPACE, _object(NAMESPACE, "", name)) for name in NAMESPACES])
    await _ensure_all(
        backend,
        [
            *((PRIORITY_CLASS, _priority_class(*known)) for known in SYSTEM_CLASSES.items()),
            *bootstrap_roles.objects(),
            (SERVICE, _kubernetes(backend, port)),
        ],
    )
    await asyncio.gather(
        _keep_port(backend, port), *(_keep_rules(backend, *role) for role in bootstrap_roles.kept())
    )


async def _ensure_all(backend: Backend, wanted: Iterable[tuple[Kind, Object]]) -> None:
    """All at once: their commits share one sync."""
    await asyncio.gather(*(_ensure(backend, kind, obj) for kind, obj in wanted))


async def _ensure(backend: Backend, kind: Kind, obj: Object) -> None:
    namespace = obj["metadata"].get("namespace", "")
    if backend.latest(kind, namespace, obj["metadata"]["name"]) is None:
        await writes.create(backend, kind, namespace, obj, WriteOptions(MANAGER))


async def _keep_rules(backend: Backend, name: str, rules: list[Object]) -> None:
    """A newer table of kinds has more to allow; who does not want that says so by annotation."""

    def change(role: Object) -> Object:
        if annotation(role, bootstrap_roles.AUTOUPDATE) != "false":
            role["rules"] = rules
        return role

    await _change(backend, CLUSTER_ROLE, "", name, change)


async def _keep_port(backend: Backend, port: int) -> None:
    """The server may be served on another port than last time."""

    def change(service: Object) -> Object:
        for entry in service["spec"]["ports"]:
            if entry.get("name") == "https":
                entry["targetPort"] = port
        return service

    await _change(backend, SERVICE, "default", "kubernetes", change)


async def _change(backend: Backend, kind: Kind, namespace: str, name: str, change: Change) -> None:
    await Update(
        backend=backend,
        kind=kind,
        namespace=namespace,
        name=name,
        change=change,
        options=WriteOptions(MANAGER),
    ).run()


def _priority_class(name: str, value: int) -> Object:
    obj = _object(PRIORITY_CLASS, "", name)
    return {**obj, "value": value, "description": SYSTEM_DESCRIPTIONS[name]}


def _object(kind: Kind, namespace: str, name: str) -> Object:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": metadata}


def _kubernetes(backend: Backend, port: int) -> Object:
    """The Service of the API itself: always the first address of the service range."""
    first = ipaddress.ip_address(int(backend.service_cidr.network_address) + 1)
    obj = _object(SERVICE, "default", "kubernetes")
    obj["metadata"]["labels"] = {"component": "apiserver", "provider": "kubernetes"}
    obj["spec"] = {
        "type": "ClusterIP",
        "clusterIP": str(first),
        "ports": [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": port}],
        "sessionAffinity": "None",
    }
    return obj
