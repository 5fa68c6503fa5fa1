"""InstanceIP: an address out of a Subnet, lowest free first (cn2-api.md 3.10, F21).

The address is picked here from what is known to be taken and claimed by the write of the status:
two controllers can pick the same one, but only one of them gets it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cn2.api.kind import Object
from cn2.api.kinds import INSTANCE_IP, SUBNET, VIRTUAL_NETWORK
from cn2.net.prefix import Prefix, parse_address
from cn2.plan.cluster import networks, objects, subnets
from cn2.plan.cluster.steps import Claimed, Promise, Say, Steps
from cn2.plan.finding import Finding
from cn2.plan.snapshot import Key, Snapshot

FINALIZERS = ("instance-ip-deallocation.finalizers.core.juniper.net",)
MANAGER = "manager"

BY_WAITING_NETWORK = "waiting-network"
"""Index of InstanceIPs without an address of their own: `namespace/name` of their network."""

Span = tuple[int, int]
"""First and last id, both included."""


class AddressBook:
    """Which ids of every Subnet are in use, kept up with each change of an InstanceIP."""

    def __init__(self) -> None:
        self._used: dict[str, dict[int, str]] = {}
        self._lowest: dict[str, dict[int, int]] = {}

    def change(self, old: Object | None, new: Object | None) -> None:
        """An InstanceIP came (old None), changed, or went (new None)."""
        before, after = _entry(old), _entry(new)
        if before == after:
            return
        if before:
            self._free(*before)
        if after:
            pool, number, holder = after
            self._used.setdefault(pool, {})[number] = holder

    def holder(self, pool: str, number: int) -> str:
        """Who uses an id, "" for nobody."""
        return self._used.get(pool, {}).get(number, "")

    def lowest(self, pool: str, spans: Iterable[Span], avoid: set[int]) -> int | None:
        """The lowest id in the spans that is neither in use nor in `avoid`."""
        used = self._used.get(pool, {})
        hints = self._lowest.setdefault(pool, {})
        for first, last in spans:
            number = hints.get(first, first)
            while number <= last and number in used:
                number += 1
            hints[first] = number
            while number <= last and (number in used or number in avoid):
                number += 1
            if number <= last:
                return number
        return None

    def _free(self, pool: str, number: int, holder: str) -> None:
        used = self._used.get(pool, {})
        if used.get(number) != holder:
            return
        del used[number]
        for first, hint in self._lowest.get(pool, {}).items():
            if first <= number < hint:
                self._lowest[pool][first] = number


def _entry(address: Object | None) -> tuple[str, int, str] | None:
    """(pool, id, holder) of an InstanceIP that has its address."""
    if address is None:
        return None
    given, cidr = objects.spec(address).get("instanceIPAddress"), objects.spec(address).get("cidr")
    reference = objects.status(address).get("subnetReference")
    if not (given and cidr and reference):
        return None
    network = parse_address(cidr.partition("/")[0])
    number = int(parse_address(given)) - int(network)
    return subnets.pool(objects.target(reference)), number, _holder(objects.key(address))


def _holder(key: Key) -> str:
    return objects.holder_of(INSTANCE_IP, key)


def waiting_network(address: Object) -> list[str]:
    """Index function."""
    if objects.state(address) == objects.SUCCESS:
        return []
    return [objects.text(objects.target(objects.spec(address).get("virtualNetworkReference")))]


class _Unready(Exception):
    """There is no address, for a reason that a person can understand."""

    def __init__(self, reason: str, observation: str) -> None:
        super().__init__(observation)
        self.reason = reason
        """Of the event; "" when waiting is normal."""


def plan(snapshot: Snapshot, book: AddressBook, key: Key) -> Steps:
    """The next steps for one InstanceIP."""
    address = snapshot.get(INSTANCE_IP, key[1])
    if address is None:
        return []
    if objects.terminating(address):
        return [*objects.remove_finalizers(INSTANCE_IP, address, FINALIZERS)]
    try:
        return _settle(snapshot, book, address)
    except _Unready as unready:
        wanted = objects.pending(str(unready), subnetReference=None)
        steps: Steps = [*objects.set_status(INSTANCE_IP, address, wanted)]
        if steps and unready.reason:
            steps.append(Say(Finding(address, unready.reason, str(unready))))
        return steps


def _settle(snapshot: Snapshot, book: AddressBook, address: Object) -> Steps:
    settled = objects.state(address) == objects.SUCCESS
    subnet = _subnet(snapshot, address)
    if subnet is None:
        if settled:
            return []  # the network or Subnet went while the pod lives: the claim stays
        raise _Unready("", _absent(snapshot, address))
    prefix, spec = subnets.prefix_of(subnet), objects.spec(address)
    if settled and (spec.get("cidr") == str(prefix) or not _is_from(address, subnet)):
        return [*objects.add_finalizers(INSTANCE_IP, address, FINALIZERS)]
    given = str(spec.get("instanceIPAddress") or "")
    if given and given not in prefix:
        raise _Unready("ForeignAddress", f"{given} is not in Subnet {_name(subnet)} ({prefix})")
    if settled:
        # Numbers count from the block's beginning: the claim is given up and made anew.
        raise _Unready("", f"Subnet {_name(subnet)} is now {prefix}, was {spec.get('cidr')}")
    if not given or not _free(snapshot, book, address, subnet, prefix.id(given)):
        return _pick(snapshot, book, address, subnet, prefix)
    return _write(address, subnet, prefix, prefix.id(given))


def _pick(
    snapshot: Snapshot, book: AddressBook, address: Object, subnet: Object, prefix: Prefix
) -> Steps:
    holder, pool = _holder(objects.key(address)), subnets.pool(objects.key(subnet))
    number = snapshot.promise(pool, holder)
    if number is None:
        number = _lowest(snapshot, book, address, subnet, prefix)
    return [
        Promise(pool, holder, number),
        *_write(address, subnet, prefix, number),
    ]


def _lowest(
    snapshot: Snapshot, book: AddressBook, address: Object, subnet: Object, prefix: Prefix
) -> int:
    holder, pool = _holder(objects.key(address)), subnets.pool(objects.key(subnet))
    spans = _spans(subnet, prefix, objects.spec(address).get("ipRangeKeys") or ())
    avoid = snapshot.promised(pool) | set(subnets.reserved(subnet))
    while True:
        number = book.lowest(pool, spans, avoid)
        if number is None:
            raise _Unready("AddressesExhausted", f"Subnet {_name(subnet)} ({prefix}) is exhausted")
        if not snapshot.refused(pool, holder, number):
            return number
        avoid.add(number)


def _free(
    snapshot: Snapshot, book: AddressBook, address: Object, subnet: Object, number: int
) -> bool:
    """Whether the address in the spec can be had.

    If not: one that we picked is given up, one that was asked for is waited for.
    """
    holder, pool = _holder(objects.key(address)), subnets.pool(objects.key(subnet))
    given = objects.spec(address)["instanceIPAddress"]
    problem = ""
    user = book.holder(pool, number)
    if number in subnets.reserved(subnet):
        problem = f"{given} is reserved in Subnet {_name(subnet)}"
    elif user not in ("", holder):
        problem = f"{given} is used by {user}"
    elif snapshot.refused(pool, holder, number):
        problem = f"{given} is in use in Subnet {_name(subnet)}"
    if not problem:
        return True
    if objects.owns(address, MANAGER, "spec", "instanceIPAddress"):
        return False
    raise _Unready("AddressUnavailable", problem)


def _write(address: Object, subnet: Object, prefix: Prefix, number: int) -> Steps:
    """First the address and what keeps it, then the status that claims it."""
    fields: dict[str, Any] = {
        "spec": {"instanceIPAddress": prefix.address(number), "cidr": str(prefix)}
    }
    body = objects.difference(address, fields)
    finalizers = objects.add_finalizers(INSTANCE_IP, address, FINALIZERS)
    if finalizers:
        body |= finalizers[0].body
    if body:
        return [objects.patch(INSTANCE_IP, address, body)]
    claimed = Claimed(subnets.pool(objects.key(subnet)), _holder(objects.key(address)), number)
    wanted = objects.success(subnetReference=objects.reference(SUBNET, subnet))
    return [*objects.set_status(INSTANCE_IP, address, wanted, claimed)]


def _spans(subnet: Object, prefix: Prefix, keys: Iterable[str]) -> list[Span]:
    ranges = objects.spec(subnet).get("ranges") or ()
    if not ranges:
        return [(0, prefix.capacity - 1)]
    by_key = {one.get("key", ""): one.get("ipRanges") or () for one in ranges}
    wanted = list(keys) or list(by_key)
    missing = [one for one in wanted if one not in by_key]
    if missing:
        raise _Unready("", f"Subnet {_name(subnet)} has no range with key {missing[0]}")
    return [
        (prefix.id(one["from"]), prefix.id(one["to"])) for name in wanted for one in by_key[name]
    ]


def _family(address: Object) -> str:
    return str(objects.spec(address).get("instanceIPFamily") or "v4")


def _subnet(snapshot: Snapshot, address: Object) -> Object | None:
    namespace, name = objects.target(objects.spec(address).get("virtualNetworkReference"))
    network = snapshot.get(VIRTUAL_NETWORK, name, namespace)
    if network is None:
        return None
    where = networks.subnet_keys(network).get(_family(address))
    subnet = snapshot.get(SUBNET, where[1], where[0]) if where else None
    if subnet is None or objects.terminating(subnet):
        return None
    return subnet if subnets.prefix_of(subnet).family == _family(address) else None


def _is_from(address: Object, subnet: Object) -> bool:
    """A network may get another Subnet: addresses of the earlier one stay its."""
    reference = objects.status(address).get("subnetReference")
    return objects.target(reference) == objects.key(subnet)


def _absent(snapshot: Snapshot, address: Object) -> str:
    key = objects.target(objects.spec(address).get("virtualNetworkReference"))
    network = snapshot.get(VIRTUAL_NETWORK, key[1], key[0])
    if network is None:
        return f"VirtualNetwork {objects.text(key)} not found"
    where = networks.subnet_keys(network).get(_family(address))
    if where is None:
        return f"VirtualNetwork {objects.text(key)} has no {_family(address)} Subnet"
    if (subnet := snapshot.get(SUBNET, where[1], where[0])) and not objects.terminating(subnet):
        return f"Subnet {objects.text(where)} has no {_family(address)} addresses"
    return f"Subnet {objects.text(where)} not found"


def _name(subnet: Object) -> str:
    return objects.text(objects.key(subnet))
