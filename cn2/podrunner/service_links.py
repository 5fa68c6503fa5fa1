"""The environment variables that tell a container of services (enableServiceLinks). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cn2.api.kind import Object

MASTER = ("default", "kubernetes")
"""Namespace and name of the API's own service, which every pod is told of."""


def service_links(
    pod: Object, services: Iterable[Object], door: tuple[str, int] | None = None
) -> dict[str, str]:
    """Those of the pod's namespace, if the pod wants them, and the API's.

    `door` is where a pod reaches the API, in place of its service's address and port.
    """
    wanted = pod["spec"].get("enableServiceLinks", True)
    namespace = pod["metadata"]["namespace"]
    links: dict[str, str] = {}
    for service in services:
        key = (service["metadata"]["namespace"], service["metadata"]["name"])
        if key == MASTER:
            links = {**dict(_variables(service)), **_api_at(door), **links}
        elif key[0] == namespace and wanted:
            links.update(_variables(service))
    return links


def _api_at(door: tuple[str, int] | None) -> dict[str, str]:
    """What every client that runs in a pod reads."""
    if door is None:
        return {}
    host, port = door[0], str(door[1])
    return {
        "KUBERNETES_SERVICE_HOST": host,
        "KUBERNETES_SERVICE_PORT": port,
        "KUBERNETES_SERVICE_PORT_HTTPS": port,
    }


def _variables(service: Object) -> Iterator[tuple[str, str]]:
    """`{NAME}_SERVICE_HOST` and its kin, and the older `{NAME}_PORT...`."""
    spec = service.get("spec") or {}
    address, ports = spec.get("clusterIP"), spec.get("ports") or []
    if not address or address == "None" or not ports:
        return
    name = _upper(service["metadata"]["name"])
    yield f"{name}_SERVICE_HOST", address
    yield f"{name}_SERVICE_PORT", str(ports[0]["port"])
    for port in ports:
        if port.get("name"):
            yield f"{name}_SERVICE_PORT_{_upper(port['name'])}", str(port["port"])
    yield f"{name}_PORT", _url(address, ports[0])
    for port in ports:
        protocol = str(port.get("protocol") or "TCP")
        prefix = f"{name}_PORT_{port['port']}_{protocol}"
        yield prefix, _url(address, port)
        yield f"{prefix}_PROTO", protocol.lower()
        yield f"{prefix}_PORT", str(port["port"])
        yield f"{prefix}_ADDR", address


def _upper(name: str) -> str:
    return name.upper().replace("-", "_")


def _url(address: str, port: Object) -> str:
    host = f"[{address}]" if ":" in address else address
    return f"{str(port.get('protocol') or 'TCP').lower()}://{host}:{port['port']}"
