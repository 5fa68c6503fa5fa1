"""Lease (coordination.k8s.io/v1)."""

from __future__ import annotations

from cn2.api import schema as s
from cn2.api.columns import AGE, NAME
from cn2.api.kind import Column, Kind

NODE_LEASES = "kube-node-lease"
"""The namespace of the Leases that say that nodes live."""

LEASE = Kind(
    group="coordination.k8s.io",
    version="v1",
    kind="Lease",
    plural="leases",
    namespaced=True,
    description="Lease defines a lease concept.",
    schema=s.whole(
        s.object(
            "spec contains the specification of the Lease.",
            {
                "acquireTime": s.time("When the current lease was acquired."),
                "holderIdentity": s.string("The identity of the holder of a current lease."),
                "leaseDurationSeconds": s.integer(
                    "How long candidates for the lease wait before they take it."
                ),
                "leaseTransitions": s.integer("The number of transitions between holders."),
                "preferredHolder": s.string("Who should hold the lease next."),
                "renewTime": s.time("When the current holder has last updated the lease."),
                "strategy": s.string("How to pick a holder."),
            },
        )
    ),
    columns=(
        NAME,
        Column(name="Holder", path=".spec.holderIdentity", description="Who holds the lease."),
        AGE,
    ),
)
