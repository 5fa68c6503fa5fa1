"""What a pod asks for that is not carried out here, though the pod runs. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from cn2.api.kind import Object
from cn2.podrunner.runs import containers, init_containers

_POD = ("runtimeClassName", "resourceClaims", "setHostnameAsFQDN", "overhead")
_CONTAINER = ("volumeDevices",)
_SECURITY = ("seLinuxOptions", "windowsOptions", "sysctls")
_PROFILES = ("seccompProfile", "appArmorProfile")


def unheeded(pod: Object, limited: Collection[str]) -> str:
    """A list for an event; "" when everything is heeded. `limited` are the resources whose limits
    this host can keep."""
    return ", ".join(_fields(pod, limited))


def _fields(pod: Object, limited: Collection[str]) -> Iterator[str]:
    spec = pod["spec"]
    yield from (field for field in _POD if spec.get(field))
    if spec.get("hostUsers") is False:
        yield "hostUsers"
    yield from _security(spec.get("securityContext") or {})
    for container in (*init_containers(pod), *containers(pod)):
        for field in _of_container(container, limited):
            yield f"container {container['name']}: {field}"


def _of_container(container: Object, limited: Collection[str]) -> Iterator[str]:
    yield from (field for field in _CONTAINER if container.get(field))
    yield from _security(container.get("securityContext") or {})
    for port in container.get("ports") or []:
        if port.get("hostPort"):
            yield f"hostPort {port['hostPort']}"
    for name in (container.get("resources") or {}).get("limits") or {}:
        if name not in limited:
            yield f"resources.limits.{name}"
    for mount in container.get("volumeMounts") or []:
        if mount.get("mountPropagation") == "Bidirectional":
            yield f"mountPropagation of {mount['name']}"


def _security(context: Object) -> Iterator[str]:
    yield from (field for field in _SECURITY if context.get(field))
    for field in _PROFILES:
        if (context.get(field) or {}).get("type", "Unconfined") != "Unconfined":
            yield field
    if context.get("procMount") == "Unmasked":
        yield "procMount"
