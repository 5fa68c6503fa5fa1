"""A container's environment: literal values, references and `$(NAME)` expansion. Pure."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_CEILING

from cn2.api.kind import Object
from cn2.api.quantity import amount
from cn2.podrunner.runs import containers, init_containers

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

MOST = 1 << 20
"""Characters of an environment, or of a command: more cannot be told to process 1. A few lines of
references to references would be gigabytes."""

_TOO_LONG = f"more than {MOST} characters of arguments and environment are too many"
_REFERENCE = re.compile(r"\$(?:\$|\(([^()]*)\))")
_MAP_KEY = re.compile(r"metadata\.(labels|annotations)\['(.+)'\]")


class MissingSource(Exception):
    """Something that a container or volume asks for is not there (yet), or cannot be."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the downward API tells besides the pod itself."""

    node: str
    host_address: str
    addresses: tuple[str, ...]
    capacity: Mapping[str, str] = field(default_factory=dict)
    """What the node has of each resource: the limit of what names none."""


Source = Callable[[str, str], Object | None]
"""Looks up `("ConfigMap" | "Secret", name)` in the pod's namespace."""


def references(pod: Object) -> set[tuple[str, str]]:
    """The ConfigMaps and Secrets that the containers' environments name."""
    found = set()
    for container in (*init_containers(pod), *containers(pod)):
        for entry in container.get("envFrom") or []:
            for key, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
                if key in entry:
                    found.add((kind, entry[key]["name"]))
        for entry in container.get("env") or []:
            source = entry.get("valueFrom") or {}
            for key, kind in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")):
                if key in source:
                    found.add((kind, source[key]["name"]))
    return found


def environment(
    pod: Object,
    container: Object,
    facts: Facts,
    lookup: Source,
    links: Mapping[str, str] = {},
) -> dict[str, str]:
    """Name to value. What comes later wins, as in Kubernetes. Raises `MissingSource`, and
    ValueError when it is too long.

    `links` are the variables of the services.
    """
    values = {"PATH": PATH, "HOSTNAME": hostname(pod), "HOME": "/root", **links}
    length = sum(map(len, values.values()))
    for name, value in _variables(pod, container, facts, lookup, values):
        length += len(value) - len(values.get(name, ""))
        if length > MOST:
            raise ValueError(_TOO_LONG)
        values[name] = value
    return values


def _variables(
    pod: Object, container: Object, facts: Facts, lookup: Source, values: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Those that the container gives, one by one; `values` are all before it."""
    for entry in container.get("envFrom") or []:
        yield from _all_of(entry, lookup).items()
    for entry in container.get("env") or []:
        if "valueFrom" in entry:
            value = _referred(entry["valueFrom"], pod, container, facts, lookup)
            if value is not None:
                yield entry["name"], value
        else:
            yield entry["name"], expand(entry.get("value") or "", values)


def hostname(pod: Object) -> str:
    name: str = pod["spec"].get("hostname") or pod["metadata"]["name"]
    return name[:63].rstrip("-.")


def expand(text: str, values: Mapping[str, str]) -> str:
    """`$(NAME)` becomes its value; an unknown name stays as written; `$$` is a dollar sign.
    Raises ValueError when the text comes to be too long."""
    length = 0

    def put(match: re.Match[str]) -> str:
        nonlocal length
        name = match.group(1)
        found = "$" if name is None else values.get(name, match.group(0))
        length += len(found)
        if length > MOST:
            raise ValueError(_TOO_LONG)
        return found

    return _REFERENCE.sub(put, text)


def bounded(words: Iterable[str]) -> list[str]:
    """The words, taken one by one. Raises ValueError when they are too long together."""
    found, length = [], 0
    for word in words:
        length += len(word)
        if length > MOST:
            raise ValueError(_TOO_LONG)
        found.append(word)
    return found


def names_in(text: str) -> list[str]:
    """The names that `expand` would look for."""
    return [match.group(1) for match in _REFERENCE.finditer(text) if match.group(1) is not None]


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


def data_of(kind: str, source: Object) -> dict[str, bytes]:
    """The keys of a ConfigMap or Secret."""
    if kind == "Secret":
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
    for key, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
        if key in entry:
            source = _found(kind, entry[key], lookup)
            prefix = entry.get("prefix") or ""
            data = data_of(kind, source) if source else {}
            return {prefix + name: value.decode(errors="replace") for name, value in data.items()}
    return {}


def _referred(
    source: Object, pod: Object, container: Object, facts: Facts, lookup: Source
) -> str | None:
    if "fieldRef" in source:
        return field_value(pod, source["fieldRef"]["fieldPath"], facts)
    if "resourceFieldRef" in source:
        return resource_value(container, source["resourceFieldRef"], facts)
    for key, kind in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")):
        if key not in source:
            continue
        wanted = source[key]
        found = _found(kind, wanted, lookup)
        data = data_of(kind, found) if found else {}
        if wanted["key"] in data:
            return data[wanted["key"]].decode(errors="replace")
        if not wanted.get("optional"):
            where = f"{pod['metadata']['namespace']}/{wanted['name']}"
            raise MissingSource(f"couldn't find key {wanted['key']} in {kind} {where}")
    return None


def resource_value(container: Object, wanted: Object, facts: Facts) -> str:
    """A limit or request in units of the divisor, rounded up; the node's whole without a limit.

    Raises `MissingSource` for a resource that there is not, ValueError for a bad quantity.
    """
    group, _, name = wanted["resource"].partition(".")
    if group not in ("limits", "requests") or not name:
        raise MissingSource(f"unsupported container resource : {wanted['resource']}")
    amounts = (container.get("resources") or {}).get(group) or {}
    otherwise = facts.capacity.get(name, "0") if group == "limits" else "0"
    divisor = amount(wanted.get("divisor") or "1") or 1
    whole = amount(amounts.get(name, otherwise)) / divisor
    return str(int(whole.to_integral_value(rounding=ROUND_CEILING)))
