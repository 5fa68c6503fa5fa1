"""What a cluster has before anybody has made anything."""

from __future__ import annotations

import ipaddress

from cn2.api.kind import Kind, Object
from cn2.api.kinds import NAMESPACE, SERVICE
from cn2.apiserver import writes
from cn2.apiserver.backend import Backend
from cn2.apiserver.options import WriteOptions

NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")
MANAGER = "kube-apiserver"


async def ensure(backend: Backend, port: int) -> None:
    """Makes the objects that are not there; `port` is where the API is served on the fabric."""
    for name in NAMESPACES:
        await _ensure(backend, NAMESPACE, "", _object(NAMESPACE, "", name))
    await _ensure(backend, SERVICE, "default", _kubernetes(backend, port))


async def _ensure(backend: Backend, kind: Kind, namespace: str, obj: Object) -> None:
    if backend.latest(kind, namespace, obj["metadata"]["name"]) is None:
        await writes.create(backend, kind, namespace, obj, WriteOptions(MANAGER))


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
