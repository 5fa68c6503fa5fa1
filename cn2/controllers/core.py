"""The `controller`: intent in CN2's terms to what follows from it (field manager `manager`).

It speaks CN2 only, with two exceptions, both read-only: Nodes, which VirtualRouters stand for, and
NetworkAttachmentDefinitions, which say whether a network that is gone comes back
(docs/adr/0002-who-says-that-a-network-comes-back.md).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from cn2.api.kind import Kind, Object
from cn2.api.kinds import (
    GLOBAL_SYSTEM_CONFIG,
    GLOBAL_VROUTER_CONFIG,
    INSTANCE_IP,
    NAMESPACE,
    NETWORK_ATTACHMENT_DEFINITION,
    NODE,
    ROUTE_TARGET,
    ROUTING_INSTANCE,
    SUBNET,
    VIRTUAL_MACHINE,
    VIRTUAL_MACHINE_INTERFACE,
    VIRTUAL_NETWORK,
    VIRTUAL_NETWORK_ROUTER,
    VIRTUAL_ROUTER,
)
from cn2.api.pools import ROUTE_TARGET_POOL, VIRTUAL_NETWORK_POOL
from cn2.client.cache import Key
from cn2.client.loop import Mapper
from cn2.controllers.runner import Manager
from cn2.controllers.wiring import Wiring
from cn2.plan.cluster import (
    addresses,
    interfaces,
    networks,
    objects,
    route_targets,
    routers,
    routing_instances,
    stored,
    subnets,
    system,
)
from cn2.plan.cluster.addresses import AddressBook
from cn2.plan.cluster.steps import Steps

KINDS = (
    GLOBAL_SYSTEM_CONFIG,
    GLOBAL_VROUTER_CONFIG,
    INSTANCE_IP,
    NAMESPACE,
    NETWORK_ATTACHMENT_DEFINITION,
    NODE,
    ROUTE_TARGET,
    ROUTING_INSTANCE,
    SUBNET,
    VIRTUAL_MACHINE,
    VIRTUAL_MACHINE_INTERFACE,
    VIRTUAL_NETWORK,
    VIRTUAL_NETWORK_ROUTER,
    VIRTUAL_ROUTER,
    *(kind for kind, _ in stored.REFERENTS),
)


def wire(manager: Manager, cluster: str) -> None:
    """Add every controller of the `controller` process to `manager`.

    `cluster` is CN2's name of the cluster whose default routers are made.
    """
    core = _Core(Wiring(manager, KINDS), cluster)
    core.add_system()
    core.add_networks()
    core.add_routers()
    core.add_addresses()
    core.add_interfaces()
    core.add_stored()


class _Core:
    def __init__(self, wiring: Wiring, cluster: str) -> None:
        self.wiring = wiring
        self.snapshot = wiring.snapshot
        self.cluster = cluster
        self.book = AddressBook()
        informers = wiring.manager.informers
        informers.of(INSTANCE_IP).on_change(self.book.change)
        informers.of(VIRTUAL_NETWORK).on_change(self._network_changed)

    def _network_changed(self, old: Object | None, new: Object | None) -> None:
        if old is None or new is not None:
            return
        for pool, kind in (
            (VIRTUAL_NETWORK_POOL, VIRTUAL_NETWORK),
            (ROUTE_TARGET_POOL, ROUTING_INSTANCE),
        ):
            self.snapshot.fulfil_promise(pool, objects.holder_of(kind, objects.key(old)))
            self.snapshot.forgive(pool)

    # -- what is there from the start --------------------------------------------------------

    def add_system(self) -> None:
        key = ("", route_targets.GLOBAL_CONFIG_NAME)

        def always(_: Object) -> Iterable[Key]:
            return (key,)

        controller = self.wiring.add(
            "system",
            GLOBAL_SYSTEM_CONFIG,
            lambda _: system.plan(self.snapshot, self.cluster),
            workers=1,
        )
        for kind in (NAMESPACE, GLOBAL_VROUTER_CONFIG, VIRTUAL_NETWORK, VIRTUAL_NETWORK_ROUTER):
            self.wiring.on_ends(controller, kind, always)
        controller.queue.add(key)
        for kind in (GLOBAL_SYSTEM_CONFIG, GLOBAL_VROUTER_CONFIG):
            plan = partial(interfaces.plan_simple, kind, self.snapshot)
            self.wiring.add(kind.plural, kind, plan, workers=1)
        routers_ = self.wiring.add(
            VIRTUAL_ROUTER.plural,
            VIRTUAL_ROUTER,
            self._plan_virtual_router,
            mappers=[(NODE, lambda node: (("", node["metadata"]["name"]),))],
        )
        self.wiring.on_ends(
            routers_,
            GLOBAL_SYSTEM_CONFIG,
            lambda _: [objects.key(node) for node in self.snapshot.all(NODE)],
        )

    def _plan_virtual_router(self, key: Key) -> Steps:
        steps = system.plan_node(self.snapshot, key)
        return steps or interfaces.plan_simple(VIRTUAL_ROUTER, self.snapshot, key)

    # -- networks ----------------------------------------------------------------------------

    def add_networks(self) -> None:
        controller = self.wiring.add(
            VIRTUAL_NETWORK.plural,
            VIRTUAL_NETWORK,
            lambda key: networks.plan(self.snapshot, key),
            mappers=[
                (ROUTING_INSTANCE, _owned_by(VIRTUAL_NETWORK.kind)),
                (ROUTING_INSTANCE, self._networks_near_routers),
                (VIRTUAL_NETWORK_ROUTER, self._networks_near_routers),
            ],
        )
        self.wiring.on_ends(controller, SUBNET, self._networks_of_subnet)
        # A router of that name may have had the instance.
        self.wiring.on_ends(controller, ROUTING_INSTANCE, lambda one: (objects.key(one),))
        self.wiring.on_ends(controller, ROUTE_TARGET, self._users_of_target)
        orphans = self.wiring.add(
            ROUTING_INSTANCE.plural,
            ROUTING_INSTANCE,
            lambda key: routing_instances.plan_orphan(self.snapshot, key),
        )
        for kind in (VIRTUAL_NETWORK, VIRTUAL_NETWORK_ROUTER):
            self.wiring.on_ends(orphans, kind, lambda owner: (objects.key(owner),))
        self.wiring.add(
            ROUTE_TARGET.plural,
            ROUTE_TARGET,
            lambda key: route_targets.plan(self.snapshot, key),
            unhurried=True,
        )
        self.wiring.add_coalesced(
            SUBNET.plural,
            SUBNET,
            lambda key: subnets.plan(self.snapshot, key),
            mappers=[(INSTANCE_IP, _subnet_of)],
        )

    def _networks_of_subnet(self, subnet: Object) -> Iterable[Key]:
        text = objects.text(objects.key(subnet))
        found = self.snapshot.find(VIRTUAL_NETWORK, networks.BY_SUBNET, text)
        return [objects.key(network) for network in found]

    def _users_of_target(self, target: Object) -> Iterable[Key]:
        name, index = target["metadata"]["name"], route_targets.BY_ROUTE_TARGET
        keys = {objects.key(one) for one in self.snapshot.find(VIRTUAL_NETWORK, index, name)}
        for instance in self.snapshot.find(ROUTING_INSTANCE, index, name):
            keys.update(_owned_by(VIRTUAL_NETWORK.kind)(instance))
        return keys

    def _networks_near_routers(self, obj: Object) -> Iterable[Key]:
        """Networks that a VirtualNetworkRouter, or the instance of one, may concern."""
        if obj["kind"] == ROUTING_INSTANCE.kind:
            owner = routing_instances.owner_key(obj)
            if owner is None or owner[0] != VIRTUAL_NETWORK_ROUTER.kind:
                return ()
        namespaces = {one["metadata"]["namespace"] for one in self._routers()}
        namespaces.add(obj["metadata"]["namespace"])
        return [
            objects.key(network)
            for namespace in namespaces
            for network in self.snapshot.find(VIRTUAL_NETWORK, routers.BY_NAMESPACE, namespace)
        ]

    def _routers(self) -> list[Object]:
        return self.snapshot.all(VIRTUAL_NETWORK_ROUTER)

    def add_routers(self) -> None:
        controller = self.wiring.add(
            VIRTUAL_NETWORK_ROUTER.plural,
            VIRTUAL_NETWORK_ROUTER,
            lambda key: routers.plan(self.snapshot, key),
            mappers=[
                (ROUTING_INSTANCE, _owned_by(VIRTUAL_NETWORK_ROUTER.kind)),
                (ROUTING_INSTANCE, _routed_by),
            ],
        )

        # A network of that name may have had the instance.
        self.wiring.on_ends(controller, ROUTING_INSTANCE, lambda one: (objects.key(one),))

    # -- addresses ---------------------------------------------------------------------------

    def add_addresses(self) -> None:
        controller = self.wiring.add(
            INSTANCE_IP.plural,
            INSTANCE_IP,
            lambda key: addresses.plan(self.snapshot, self.book, key),
            mappers=[(VIRTUAL_NETWORK, self._waiting_for_network), (SUBNET, self._waiting)],
        )

        # A network may come back with other addresses: what was taken before is looked at again.
        self.wiring.on_ends(controller, VIRTUAL_NETWORK, self._taken_from)

        def freed(old: Object | None, new: Object | None) -> None:
            if old is None or new is not None:
                return
            holder = objects.holder_of(INSTANCE_IP, objects.key(old))
            for text in subnets.subnet_of(old):
                namespace, _, name = text.partition("/")
                pool = subnets.pool((namespace, name))
                self.snapshot.fulfil_promise(pool, holder)
                self.snapshot.forgive(pool)
                for key in self._waiting_for_subnet(text):
                    controller.queue.add(key)

        self.wiring.manager.informers.of(INSTANCE_IP).on_change(freed)

    def _waiting_for_network(self, network: Object) -> Iterable[Key]:
        """Oldest first: who came first is served first."""
        text = objects.text(objects.key(network))
        found = self.snapshot.find(INSTANCE_IP, addresses.BY_WAITING_NETWORK, text)
        found.sort(key=lambda one: one["metadata"].get("creationTimestamp", ""))
        return [objects.key(one) for one in found]

    def _waiting(self, subnet: Object) -> Iterable[Key]:
        return self._waiting_for_subnet(objects.text(objects.key(subnet)))

    def _taken_from(self, network: Object) -> Iterable[Key]:
        for text in networks.subnet_texts(network):
            for address in self.snapshot.find(INSTANCE_IP, subnets.BY_SUBNET, text):
                yield objects.key(address)

    def _waiting_for_subnet(self, text: str) -> list[Key]:
        found = self.snapshot.find(VIRTUAL_NETWORK, networks.BY_SUBNET, text)
        return [key for network in found for key in self._waiting_for_network(network)]

    # -- interfaces --------------------------------------------------------------------------

    def add_interfaces(self) -> None:
        self.wiring.add(
            VIRTUAL_MACHINE.plural,
            VIRTUAL_MACHINE,
            lambda key: interfaces.plan_simple(VIRTUAL_MACHINE, self.snapshot, key),
            unhurried=True,
        )
        self.wiring.add(
            VIRTUAL_MACHINE_INTERFACE.plural,
            VIRTUAL_MACHINE_INTERFACE,
            lambda key: interfaces.plan(self.snapshot, key),
            mappers=[
                (VIRTUAL_NETWORK, self._interfaces_on),
                (ROUTING_INSTANCE, self._interfaces_on),
                (NETWORK_ATTACHMENT_DEFINITION, self._interfaces_on),
            ],
        )

    # -- kinds that wait for a later version -------------------------------------------------

    def add_stored(self) -> None:
        for kind, referents in stored.REFERENTS:
            plan = partial(stored.plan, kind, referents, self.snapshot)
            controller = self.wiring.add(kind.plural, kind, plan, workers=1)
            for other in referents:
                self.wiring.on_ends(controller, other, partial(self._referrers, kind))

    def _referrers(self, kind: Kind, obj: Object) -> Iterable[Key]:
        found = self.snapshot.find(kind, stored.BY_REFERENCE, stored.label_of(obj))
        return [objects.key(one) for one in found]

    def _interfaces_on(self, obj: Object) -> Iterable[Key]:
        """Interfaces of the network that has the name of `obj`."""
        text = objects.text(objects.key(obj))
        found = self.snapshot.find(VIRTUAL_MACHINE_INTERFACE, interfaces.BY_NETWORK, text)
        return [objects.key(one) for one in found]


def _owned_by(kind: str) -> Mapper:
    """The owner of a RoutingInstance, if it is of this kind."""

    def owner(instance: Object) -> Iterable[Key]:
        found = routing_instances.owner_key(instance)
        return (found[1],) if found is not None and found[0] == kind else ()

    return owner


def _routed_by(instance: Object) -> Iterable[Key]:
    for text in routers.routed_by(instance):
        namespace, _, name = text.partition("/")
        yield namespace, name


def _subnet_of(address: Object) -> Iterable[Key]:
    for text in subnets.subnet_of(address):
        namespace, _, name = text.partition("/")
        yield namespace, name
