"""What a pod may not ask for here: it would reach the host. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cn2.api.kind import Object
from cn2.podrunner.runs import containers, init_containers

_HOST_NAMESPACES = {
    "hostNetwork": "the host's network",
    "hostPID": "the host's processes",
    "hostIPC": "the host's IPC",
}

USUAL_CAPABILITIES = (
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "NET_BIND_SERVICE",
    "NET_RAW",
    "SYS_CHROOT",
    "AUDIT_WRITE",
    "SETFCAP",
)
"""What container runtimes give, without MKNOD: a device node would open the host's disks."""

GRANTED_CAPABILITIES = ("NET_BROADCAST", "IPC_LOCK")
"""What a container may ask for in addition: it stays inside the pod's namespaces. NET_ADMIN would
not: a pod is in the machine's user namespace, and by the number of the namespace at the other end
of its interface it could change the node's network."""

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


def refusal(pod: Object) -> str:
    """Why the pod is not run, in a sentence; "" when it may be."""
    return "; ".join(_reasons(pod))


def _reasons(pod: Object) -> Iterator[str]:
    spec = pod["spec"]
    for field, what in _HOST_NAMESPACES.items():
        if spec.get(field):
            yield f"{field}: a pod does not get {what} here"
    for volume in spec.get("volumes") or []:
        if not _LABEL.fullmatch(volume["name"]):  # directories on the host are named by it
            yield f"volume {volume['name']!r}: the name is not a lowercase RFC 1123 label"
        if "hostPath" in volume:
            yield f"volume {volume['name']}: hostPath is refused, a pod sees copies of the host"
    for container in (*init_containers(pod), *containers(pod)):
        yield from _container_reasons(container)


def _container_reasons(container: Object) -> Iterator[str]:
    context = container.get("securityContext") or {}
    if context.get("privileged"):
        yield f"container {container['name']}: privileged is refused"
    allowed = {*USUAL_CAPABILITIES, *GRANTED_CAPABILITIES, "ALL"}
    for name in (context.get("capabilities") or {}).get("add") or []:
        plain = name.removeprefix("CAP_")
        if plain not in allowed or plain == "ALL":
            yield f"container {container['name']}: capability {name} is refused"
