"""Kinds that are stored, checked and explained, and that nothing in the system acts on yet.

Their status says so, or names what they refer to and what is not there; people are told once.
"""

from __future__ import annotations

from cn2.api.conventions import references, target
from cn2.api.kind import Kind, Object
from cn2.api.kinds import (
    ADDRESS_GROUP,
    APPLICATION_POLICY_SET,
    BGP_AS_A_SERVICE,
    BGP_ROUTER,
    FIREWALL_POLICY,
    FIREWALL_RULE,
    FLOATING_IP,
    INSTANCE_IP,
    MIRROR_DESTINATION,
    NETWORK_POLICY,
    ROUTING_INSTANCE,
    TAG,
    TAG_TYPE,
    VIRTUAL_MACHINE_INTERFACE,
)
from cn2.net.names import BACK_REFERENCE_PREFIX, back_reference
from cn2.plan.cluster import objects
from cn2.plan.cluster.steps import Say, Steps
from cn2.plan.finding import Finding
from cn2.plan.snapshot import Key, Snapshot

REFERENTS: tuple[tuple[Kind, tuple[Kind, ...]], ...] = (
    (ADDRESS_GROUP, ()),
    (APPLICATION_POLICY_SET, (FIREWALL_POLICY, TAG)),
    (BGP_AS_A_SERVICE, (VIRTUAL_MACHINE_INTERFACE,)),
    (BGP_ROUTER, (BGP_ROUTER, ROUTING_INSTANCE)),
    (FIREWALL_POLICY, (FIREWALL_RULE,)),
    (FIREWALL_RULE, (ADDRESS_GROUP, TAG)),
    (FLOATING_IP, (INSTANCE_IP, VIRTUAL_MACHINE_INTERFACE)),
    (MIRROR_DESTINATION, ()),
    (TAG, (TAG_TYPE,)),
    (TAG_TYPE, ()),
)
"""These kinds, and those that they refer to."""

BY_REFERENCE = "reference"
"""Index: the back-reference labels of an object, that is, what it refers to."""


def referred_to(obj: Object) -> list[str]:
    """Index function."""
    return [label for label in objects.labels(obj) if label.startswith(BACK_REFERENCE_PREFIX)]


def label_of(obj: Object) -> str:
    """What is in the index of those who refer to an object."""
    return back_reference(obj["kind"], *objects.key(obj))[0]


def plan(kind: Kind, referents: tuple[Kind, ...], snapshot: Snapshot, key: Key) -> Steps:
    """The status of one object."""
    obj = snapshot.get(kind, key[1], key[0])
    if obj is None or objects.terminating(obj):
        return []
    missing = _missing(kind, referents, snapshot, obj)
    reason = "ReferenceNotFound" if missing else "NotEnforced"
    observation = missing or f"stored, but without effect yet: {kind.inert}"
    steps: Steps = [*objects.set_status(kind, obj, objects.pending(observation))]
    if steps:
        steps.append(Say(Finding(obj, reason, observation)))
    return steps


def plan_policy(snapshot: Snapshot, key: Key) -> Steps:
    """A NetworkPolicy has no status: its author is told by an event."""
    policy = snapshot.get(NETWORK_POLICY, key[1], key[0])
    message = f"stored, but without effect yet: {NETWORK_POLICY.inert}"
    if policy is None or not snapshot.first_time(objects.uid(policy), message):
        return []
    return [Say(Finding(policy, "NotEnforced", message))]


def _missing(kind: Kind, referents: tuple[Kind, ...], snapshot: Snapshot, obj: Object) -> str:
    known = {other.kind: other for other in referents}
    named = {target(one, obj["metadata"].get("namespace", "")) for one in references(kind, obj)}
    missing = [
        f"{name} {objects.text((namespace, one))}"
        for name, namespace, one in sorted(named)
        if name in known and snapshot.get(known[name], one, namespace) is None
    ]
    return f"{', '.join(missing)} not found" if missing else ""
