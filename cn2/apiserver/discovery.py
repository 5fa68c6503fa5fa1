"""What the server serves, in Kubernetes' discovery documents.

The legacy documents are /api, /apis, /apis/GROUP and /apis/GROUP/VERSION (kubectl 1.20); the
aggregated ones put everything below /api or /apis into one reply (apidiscovery.k8s.io v2 and
v2beta1, kubectl 1.26 and later).
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from cn2.api.kind import Kind, Object


class GroupVersionKind(NamedTuple):
    """What a resource or subresource answers with."""

    group: str
    version: str
    kind: str


class Subresource(NamedTuple):
    """One subresource; `response` None stands for the parent's own kind."""

    verbs: tuple[str, ...]
    response: GroupVersionKind | None = None


_STREAM = ("create", "get")
_READ_WRITE = ("get", "patch", "update")

_SUBRESOURCES: Mapping[str, Subresource] = {
    "status": Subresource(_READ_WRITE),
    "scale": Subresource(_READ_WRITE, GroupVersionKind("autoscaling", "v1", "Scale")),
    "log": Subresource(("get",)),
    "exec": Subresource(_STREAM, GroupVersionKind("", "v1", "PodExecOptions")),
    "attach": Subresource(_STREAM, GroupVersionKind("", "v1", "PodAttachOptions")),
    "portforward": Subresource(_STREAM, GroupVersionKind("", "v1", "PodPortForwardOptions")),
    "proxy": Subresource(_STREAM, GroupVersionKind("", "v1", "PodProxyOptions")),
    "binding": Subresource(("create",), GroupVersionKind("", "v1", "Binding")),
    "eviction": Subresource(("create",), GroupVersionKind("policy", "v1", "Eviction")),
    "ephemeralcontainers": Subresource(_READ_WRITE),
    "finalize": Subresource(("update",)),
    "token": Subresource(
        ("create",), GroupVersionKind("authentication.k8s.io", "v1", "TokenRequest")
    ),
    "next": Subresource(("get",)),
}
_OTHER = Subresource(("get",))

_VERSION = re.compile(r"^v(\d+)(?:(alpha|beta)(\d+))?$")
_STABILITY = {None: 2, "beta": 1, "alpha": 0}


def aggregated_content_type(version: str) -> str:
    """The content type of an aggregated document; kubectl falls back without it."""
    return f"application/json;g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList"


def etag(document: Object) -> str:
    """A quoted entity tag of a discovery document."""
    text = json.dumps(document, sort_keys=True).encode()
    return f'"{hashlib.sha512(text).hexdigest().upper()}"'


def storage_version_hash(kind: Kind) -> str:
    """Kubernetes' hash of the version in which a kind is stored."""
    text = f"{kind.group}/{kind.version}/{kind.kind}".encode()
    return base64.b64encode(hashlib.sha256(text).digest()[:8]).decode()


# Legacy documents -------------------------------------------------------------------------------


def api_versions(address: str) -> Object:
    """/api; `address` is the server's `host:port`."""
    return {
        "kind": "APIVersions",
        "versions": ["v1"],
        "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}],
    }


def group_list(kinds: Iterable[Kind]) -> Object:
    """/apis."""
    groups = [_group(name, versions) for name, versions in _groups(kinds).items() if name]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}


def group(kinds: Iterable[Kind], name: str) -> Object | None:
    """/apis/NAME, None when there is no such group."""
    versions = _groups(kinds).get(name)
    if not name or versions is None:
        return None
    return {"kind": "APIGroup", "apiVersion": "v1", **_group(name, versions)}


def resource_list(kinds: Iterable[Kind], name: str, version: str) -> Object | None:
    """/api/v1 (`name` "") or /apis/NAME/VERSION, None when there is no such version."""
    served = _groups(kinds).get(name, {}).get(version)
    if served is None:
        return None
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": _group_version(name, version),
        "resources": [entry for kind in served for entry in _resources(kind)],
    }


def _groups(kinds: Iterable[Kind]) -> dict[str, dict[str, list[Kind]]]:
    """Group to version to kinds: groups and kinds by name, preferred versions first."""
    found: dict[str, dict[str, list[Kind]]] = {}
    for kind in sorted(kinds, key=lambda kind: (kind.group, kind.plural)):
        found.setdefault(kind.group, {}).setdefault(kind.version, []).append(kind)
    return {
        name: {version: versions[version] for version in sorted(versions, key=_rank, reverse=True)}
        for name, versions in found.items()
    }


def _rank(version: str) -> tuple[int, int, int, int, str]:
    """Kubernetes' priority of versions: v2, v1, v1beta2, v1beta1, v1alpha1, then the rest."""
    match = _VERSION.match(version)
    if match is None:
        return (0, 0, 0, 0, version)
    return (1, _STABILITY[match[2]], int(match[1]), int(match[3] or 0), "")


def _group_version(name: str, version: str) -> str:
    return f"{name}/{version}" if name else version


def _group(name: str, versions: Mapping[str, Sequence[Kind]]) -> dict[str, Any]:
    entries = [
        {"groupVersion": _group_version(name, version), "version": version} for version in versions
    ]
    return {"name": name, "versions": entries, "preferredVersion": entries[0]}


def _resources(kind: Kind) -> Iterator[dict[str, Any]]:
    entry: dict[str, Any] = {
        "name": kind.plural,
        "singularName": kind.singular,
        "namespaced": kind.namespaced,
        "kind": kind.kind,
        "verbs": list(kind.verbs),
    }
    if kind.short_names:
        entry["shortNames"] = list(kind.short_names)
    if kind.categories:
        entry["categories"] = list(kind.categories)
    entry["storageVersionHash"] = storage_version_hash(kind)
    yield entry
    for name, subresource in _subresources(kind):
        yield _legacy_subresource(kind, name, subresource)


def _legacy_subresource(kind: Kind, name: str, subresource: Subresource) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "name": f"{kind.plural}/{name}",
        "singularName": "",
        "namespaced": kind.namespaced,
    }
    if subresource.response is not None:
        entry["group"] = subresource.response.group
        entry["version"] = subresource.response.version
    entry["kind"] = subresource.response.kind if subresource.response else kind.kind
    entry["verbs"] = list(subresource.verbs)
    return entry


def _subresources(kind: Kind) -> Iterator[tuple[str, Subresource]]:
    names = {*kind.subresources, *(("status",) if kind.status else ())}
    for name in sorted(names):
        yield name, _SUBRESOURCES.get(name, _OTHER)


# Aggregated documents ---------------------------------------------------------------------------


def aggregated(kinds: Iterable[Kind], *, core: bool, version: str = "v2") -> Object:
    """The core group (`core`, for /api) or all others (for /apis) in one document."""
    return {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": f"apidiscovery.k8s.io/{version}",
        "metadata": {},
        "items": [
            _aggregated_group(name, versions)
            for name, versions in _groups(kinds).items()
            if (name == "") == core
        ],
    }


def _aggregated_group(name: str, versions: Mapping[str, Sequence[Kind]]) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "creationTimestamp": None},
        "versions": [
            {
                "version": version,
                "resources": [_aggregated_resource(kind) for kind in served],
                "freshness": "Current",
            }
            for version, served in versions.items()
        ],
    }


def _aggregated_resource(kind: Kind) -> dict[str, Any]:
    own = GroupVersionKind(kind.group, kind.version, kind.kind)
    entry: dict[str, Any] = {
        "resource": kind.plural,
        "responseKind": own._asdict(),
        "scope": "Namespaced" if kind.namespaced else "Cluster",
        "singularResource": kind.singular,
        "verbs": list(kind.verbs),
    }
    if kind.short_names:
        entry["shortNames"] = list(kind.short_names)
    if kind.categories:
        entry["categories"] = list(kind.categories)
    subresources = [
        {
            "subresource": name,
            "responseKind": (subresource.response or own)._asdict(),
            "verbs": list(subresource.verbs),
        }
        for name, subresource in _subresources(kind)
    ]
    if subresources:
        entry["subresources"] = subresources
    return entry
