"""A container's environment: literal values, references and `$(NAME)` expansion. Pure."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cn2.api.kind import Object
from cn2.podrunner.runs import containers, init_containers

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

_REFERENCE = re.compile(r"\$(?:\$|\(([^()]*)\))")
_MAP_KEY = re.compile(r"metadata\.(labels|annotations)\['(.+)'\]")


class MissingSource(Exception):
    """Something that the container refers to is not there (yet)."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the downward API tells besides the pod itself."""

    node: str
    host_address: str
    addresses: tuple[str, ...]


Source = Callable[[str, str], Object | None]
"""Looks up `("ConfigMap" | "Secret", name)` in the pod's namespace."""


def references(pod: Object) -> set[tuple[str, str]]:
    """The ConfigMaps and Secrets that the containers' environments name."""
    found = set()
    for container in (*init_containers(pod), *containers(pod)):
        for entry in container.get("envFrom") or []:
            for field, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
                if field in entry:
                    found.add((kind, entry[field]["name"]))
        for entry in container.get("env") or []:
            source = entry.get("valueFrom") or {}
            for field, kind in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")):
                if field in source:
                    found.add((kind, source[field]["name"]))
    return found


def environment(pod: Object, container: Object, facts: Facts, lookup: Source) -> dict[str, str]:
    """Name to value. What comes later wins, as in Kubernetes. Raises `MissingSource`."""
    values = {"PATH": PATH, "HOSTNAME": hostname(pod), "HOME": "/root"}
    for entry in container.get("envFrom") or []:
        values.update(_all_of(entry, lookup))
    for entry in container.get("env") or []:
        if "valueFrom" in entry:
            value = _referred(entry["valueFrom"], pod, container, facts, lookup)
            if value is not None:
                values[entry["name"]] = value
        else:
            values[entry["name"]] = expand(entry.get("value") or "", values)
    return values


def hostname(pod: Object) -> str:
    name: str = pod["spec"].get("hostname") or pod["metadata"]["name"]
    return name[:63].rstrip("-.")


def expand(text: str, values: Mapping[str, str]) -> str:
    """`$(NAME)` becomes its value; an unknown name stays as written; `$$` is a dollar sign."""

    def put(match: re.Match[str]) -> str:
        name = match.group(1)
        return "$" if name is None else values.get(name, match.group(0))

    return _REFERENCE.sub(put, text)


def field_value(pod: Object, path: str, facts: Facts) -> str:
    """One field of the downward API. Raises `MissingSource` for a path that there is not."""
    metadata, spec = pod["metadata"], pod["spec"]
    if match := _MAP_KEY.fullmatch(path):
        return str((metadata.get(match.group(1)) or {}).get(match.group(2), ""))
    if path in ("metadata.labels", "metadata.annotations"):
        pairs = metadata.get(path.removeprefix("metadata.")) or {}
        return "".join(f'{key}="{_escaped(value)}"\n' for key, value in sorted(pairs.items()))
    simple = {
        "metadata.name": metadata["name"],
        "metadata.namespace": metadata["namespace"],
        "metadata.uid": metadata["uid"],
        "spec.nodeName": facts.node,
        "spec.serviceAccountName": spec.get("serviceAccountName") or "default",
        "status.hostIP": facts.host_address,
        "status.hostIPs": facts.host_address,
        "status.podIP": facts.addresses[0] if facts.addresses else "",
        "status.podIPs": ",".join(facts.addresses),
    }
    if path not in simple:
        raise MissingSource(f"field {path} is not known to the downward API")
    return str(simple[path])


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def data_of(source: Object) -> dict[str, bytes]:
    """The keys of a ConfigMap or Secret."""
    if source.get("kind") == "Secret":
        return {key: base64.b64decode(value) for key, value in (source.get("data") or {}).items()}
    binary = source.get("binaryData") or {}
    return {
        **{key: value.encode() for key, value in (source.get("data") or {}).items()},
        **{key: base64.b64decode(value) for key, value in binary.items()},
    }


def _found(kind: str, reference: Object, lookup: Source) -> Object | None:
    source = lookup(kind, reference["name"])
    if source is None and not reference.get("optional"):
        raise MissingSource(f'{kind.lower()} "{reference["name"]}" not found')
    return source


def _all_of(entry: Object, lookup: Source) -> dict[str, str]:
    for field, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
        if field in entry:
            source = _found(kind, entry[field], lookup)
            prefix = entry.get("prefix") or ""
            data = data_of(source) if source else {}
            return {prefix + key: value.decode(errors="replace") for key, value in data.items()}
    return {}


def _referred(
    source: Object, pod: Object, container: Object, facts: Facts, lookup: Source
) -> str | None:
    if "fieldRef" in source:
        return field_value(pod, source["fieldRef"]["fieldPath"], facts)
    if "resourceFieldRef" in source:
        return _resource(container, source["resourceFieldRef"]["resource"])
    for field, kind in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")):
        if field not in source:
            continue
        wanted = source[field]
        found = _found(kind, wanted, lookup)
        data = data_of(found) if found else {}
        if wanted["key"] in data:
            return data[wanted["key"]].decode(errors="replace")
        if not wanted.get("optional"):
            raise MissingSource(f'{kind.lower()} "{wanted["name"]}" has no key "{wanted["key"]}"')
    return None


def _resource(container: Object, resource: str) -> str:
    group, _, name = resource.partition(".")
    return str(((container.get("resources") or {}).get(group) or {}).get(name, "0"))
