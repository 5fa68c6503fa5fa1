"""From a URL to the thing it names."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote

from cn2.api.kind import Kind
from cn2.api.kinds import by_resource

_VERBS = {
    "GET": ("list", "get"),
    "POST": ("create", "create"),
    "PUT": ("", "update"),
    "PATCH": ("", "patch"),
    "DELETE": ("deletecollection", "delete"),
}


@dataclass(frozen=True, slots=True)
class Target:
    """A resource, or one object of it, or a subresource of that object."""

    kind: Kind
    namespace: str = ""
    name: str = ""
    subresource: str = ""


@dataclass(frozen=True, slots=True)
class GroupVersion:
    """A path below /api or /apis that names no resource that is served."""

    group: str
    version: str
    rest: tuple[str, ...]


def split(path: str) -> list[str]:
    """The decoded segments of a path."""
    segments = path.strip("/").split("/")
    return [unquote(segment) for segment in segments] if "%" in path else segments


def resolve(segments: list[str]) -> Target | GroupVersion | None:
    """What the segments name; None for paths outside the resources' part of the tree."""
    if segments[0] == "api" and len(segments) >= 2:
        group, version, rest = "", segments[1], segments[2:]
    elif segments[0] == "apis" and len(segments) >= 3:
        group, version, rest = segments[1], segments[2], segments[3:]
    else:
        return None
    return _target(group, version, rest) or GroupVersion(group, version, tuple(rest))


def _target(group: str, version: str, rest: list[str]) -> Target | None:
    if not rest:
        return None
    namespace = ""
    # Namespaces are a resource of their own: /namespaces/NAME, /namespaces/NAME/status.
    if rest[0] == "namespaces" and len(rest) >= 3:
        kind = by_resource(group, version, rest[2])
        if kind is not None and kind.namespaced:
            namespace, rest = rest[1], rest[2:]
    kind = by_resource(group, version, rest[0])
    if kind is None or (namespace and not kind.namespaced):
        return None
    name = rest[1] if len(rest) > 1 else ""
    if "/" in namespace or "/" in name:
        return None  # an encoded slash is part of no name
    return Target(kind, namespace, name, "/".join(rest[2:]))


def verb(method: str, target: Target, watch: bool) -> str:
    """The verb of Kubernetes for an HTTP method; "" when there is none."""
    collection, single = _VERBS.get("GET" if method == "HEAD" else method, ("", ""))
    if target.name:
        return single
    return "watch" if watch and collection == "list" else collection
