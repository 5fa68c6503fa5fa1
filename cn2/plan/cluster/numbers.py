"""The numbers of networks and route targets: which one an object is to carry.

A number is picked from what the server calls free, and claimed by the write that carries it:
uniqueness lives in the store. System objects have their numbers by name (cn2-api.md 10 #5, #6),
so that the first user network gets 5 and 8000009 whatever was created first.
"""

from __future__ import annotations

from cn2.api import pools
from cn2.plan.cluster.steps import Allocate, Promise, Step
from cn2.plan.snapshot import Snapshot

POD_NETWORK = "default-podnetwork"
SERVICE_NETWORK = "default-servicenetwork"
FABRIC_NETWORK = "ip-fabric"
LINK_LOCAL_NETWORK = "link-local"
DEFAULT_INSTANCE = "default"


def pick(snapshot: Snapshot, pool: str, holder: str) -> int | Step:
    """The number that `holder` is to carry, or the step that gets one.

    A system object's own number is tried first. When its claim is refused (a second cluster's
    network of the same name), the pick is dropped and remembered as refused, and the holder gets
    an ordinary one.
    """
    promised = snapshot.promise(pool, holder)
    if promised is not None:
        return promised
    own = pools.system_id(pool, holder)
    if own is not None and not snapshot.refused(pool, holder, own):
        return Promise(pool, holder, own)
    return Allocate(pool, holder, avoid=frozenset(snapshot.promised(pool)))
