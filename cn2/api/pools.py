"""Pools of numbers: how large they are, which numbers are special, and what Pool objects say.

A pool holds nothing itself. The claims in the store are the truth (design.md section 5); this
module knows the arithmetic: which numbers are never given out, which belong to system objects by
name (cn2-api.md 10 #5 and #6), and which is the lowest free one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from cn2.api.access import text
from cn2.api.kind import Object
from cn2.api.kubernetes.service_network import SERVICE_BLOCK, SERVICE_DYNAMIC_START, SERVICE_POOL
from cn2.api.v1alpha1.instance_ip import subnet_claim_pool, subnet_pool_name
from cn2.api.v1alpha1.pool import POOL
from cn2.api.v1alpha1.routing_instance import NUMBER_POOL as ROUTE_TARGET_POOL
from cn2.api.v1alpha1.subnet import block_of
from cn2.api.v1alpha1.virtual_network import ID_POOL as VIRTUAL_NETWORK_POOL
from cn2.net.prefix import parse_prefix
from cn2.net.route_target import AUTOMATIC_BASE, MAX_LONG_NUMBER

__all__ = [
    "ROUTE_TARGET_POOL",
    "SERVICE_POOL",
    "VIRTUAL_NETWORK_POOL",
    "PoolSpec",
    "lowest_free",
    "pool_object",
    "pool_spec",
    "service_pool",
    "static_pool",
    "subnet_pool",
    "subnet_pool_name",
    "subnets_of_pool",
    "system_id",
]

MAX_INT64 = (1 << 63) - 1
MAX_NETWORK_ID = 65535
"""A route distinguisher has 16 bits for the network's number (design.md section 7)."""

_SUBNET_POOL_PREFIX = "subnet-id-pool-Subnet-"
_CLUSTER_NAMESPACE = "<cluster>"
_CLUSTER_NAMESPACE_FORM = re.compile(r"contrail-k8s-kubemanager-.+-contrail")

_SYSTEM_NETWORKS = (
    "VirtualNetwork/contrail/link-local",
    "VirtualNetwork/<cluster>/default-podnetwork",
    "VirtualNetwork/contrail/ip-fabric",
    "VirtualNetwork/<cluster>/default-servicenetwork",
)
_SYSTEM_INSTANCES = (
    "RoutingInstance/contrail/default",
    "RoutingInstance/contrail/ip-fabric",
    "RoutingInstance/contrail/link-local",
    "RoutingInstance/<cluster>/default-podnetwork",
    "RoutingInstance/<cluster>/default-servicenetwork",
    "RoutingInstance/<cluster>/DefaultPodServiceIPFabricNetwork",
    "RoutingInstance/<cluster>/DefaultPodServiceNetwork",
    "RoutingInstance/<cluster>/DefaultServiceNetwork",
    "RoutingInstance/contrail/DefaultIPFabricNetwork",
)
_SYSTEM_IDS: dict[str, dict[str, int]] = {
    VIRTUAL_NETWORK_POOL: {name: 1 + i for i, name in enumerate(_SYSTEM_NETWORKS)},
    ROUTE_TARGET_POOL: {name: AUTOMATIC_BASE + i for i, name in enumerate(_SYSTEM_INSTANCES)},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolSpec:
    """The arithmetic of one pool; ids are `first` to `last`."""

    name: str
    first: int
    last: int
    reserved: tuple[int, ...] = ()
    """Never given out, never claimed by dynamic allocation."""
    start: int = 0
    """Where dynamic allocation begins; lower ids are for those who ask for them by name."""
    claimed_in: str = ""
    """The pool that claims name, where the shown name could mean several."""

    @property
    def claims(self) -> str:
        """The pool that the claims of these ids name."""
        return self.claimed_in or self.name

    @property
    def capacity(self) -> int:
        """How many ids there are, the reserved ones included."""
        return self.last - self.first + 1


def service_pool(block: str) -> PoolSpec:
    """The pool of cluster IPs in a block of addresses; an id is the address as a number."""
    prefix = parse_prefix(block)
    first = int(prefix.network.network_address)
    last = first + prefix.capacity - 1
    return PoolSpec(
        name=SERVICE_POOL,
        first=first,
        last=last,
        reserved=(first, last),
        start=first + min(SERVICE_DYNAMIC_START, prefix.capacity // 16),
    )


_STATIC = {
    spec.name: spec
    for spec in (
        PoolSpec(
            name=VIRTUAL_NETWORK_POOL,
            first=1,
            last=MAX_NETWORK_ID,
            start=1 + len(_SYSTEM_NETWORKS),
        ),
        PoolSpec(
            name=ROUTE_TARGET_POOL,
            first=AUTOMATIC_BASE,
            last=MAX_LONG_NUMBER,
            start=AUTOMATIC_BASE + len(_SYSTEM_INSTANCES),
        ),
    )
}
STATIC_POOLS: tuple[str, ...] = (*_STATIC, SERVICE_POOL)
"""Pools that exist without any object."""


def subnet_pool(subnet: Object) -> PoolSpec | None:
    """The pool of a Subnet's addresses, or None when its cidr is not valid."""
    block = block_of(subnet)
    if block is None:
        return None
    metadata = subnet["metadata"]
    key = metadata.get("namespace", ""), metadata["name"]
    return PoolSpec(
        name=subnet_pool_name(*key),
        claimed_in=subnet_claim_pool(*key),
        first=0,
        last=block.capacity - 1,
        reserved=block.reserved_ids(text(subnet, "spec", "defaultGateway")),
    )


def subnets_of_pool(pool: str) -> list[tuple[str, str]]:
    """(namespace, name) of every Subnet that a pool's name can mean: both may contain dashes."""
    if not pool.startswith(_SUBNET_POOL_PREFIX):
        return []
    parts = pool.removeprefix(_SUBNET_POOL_PREFIX).split("-")
    return [("-".join(parts[:i]), "-".join(parts[i:])) for i in range(1, len(parts))]


def static_pool(pool: str) -> PoolSpec:
    """A pool of network or route target numbers. Raises KeyError."""
    return _STATIC[pool]


def pool_spec(
    pool: str,
    get_subnet: Callable[[str, str], Object | None],
    service_block: str = SERVICE_BLOCK,
) -> PoolSpec | None:
    """The pool with this name; `get_subnet(namespace, name)` reads a Subnet. None: no such pool."""
    if pool == SERVICE_POOL:
        return service_pool(service_block)
    static = _STATIC.get(pool)
    if static is not None:
        return static
    for namespace, name in subnets_of_pool(pool):
        subnet = get_subnet(namespace, name)
        if subnet is not None:
            return subnet_pool(subnet)
    return None


def system_id(pool: str, holder: str) -> int | None:
    """The number that belongs to a system object by name, or None for everybody else."""
    ids = _SYSTEM_IDS.get(pool)
    if ids is None:
        return None
    kind, _, rest = holder.partition("/")
    namespace, _, name = rest.partition("/")
    if _CLUSTER_NAMESPACE_FORM.fullmatch(namespace):
        namespace = _CLUSTER_NAMESPACE
    return ids.get(f"{kind}/{namespace}/{name}")


def lowest_free(spec: PoolSpec, taken: Iterable[int], start: int = 0) -> int | None:
    """The lowest id from `start` (and the pool's own start) on that is neither reserved nor
    taken; None when the pool is exhausted. `taken` must be in ascending order."""
    candidate = max(spec.first, spec.start, start)
    reserved = frozenset(spec.reserved)
    while candidate in reserved:
        candidate += 1
    for id in taken:
        if id < candidate:
            continue
        if id > candidate:
            break
        candidate += 1
        while candidate in reserved:
            candidate += 1
    return candidate if candidate <= spec.last else None


def used(spec: PoolSpec, claimed: Iterable[int]) -> int:
    """How many ids are in use: the claimed ones and the reserved ones, each once."""
    return len({*claimed, *spec.reserved})


def pool_object(spec: PoolSpec, claimed: Iterable[int]) -> Object:
    """The Pool object as served; sizes beyond 63 bits are cut to what JSON clients can read."""
    return {
        "apiVersion": POOL.api_version,
        "kind": POOL.kind,
        "metadata": {"name": spec.name, "creationTimestamp": None},
        "capacity": min(spec.capacity, MAX_INT64),
        "count": used(spec, claimed),
        "max": min(spec.last, MAX_INT64),
        "reserved": [min(id, MAX_INT64) for id in spec.reserved],
    }
