"""What every namespace is given: the service account `default`, and the cluster's CA."""

from __future__ import annotations

from cn2.api.access import name_of, namespace_of, text
from cn2.api.kind import Object
from cn2.api.kinds import CONFIG_MAP, NAMESPACE, SERVICE_ACCOUNT
from cn2.client.cache import Key
from cn2.client.errors import AlreadyExists
from cn2.client.http import Client
from cn2.client.informer import Informers
from cn2.client.loop import Controller
from cn2.localkube.kept import ROOT_CA, metadata_only, root_ca_data

_DESCRIPTION = (
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal "
    "endpoints such as the internal service IP or kubernetes.default.svc. No other usage is "
    "guaranteed across distributions of Kubernetes clusters."
)


class ServiceAccounts:
    """Gives them and restores them. `ca` is the PEM that pods shall trust."""

    def __init__(self, client: Client, informers: Informers, ca: str) -> None:
        self._client = client
        self._ca = ca
        self._namespaces = informers.of(NAMESPACE)
        self._accounts = informers.of(SERVICE_ACCOUNT, keep=metadata_only)
        self._maps = informers.of(CONFIG_MAP, keep=root_ca_data)
        self.controller = (
            Controller("accounts", self.reconcile)
            .watch(self._namespaces)
            .watch(self._accounts, lambda obj: _namespace_if(obj, "default"))
            .watch(self._maps, lambda obj: _namespace_if(obj, ROOT_CA))
        )

    async def reconcile(self, key: Key) -> float | None:
        namespace = self._namespaces.get(key[1])
        if namespace is None or text(namespace, "metadata", "deletionTimestamp"):
            return None
        if self._accounts.get("default", key[1]) is None:
            await self._create_account(key[1])
        await self._keep_ca(key[1])
        return None

    async def _create_account(self, namespace: str) -> None:
        account = {
            "apiVersion": SERVICE_ACCOUNT.api_version,
            "kind": SERVICE_ACCOUNT.kind,
            "metadata": {"name": "default", "namespace": namespace},
        }
        try:
            self._accounts.learn(await self._client.create(SERVICE_ACCOUNT, account))
        except AlreadyExists:
            return

    async def _keep_ca(self, namespace: str) -> None:
        have = self._maps.get(ROOT_CA, namespace)
        wanted = root_ca(namespace, self._ca)
        try:
            if have is None:
                self._maps.learn(await self._client.create(CONFIG_MAP, wanted))
            elif have.get("data") != wanted["data"]:
                change = {"data": wanted["data"]}
                self._maps.learn(await self._client.patch(CONFIG_MAP, ROOT_CA, change, namespace))
        except AlreadyExists:
            return


def root_ca(namespace: str, ca: str) -> Object:
    """The ConfigMap kube-root-ca.crt of a namespace."""
    return {
        "apiVersion": CONFIG_MAP.api_version,
        "kind": CONFIG_MAP.kind,
        "metadata": {
            "name": ROOT_CA,
            "namespace": namespace,
            "annotations": {"kubernetes.io/description": _DESCRIPTION},
        },
        "data": {"ca.crt": ca},
    }


def _namespace_if(obj: Object, name: str) -> list[Key]:
    return [("", namespace_of(obj))] if name_of(obj) == name else []
