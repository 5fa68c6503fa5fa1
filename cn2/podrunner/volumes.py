"""The files of a pod's volumes, as kubelet's volume plugins lay them out. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from cn2.api.kind import Object
from cn2.api.quantity import amount
from cn2.podrunner.atomic import File
from cn2.podrunner.environment import (
    Facts,
    MissingSource,
    Source,
    data_of,
    field_value,
    resource_value,
)
from cn2.podrunner.runs import container_named, containers, init_containers

ETC = ".etc"
"""Directory of the pod's volumes with its /etc files; no volume's name begins with a dot."""

LAST_WORDS = ".termination"
"""And the one with the files at terminationMessagePath, NAME/ATTEMPT."""

_DEFAULT_MODE = 0o644
_DEFAULT_LIFETIME = 3600
_WRITTEN = ("configMap", "secret", "downwardAPI", "projected")

Tokens = Mapping[tuple[str, int], str]
"""Service-account tokens by (audience, seconds to live)."""


@dataclass(frozen=True, slots=True)
class EmptyDir:
    """A directory that containers write. `size` is its limit in bytes, None without one."""

    mode: int = 0o777
    group: int = 0
    size: int | None = None


def kind_of(volume: Object) -> str:
    """The field that says what the volume is."""
    return next((key for key in volume if key != "name"), "emptyDir")


def volumes_of(pod: Object) -> list[Object]:
    found: list[Object] = pod["spec"].get("volumes") or []
    return found


def volume_references(pod: Object) -> Iterator[tuple[str, str]]:
    """The ConfigMaps and Secrets that the volumes name: (kind, name)."""
    for volume in volumes_of(pod):
        for source in _projected(volume):
            for key, kind in (("configMap", "ConfigMap"), ("secret", "Secret")):
                if key in source:
                    yield kind, source[key]["name"]


def wanted_tokens(pod: Object) -> set[tuple[str, int]]:
    return {
        _token_key(source)
        for volume in volumes_of(pod)
        for source in _projected(volume)
        if "serviceAccountToken" in source
    }


def contents(
    pod: Object, volume: Object, facts: Facts, lookup: Source, tokens: Tokens
) -> EmptyDir | dict[str, File]:
    """What is in a volume: files by path. Raises `MissingSource` with kubelet's words."""
    try:
        return _contents(pod, volume, facts, lookup, tokens)
    except (MissingSource, ValueError) as error:
        text = f'MountVolume.SetUp failed for volume "{volume["name"]}" : {error}'
        raise MissingSource(text) from error


def _contents(
    pod: Object, volume: Object, facts: Facts, lookup: Source, tokens: Tokens
) -> EmptyDir | dict[str, File]:
    kind = kind_of(volume)
    group = (pod["spec"].get("securityContext") or {}).get("fsGroup")
    if kind == "emptyDir":
        return _empty_dir(volume.get("emptyDir") or {}, group)
    if kind not in _WRITTEN:
        raise MissingSource(
            f"{kind} is not available here: there is no storage outside of pods. Use emptyDir, "
            "configMap, secret, downwardAPI or projected instead"
        )
    mode = volume[kind].get("defaultMode", _DEFAULT_MODE)
    files: dict[str, File] = {}
    for source in _projected(volume):
        files.update(_files(pod, source, mode, facts, lookup, tokens))
    for path in files:
        if path.startswith("/") or any(part in ("", ".", "..") for part in path.split("/")):
            raise MissingSource(f"path {path!r} leads out of it")
    if group is None:
        return files
    return {p: replace(file, group=group, mode=file.mode | 0o440) for p, file in files.items()}


def _empty_dir(wanted: Object, group: int | None) -> EmptyDir:
    if wanted.get("medium") not in (None, "", "Memory"):
        raise MissingSource(f'medium "{wanted["medium"]}" is not available here: use "Memory"')
    # A limit of 0 is none, as for kubelet.
    size = max(0, int(amount(wanted.get("sizeLimit") or 0))) or None
    if group is None:
        return EmptyDir(size=size)
    return EmptyDir(mode=0o2777, group=group, size=size)


def _projected(volume: Object) -> list[Object]:
    """A volume as a list of projected sources; a volume of another form has just one."""
    if "projected" in volume:
        sources: list[Object] = volume["projected"].get("sources") or []
        return sources
    if "secret" in volume:
        secret = volume["secret"]
        return [{"secret": {**secret, "name": secret.get("secretName", secret.get("name", ""))}}]
    return [{key: volume[key]} for key in ("configMap", "downwardAPI") if key in volume]


def _files(
    pod: Object, source: Object, mode: int, facts: Facts, lookup: Source, tokens: Tokens
) -> dict[str, File]:
    if "configMap" in source:
        return _items("ConfigMap", source["configMap"], mode, lookup)
    if "secret" in source:
        return _items("Secret", source["secret"], mode, lookup)
    if "downwardAPI" in source:
        items = source["downwardAPI"].get("items") or []
        return {
            item["path"]: File(_told(pod, item, facts).encode(), item.get("mode", mode))
            for item in items
        }
    if "serviceAccountToken" in source:
        # Until tokens are asked for, only whether everything else is there is of interest.
        token = tokens.get(_token_key(source), "").encode()
        return {source["serviceAccountToken"]["path"]: _token_file(pod, token, mode)}
    raise MissingSource(f"a source {', '.join(source) or 'of no kind'} is not available here")


def _told(pod: Object, item: Object, facts: Facts) -> str:
    if "resourceFieldRef" in item:
        wanted = item["resourceFieldRef"]
        container = container_named(pod, wanted.get("containerName") or "")
        if container is None:
            raise MissingSource(f"container {wanted.get('containerName')!r} not found")
        return resource_value(container, wanted, facts)
    return field_value(pod, (item.get("fieldRef") or {}).get("fieldPath", ""), facts)


def _items(kind: str, wanted: Object, mode: int, lookup: Source) -> dict[str, File]:
    optional = bool(wanted.get("optional"))
    found = lookup(kind, wanted["name"])
    if found is None:
        if optional:
            return {}
        raise MissingSource(f'{kind.lower()} "{wanted["name"]}" not found')
    data = data_of(kind, found)
    if not wanted.get("items"):
        return {key: File(value, mode) for key, value in data.items()}
    files = {}
    for item in wanted["items"]:
        if item["key"] in data:
            files[item["path"]] = File(data[item["key"]], item.get("mode", mode))
        elif not optional:
            what = (
                "configmap references non-existent config"
                if kind == "ConfigMap"
                else ("references non-existent secret")
            )
            raise MissingSource(f"{what} key: {item['key']}")
    return files


def _token_key(source: Object) -> tuple[str, int]:
    token = source["serviceAccountToken"]
    return token.get("audience") or "", token.get("expirationSeconds") or _DEFAULT_LIFETIME


def _token_file(pod: Object, token: bytes, mode: int) -> File:
    """Readable for nobody else, when it is known who is to read it."""
    common = pod["spec"].get("securityContext") or {}
    users = {
        (container.get("securityContext") or {}).get("runAsUser", common.get("runAsUser"))
        for container in (*init_containers(pod), *containers(pod))
    }
    user = users.pop() if len(users) == 1 else None
    if user is None and common.get("fsGroup") is None:
        return File(token, mode)
    return File(token, 0o600, owner=user or 0)
