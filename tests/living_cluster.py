"""A cluster without nodes in this process: the real API server on a real store, the real
controllers, and Kubernetes' own garbage collection. For tests that look at the world, not at calls.
"""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from cn2.api.kind import Kind, Object
from cn2.api.kinds import EVENT, KINDS
from cn2.apiserver import bootstrap, listeners
from cn2.apiserver.backend import Backend
from cn2.apiserver.front import Front, server_tls
from cn2.apiserver.kernel import Kernel
from cn2.apiserver.nodes import NodeSockets
from cn2.apiserver.tokens import Tokens
from cn2.client.errors import NotFound
from cn2.client.http import Client
from cn2.client.informer import Informers
from cn2.client.loop import Loop
from cn2.controllers import core, kubernetes
from cn2.controllers.runner import Manager
from cn2.localkube.garbage import GarbageCollector
from cn2.localkube.namespaces import NamespaceDeletion
from cn2.plan.cluster.settings import Settings
from cn2.store.sqlite import open_store
from cn2.supervisor.layout import Layout
from cn2.supervisor.pki import Authority

CLUSTER = "contrail-k8s-kubemanager-mk"
CLUSTER_NAMESPACE = CLUSTER + "-contrail"

SETTINGS = Settings(
    cluster_name=CLUSTER, pod_v4_subnet="10.244.0.0/16", service_v4_subnet="10.96.0.0/12"
)
_READ_ONLY = {"Pool"}


class LivingCluster:
    """The API and who works on it."""

    def __init__(self, kubeconfig: Path, backend: Backend) -> None:
        self.kubeconfig = kubeconfig
        self.backend = backend
        self.admin = Client.from_kubeconfig(kubeconfig, manager="kubectl")

    @asynccontextmanager
    async def controllers(self, settings: Settings = SETTINGS) -> AsyncIterator[Controllers]:
        """`controller`, `kubemanager` and garbage collection, until the context ends."""
        running = Controllers(self.kubeconfig, settings)
        async with AsyncExitStack() as stack:
            for client in running.clients:
                stack.push_async_callback(client.close)
            tasks = [asyncio.ensure_future(work) for work in running.works()]
            stack.push_async_callback(_end, tasks)
            yield running

    async def get(self, kind: Kind, name: str, namespace: str = "") -> Object | None:
        try:
            return await self.admin.get(kind, name, namespace)
        except NotFound:
            return None

    async def apply(self, kind: Kind, obj: Object) -> Object:
        whole = {"apiVersion": kind.api_version, "kind": kind.kind, **obj}
        status = whole.pop("status", None)
        made = await self.admin.create(kind, whole)
        if status is not None:
            name = made["metadata"]["name"]
            made = await self.admin.patch(
                kind,
                name,
                {"status": status},
                made["metadata"].get("namespace", ""),
                subresource="status",
            )
        return made

    async def ready(
        self, kind: Kind, name: str, namespace: str = "", *, besides: str = ""
    ) -> Object:
        """The object once it is Success; with `besides`, one with another uid than that."""

        async def look() -> Object | None:
            obj = await self.get(kind, name, namespace)
            good = obj is not None and (obj.get("status") or {}).get("state") == "Success"
            return obj if obj and good and obj["metadata"]["uid"] != besides else None

        return await until(look)

    async def everything(self) -> dict[str, str]:
        """resourceVersion of every object but events, by kind and key."""
        found = {}
        for kind in KINDS:
            if kind is EVENT or kind.kind in _READ_ONLY or "list" not in kind.verbs:
                continue
            for obj in (await self.admin.list(kind)).items:
                key = (
                    f"{kind.kind}/{obj['metadata'].get('namespace', '')}/{obj['metadata']['name']}"
                )
                found[key] = obj["metadata"]["resourceVersion"]
        return found


COMPONENTS = "components.kubeconfig"
"""The credentials of the system's own parts, beside those of people."""


class Controllers:
    """Every controller process's content, in this one."""

    def __init__(self, kubeconfig: Path, settings: Settings) -> None:
        names = ("manager", "kubemanager", "kube-controller-manager")
        component = kubeconfig.with_name(COMPONENTS)
        self.clients = [Client.from_kubeconfig(component, manager=name) for name in names]
        self.controller = Manager(self.clients[0], "contrail-k8s-controller")
        self.kubemanager = Manager(self.clients[1], "contrail-k8s-kubemanager")
        core.wire(self.controller, settings.cluster_name)
        kubernetes.wire(self.kubemanager, settings)
        self.kube = Loop(Informers(self.clients[2]))
        deletable = [kind for kind in KINDS if {"list", "watch", "delete"} <= set(kind.verbs)]
        for part in (
            NamespaceDeletion(self.clients[2], self.kube.informers, deletable),
            GarbageCollector(
                self.clients[2],
                self.kube.informers,
                [kind for kind in deletable if kind is not EVENT],
            ),
        ):
            self.kube.add(part.controller)

    def works(self) -> list[Any]:
        return [self.controller.run(), self.kubemanager.run(), self.kube.run()]

    async def idle(self) -> None:
        """Everyone has started and nobody has anything to do."""

        async def look() -> bool:
            return self.controller.idle() and self.kubemanager.idle() and self.kube.idle()

        await until(look)


@asynccontextmanager
async def living_cluster(directory: Path) -> AsyncIterator[LivingCluster]:
    """A cluster with its data under `directory`; nobody works on it yet."""
    layout = Layout(directory)
    layout.pki.mkdir()
    authority = Authority(layout, datetime.datetime.now(datetime.UTC))
    certificate, key = authority.server("apiserver", ["127.0.0.1"])
    signing = load_pem_private_key(authority.signing_key("sa").read_bytes(), None)
    assert isinstance(signing, ec.EllipticCurvePrivateKey)
    async with AsyncExitStack() as stack:
        store = await open_store(layout.store)
        stack.push_async_callback(store.close)
        service_cidr = ipaddress.ip_network("10.96.0.0/12")
        assert isinstance(service_cidr, ipaddress.IPv4Network)
        backend = Backend(store=store, service_cidr=service_cidr)
        tokens = Tokens(signing, lambda: datetime.datetime.now(datetime.UTC))
        kernel = Kernel(backend, tokens, NodeSockets(layout.nodes), KINDS)
        await bootstrap.ensure(backend, 6443)
        front = Front(kernel)
        stack.push_async_callback(front.close)
        sock = listeners.bind("127.0.0.1", 0)
        await front.listen(sock, server_tls(certificate, key, authority.certificate_path))
        for path, user in (
            (layout.kubeconfig, "kubernetes-admin"),
            (layout.kubeconfig.with_name(COMPONENTS), "system:cn2:controllers"),
        ):
            authority.kubeconfig(
                path,
                server=f"https://127.0.0.1:{sock.getsockname()[1]}",
                user=user,
                group="system:masters",
                cluster="test",
            )
        cluster = LivingCluster(layout.kubeconfig, backend)
        stack.push_async_callback(cluster.admin.close)
        yield cluster


async def until(look: Callable[[], Awaitable[Any]]) -> Any:
    """What `look` answers once that is something; the test's own time limit ends a vain wait."""
    while not (found := await look()):  # noqa: ASYNC110
        await asyncio.sleep(0.005)
    return found


async def _end(tasks: list[asyncio.Future[Any]]) -> None:
    for task in tasks:
        task.cancel()
    for result in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(result, Exception):
            raise result
