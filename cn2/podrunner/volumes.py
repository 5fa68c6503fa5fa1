"""The files that a pod gets besides the host's: its volumes, and its own /etc/hosts and the like.

`volume_files` and `etc_files` are pure; `fetch` asks the API for what they need.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from cn2.api.kind import Object
from cn2.api.kinds import CONFIG_MAP, POD, SECRET, SERVICE_ACCOUNT
from cn2.client import Client, NotFound
from cn2.client.request import object_path
from cn2.podrunner.environment import (
    Facts,
    MissingSource,
    Source,
    data_of,
    field_value,
    hostname,
    references,
)
from cn2.podrunner.runs import epoch

ETC = ".etc"
"""Directory of the pod's volumes with its /etc files; no volume's name begins with a dot."""

_TOKEN_AGE = 0.8
"""Share of a token's life after which it is replaced, as kubelet does."""

_KINDS = {"ConfigMap": CONFIG_MAP, "Secret": SECRET}

Tokens = Mapping[tuple[str, int], str]
"""By (audience, seconds to live)."""


@dataclass(slots=True)
class Fetched:
    """What the API said. `renew_at` is when a token must be replaced (epoch seconds)."""

    sources: dict[tuple[str, str], Object | None] = field(default_factory=dict)
    tokens: dict[tuple[str, int], str] = field(default_factory=dict)
    renew_at: float | None = None

    def lookup(self, kind: str, name: str) -> Object | None:
        return self.sources.get((kind, name))


async def fetch(client: Client, pod: Object, now: float) -> Fetched:
    """Everything that the pod's volumes and environments refer to."""
    fetched = Fetched()
    namespace = pod["metadata"]["namespace"]
    for kind, name in sorted({*references(pod), *_volume_references(pod)}):
        try:
            found = await client.get(_KINDS[kind], name, namespace)
            fetched.sources[kind, name] = {**found, "kind": kind}
        except NotFound:
            fetched.sources[kind, name] = None
    for audience, lifetime in sorted(_wanted_tokens(pod)):
        token = await _token(client, pod, audience, lifetime)
        fetched.tokens[audience, lifetime] = token["token"]
        renew = now + _TOKEN_AGE * (epoch(token["expirationTimestamp"]) - now)
        fetched.renew_at = renew if fetched.renew_at is None else min(fetched.renew_at, renew)
    return fetched


async def _token(client: Client, pod: Object, audience: str, lifetime: int) -> Any:
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
    return (await client.post(path, request))["status"]


def _projected(volume: Object) -> list[Object]:
    """A volume as a list of projected sources; a volume of another form has just one."""
    if "projected" in volume:
        sources: list[Object] = volume["projected"].get("sources") or []
        return sources
    if "secret" in volume:
        secret = volume["secret"]
        return [{"secret": {**secret, "name": secret.get("secretName", secret.get("name", ""))}}]
    return [{key: volume[key]} for key in ("configMap", "downwardAPI") if key in volume]


def _volume_references(pod: Object) -> Iterator[tuple[str, str]]:
    for volume in pod["spec"].get("volumes") or []:
        for source in _projected(volume):
            for key, kind in (("configMap", "ConfigMap"), ("secret", "Secret")):
                if key in source:
                    yield kind, source[key]["name"]


def _token_key(source: Object) -> tuple[str, int]:
    token = source["serviceAccountToken"]
    return token.get("audience") or "", token.get("expirationSeconds") or 3600


def _wanted_tokens(pod: Object) -> set[tuple[str, int]]:
    return {
        _token_key(source)
        for volume in pod["spec"].get("volumes") or []
        for source in _projected(volume)
        if "serviceAccountToken" in source
    }


def volume_files(
    pod: Object, volume: Object, facts: Facts, lookup: Source, tokens: Tokens
) -> dict[str, bytes]:
    """Path below the volume to content; nothing for an emptyDir. Raises `MissingSource`."""
    files: dict[str, bytes] = {}
    for source in _projected(volume):
        for key, kind in (("configMap", "ConfigMap"), ("secret", "Secret")):
            if key in source:
                files.update(_items(kind, source[key], lookup))
        if "downwardAPI" in source:
            for item in source["downwardAPI"].get("items") or []:
                path = (item.get("fieldRef") or {}).get("fieldPath", "")
                files[item["path"]] = field_value(pod, path, facts).encode()
        if "serviceAccountToken" in source:
            path = source["serviceAccountToken"]["path"]
            files[path] = tokens[_token_key(source)].encode()
    for path in files:
        if path.startswith("/") or ".." in path.split("/"):
            raise MissingSource(f"volume {volume['name']}: path {path} leads out of it")
    return files


def _items(kind: str, wanted: Object, lookup: Source) -> dict[str, bytes]:
    found = lookup(kind, wanted["name"])
    if found is None:
        if wanted.get("optional"):
            return {}
        raise MissingSource(f'{kind.lower()} "{wanted["name"]}" not found')
    data = data_of(found)
    if not wanted.get("items"):
        return data
    files = {}
    for item in wanted["items"]:
        if item["key"] in data:
            files[item["path"]] = data[item["key"]]
        elif not wanted.get("optional"):
            raise MissingSource(f'{kind.lower()} "{wanted["name"]}" has no key "{item["key"]}"')
    return files


def etc_files(pod: Object, facts: Facts, *, dns: str) -> dict[str, bytes]:
    """The pod's own hosts, hostname and resolv.conf, as kubelet writes them."""
    name = hostname(pod)
    lines = [
        "# Kubernetes-managed hosts file.",
        "127.0.0.1\tlocalhost",
        "::1\tlocalhost ip6-localhost ip6-loopback",
        "fe00::\tip6-localnet",
        "ff00::\tip6-mcastprefix",
        "ff02::1\tip6-allnodes",
        "ff02::2\tip6-allrouters",
        *(f"{address}\t{name}" for address in facts.addresses),
    ]
    for alias in pod["spec"].get("hostAliases") or []:
        lines.append("\t".join([alias["ip"], *(alias.get("hostnames") or [])]))
    return {
        "hosts": "\n".join([*lines, ""]).encode(),
        "hostname": f"{name}\n".encode(),
        "resolv.conf": _resolver(pod, dns).encode(),
    }


def _resolver(pod: Object, dns: str) -> str:
    """Without a DNS server nothing is named, so that look-ups fail at once instead of waiting."""
    config = pod["spec"].get("dnsConfig") or {}
    namespace = pod["metadata"]["namespace"]
    servers = list(config.get("nameservers") or [])
    searches = list(config.get("searches") or [])
    options = []
    if dns and pod["spec"].get("dnsPolicy", "ClusterFirst") == "ClusterFirst":
        servers = [dns, *servers]
        searches = [f"{namespace}.svc.cluster.local", "svc.cluster.local", "cluster.local"]
        options = ["ndots:5"]
    for option in config.get("options") or []:
        value = option.get("value")
        options.append(option["name"] if value is None else f"{option['name']}:{value}")
    lines = [f"search {' '.join(searches)}"] if searches else []
    lines += [f"nameserver {server}" for server in servers]
    lines += [f"options {' '.join(options)}"] if options else []
    return "".join(f"{line}\n" for line in lines)
