"""Service-account tokens for the volumes of a pod: asked for, and replaced before they expire."""

from __future__ import annotations

from typing import Any

from cn2.api.kind import Object
from cn2.api.kinds import POD, SERVICE_ACCOUNT
from cn2.client import Client
from cn2.client.request import object_path
from cn2.podrunner.runs import epoch
from cn2.podrunner.volumes import wanted_tokens

_AGE = 0.8
"""Share of a token's life after which it is replaced, as kubelet does."""


class PodTokens:
    """Of one pod. `renew_at` is when to call `fetch` again (epoch seconds), None for never."""

    def __init__(self, client: Client) -> None:
        self.tokens: dict[tuple[str, int], str] = {}
        self.renew_at: float | None = None
        self._client = client
        self._due: dict[tuple[str, int], float] = {}

    async def fetch(self, pod: Object, now: float) -> None:
        """Those that are not there yet or due. Raises ApiError."""
        for key in sorted(wanted_tokens(pod)):
            if self._due.get(key, 0.0) > now:
                continue
            token = await self._request(pod, *key)
            self.tokens[key] = token["token"]
            self._due[key] = now + _AGE * (epoch(token["expirationTimestamp"]) - now)
        self.renew_at = min(self._due.values(), default=None)

    async def _request(self, pod: Object, audience: str, lifetime: int) -> Any:
        account = pod["spec"].get("serviceAccountName") or "default"
        metadata = pod["metadata"]
        bound = {
            "apiVersion": POD.api_version,
            "kind": POD.kind,
            "name": metadata["name"],
            "uid": metadata["uid"],
        }
        spec: Object = {"expirationSeconds": lifetime, "boundObjectRef": bound}
        if audience:
            spec["audiences"] = [audience]
        request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
        path = object_path(SERVICE_ACCOUNT, account, metadata["namespace"], "token")
        return (await self._client.post(path, request))["status"]
