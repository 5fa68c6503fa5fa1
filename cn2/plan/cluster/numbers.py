"""The pools of numbers, and the numbers that are reserved for the system's own objects.

A number is picked from what the server calls free, and claimed by the write that carries it:
uniqueness lives in the store. System objects have their numbers by name (cn2-api.md 10 #5, #6),
so that the first user network gets 5 and 8000009 whatever was created first.
"""

from __future__ import annotations

from collections.abc import Mapping

from cn2.plan.cluster.steps import Allocate, Promise, Step
from cn2.plan.snapshot import Snapshot

NETWORK_ID_POOL = "virtual-network-id-pool"
ROUTE_TARGET_POOL = "route-target-number-pool"

POD_NETWORK = "default-podnetwork"
SERVICE_NETWORK = "default-servicenetwork"
FABRIC_NETWORK = "ip-fabric"
LINK_LOCAL_NETWORK = "link-local"
DEFAULT_INSTANCE = "default"

NETWORK_IDS: Mapping[str, int] = {
    LINK_LOCAL_NETWORK: 1,
    POD_NETWORK: 2,
    FABRIC_NETWORK: 3,
    SERVICE_NETWORK: 4,
}
"""VNI of a system network, by its name."""

FIRST_NETWORK_ID = 5

ROUTE_TARGET_NUMBERS: Mapping[str, int] = {
    name: 8000000 + i
    for i, name in enumerate(
        (
            DEFAULT_INSTANCE,
            FABRIC_NETWORK,
            LINK_LOCAL_NETWORK,
            POD_NETWORK,
            SERVICE_NETWORK,
            "DefaultPodServiceIPFabricNetwork",
            "DefaultPodServiceNetwork",
            "DefaultServiceNetwork",
            "DefaultIPFabricNetwork",
        )
    )
}
"""Route target number of a system RoutingInstance, by its name."""

FIRST_ROUTE_TARGET_NUMBER = 8000009


def pick(
    snapshot: Snapshot, pool: str, holder: str, reserved: int | None, start: int
) -> int | Step:
    """The number that `holder` is to carry, or the step that gets one.

    A reserved number is tried first. When its claim is refused (a second cluster's network of
    the same name), the pick is dropped with `reserved` remembered as refused, and the holder gets
    an ordinary one.
    """
    promised = snapshot.promise(pool, holder)
    if promised is not None:
        return promised
    if reserved is not None and not snapshot.refused(pool, holder, reserved):
        return Promise(pool, holder, reserved)
    return Allocate(pool, holder, start, avoid=frozenset(snapshot.promised(pool)))
