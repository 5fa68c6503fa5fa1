"""Subnet: how full it is (cn2-api.md 3.10)."""

from __future__ import annotations

from cn2.api.kind import Object
from cn2.api.kinds import INSTANCE_IP, SUBNET
from cn2.api.v1alpha1.instance_ip import subnet_claim_pool
from cn2.net.prefix import Prefix, parse_prefix, usage
from cn2.plan.cluster import objects
from cn2.plan.cluster.steps import Steps
from cn2.plan.snapshot import Key, Snapshot

FINALIZERS = ("subnet-pool.finalizers.core.juniper.net",)

BY_SUBNET = "subnet"
"""Index of InstanceIPs: `namespace/name` of the Subnet that their address is from."""

MAX_COUNT = 2**63 - 1


def pool(key: Key) -> str:
    """The pool that a Subnet's addresses are claimed in."""
    return subnet_claim_pool(*key)


def subnet_of(address: Object) -> list[str]:
    """Index function: the Subnet that an InstanceIP has its address from."""
    reference = objects.status(address).get("subnetReference")
    return [objects.text(objects.target(reference))] if reference else []


def prefix_of(subnet: Object) -> Prefix:
    return parse_prefix(str(objects.spec(subnet)["cidr"]))


def reserved(subnet: Object) -> tuple[int, ...]:
    """The ids that are never given out."""
    return prefix_of(subnet).reserved_ids(str(objects.spec(subnet).get("defaultGateway") or ""))


def plan(snapshot: Snapshot, key: Key) -> Steps:
    """Finalizer and status of one Subnet."""
    subnet = snapshot.get(SUBNET, key[1], key[0])
    if subnet is None:
        return []
    if objects.terminating(subnet):
        # Claims of living pods stay in the store; a Subnet that comes back adopts them.
        return [*objects.remove_finalizers(SUBNET, subnet, FINALIZERS)]
    finalizers: Steps = [*objects.add_finalizers(SUBNET, subnet, FINALIZERS)]
    if finalizers:
        return finalizers
    try:
        prefix, taken = prefix_of(subnet), set(reserved(subnet))
    except ValueError as error:
        return [*objects.set_status(SUBNET, subnet, objects.failure(str(error)))]
    for address in snapshot.find(INSTANCE_IP, BY_SUBNET, objects.text(key)):
        given = objects.spec(address).get("instanceIPAddress")
        if given and given in prefix:
            taken.add(prefix.id(given))
    wanted = objects.success(
        ipCount=min(len(taken), MAX_COUNT), allocationUsage=usage(len(taken), prefix.capacity)
    )
    return [*objects.set_status(SUBNET, subnet, wanted)]
