"""Node ports of Services: given at create, unique by the claims of the Service kind.

As in Kubernetes the lower part of the range is left to ports that people choose; the others are
given from above it, and from below only when that is used up.
"""

from __future__ import annotations

from collections.abc import Iterator

from cn2.api.access import at, items, text
from cn2.api.kind import FieldError, Kind, Object
from cn2.api.kinds import SERVICE
from cn2.api.kubernetes.service_network import NODE_PORT_POOL, NODE_PORTS
from cn2.apiserver import keys
from cn2.apiserver.backend import Backend
from cn2.apiserver.errors import internal, invalid

_CHOSEN = 86
"""How many ports are left to people: Kubernetes' share of its default range."""


def assign(backend: Backend, kind: Kind, obj: Object, old: Object | None) -> None:
    """Fills in the node ports that a Service needs; an update that leaves one out keeps it."""
    if kind is not SERVICE:
        return
    before = {_key(port): port["nodePort"] for port in _with_node_port(old)}
    if not _needs(obj):
        for port in _with_node_port(obj):
            # The type changed: what was given for the old type goes with it.
            if before.get(_key(port)) == port["nodePort"]:
                del port["nodePort"]
        return
    ports = items(obj, "spec", "ports")
    mine = set(before.values())
    taken = {
        int(entry.key.rpartition("/")[2], 16)
        for entry in backend.store.latest_under(keys.claims(NODE_PORT_POOL))
    }
    for index, port in enumerate(ports):
        if not port.get("nodePort") and _key(port) in before:
            port["nodePort"] = before[_key(port)]
        elif port.get("nodePort") and port["nodePort"] not in mine:
            _check(obj, index, port["nodePort"], taken)
    given = {port["nodePort"] for port in ports if port.get("nodePort")}
    free = _free(taken | given)
    shared: dict[object, int] = {}
    for port in ports:
        if not port.get("nodePort"):
            # One number serves the same port in several protocols (DNS: TCP and UDP).
            number = shared.get(port.get("port"))
            port["nodePort"] = number if number is not None else next(free, 0)
            if not port["nodePort"]:
                raise internal("failed to allocate a nodePort: range is full")
        shared[port.get("port")] = port["nodePort"]


def _needs(obj: Object) -> bool:
    match text(obj, "spec", "type"):
        case "NodePort":
            return True
        case "LoadBalancer":
            return at(obj, "spec", "allocateLoadBalancerNodePorts") is not False
    return False


def _key(port: Object) -> tuple[object, object]:
    return port.get("port"), port.get("protocol", "TCP")


def _with_node_port(obj: Object | None) -> list[Object]:
    return [port for port in items(obj, "spec", "ports") if port.get("nodePort")]


def _check(obj: Object, index: int, port: int, taken: set[int]) -> None:
    if port not in NODE_PORTS:
        first, last = NODE_PORTS[0], NODE_PORTS[-1]
        problem = (
            f"provided port is not in the valid range. The range of valid ports is {first}-{last}"
        )
    elif port in taken:
        problem = "provided port is already allocated"
    else:
        return
    error = FieldError(f"spec.ports[{index}].nodePort", f"Invalid value: {port}: {problem}")
    raise invalid(SERVICE, obj["metadata"]["name"], [error])


def _free(taken: set[int]) -> Iterator[int]:
    for port in (*NODE_PORTS[_CHOSEN:], *NODE_PORTS[:_CHOSEN]):
        if port not in taken:
            yield port
