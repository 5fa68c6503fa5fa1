"""The `kubemanager`: Kubernetes' objects to CN2's (field manager `kubemanager`)."""

from __future__ import annotations

from collections.abc import Iterable

from cn2.api.kind import Object
from cn2.api.kinds import (
    INSTANCE_IP,
    NAMESPACE,
    NETWORK_ATTACHMENT_DEFINITION,
    NETWORK_POLICY,
    NODE,
    POD,
    SERVICE,
    SUBNET,
    VIRTUAL_MACHINE,
    VIRTUAL_MACHINE_INTERFACE,
    VIRTUAL_NETWORK,
    VIRTUAL_ROUTER,
)
from cn2.client.cache import Key
from cn2.client.loop import Controller
from cn2.controllers.runner import Manager
from cn2.controllers.wiring import Wiring
from cn2.plan.cluster import (
    attachments,
    cluster_networks,
    objects,
    pods,
    services,
    static_addresses,
    stored,
    subnets,
)
from cn2.plan.cluster.settings import Settings

KINDS = (
    INSTANCE_IP,
    NAMESPACE,
    NETWORK_ATTACHMENT_DEFINITION,
    NETWORK_POLICY,
    NODE,
    POD,
    SERVICE,
    SUBNET,
    VIRTUAL_MACHINE,
    VIRTUAL_MACHINE_INTERFACE,
    VIRTUAL_NETWORK,
    VIRTUAL_ROUTER,
)


def wire(manager: Manager, settings: Settings) -> None:
    """Add every controller of the `kubemanager` process to `manager`."""
    kubernetes = _Kubernetes(Wiring(manager, KINDS), settings)
    kubernetes.add_cluster()
    kubernetes.add_attachments()
    kubernetes.add_pods()
    kubernetes.add_services()
    kubernetes.add_policies()
    kubernetes.add_policies()


class _Kubernetes:
    def __init__(self, wiring: Wiring, settings: Settings) -> None:
        self.wiring = wiring
        self.settings = settings
        self.snapshot = wiring.snapshot

    # -- the cluster -------------------------------------------------------------------------

    def add_cluster(self) -> None:
        key = ("", self.settings.namespace)

        def ours(obj: Object) -> Iterable[Key]:
            return (key,) if obj["metadata"]["namespace"] == self.settings.namespace else ()

        controller = self.wiring.add(
            "cluster",
            NAMESPACE,
            lambda _: cluster_networks.plan(self.snapshot, self.settings),
            mappers=[(NODE, lambda _: (key,))],
            workers=1,
        )
        for kind in (SUBNET, VIRTUAL_NETWORK):
            self.wiring.on_ends(controller, kind, ours)
        controller.queue.add(key)
        self.wiring.add(
            NAMESPACE.plural,
            NAMESPACE,
            lambda key: cluster_networks.plan_namespace(self.snapshot, self.settings, key),
        )

    # -- NetworkAttachmentDefinitions --------------------------------------------------------

    def add_attachments(self) -> None:
        controller = self.wiring.add(
            NETWORK_ATTACHMENT_DEFINITION.plural,
            NETWORK_ATTACHMENT_DEFINITION,
            lambda key: attachments.plan(self.snapshot, self.settings, key),
            mappers=[(VIRTUAL_NETWORK, lambda network: (objects.key(network),))],
        )
        self.wiring.on_ends(controller, SUBNET, _definition_of_subnet)

        def freed(old: Object | None, new: Object | None) -> None:
            if old is not None and new is None:
                for text in subnets.subnet_of(old):
                    namespace, _, name = text.partition("/")
                    for key in _definition_of_subnet(
                        {"metadata": {"namespace": namespace, "name": name}}
                    ):
                        controller.queue.add(key)

        self.wiring.manager.informers.of(INSTANCE_IP).on_change(freed)

    # -- pods --------------------------------------------------------------------------------

    def add_pods(self) -> None:
        controller = self.wiring.add(
            POD.plural,
            POD,
            lambda key: pods.plan(self.snapshot, self.settings, key),
            mappers=[
                (VIRTUAL_MACHINE, _pod_of),
                (VIRTUAL_MACHINE_INTERFACE, _pod_of),
                (INSTANCE_IP, _pod_of),
                (VIRTUAL_NETWORK, self._pods_asking_for),
            ],
        )
        self.wiring.on_ends(controller, VIRTUAL_NETWORK, self._pods_on_default)
        self._on_release(controller)
        self._on_freed_address(controller)
        self._on_freed_mac(controller)
        self.wiring.add_coalesced(
            VIRTUAL_ROUTER.plural,
            VIRTUAL_ROUTER,
            lambda key: pods.plan_router(self.snapshot, self.settings, key),
            mappers=[(POD, _node_of), (VIRTUAL_MACHINE, self._node_of_machine)],
        )

    def _pods_asking_for(self, network: Object) -> Iterable[Key]:
        text = objects.text(objects.key(network))
        return [objects.key(pod) for pod in self.snapshot.find(POD, pods.BY_NETWORK, text)]

    def _pods_on_default(self, network: Object) -> Iterable[Key]:
        if objects.key(network) != self.settings.pod_network:
            return ()
        return [objects.key(pod) for pod in self.snapshot.all(POD)]

    def _on_release(self, controller: Controller) -> None:
        """A VirtualRouter that lets go of a VirtualMachine brings up its pod, and only that."""

        def released(old: Object | None, new: Object | None) -> None:
            before = set(pods.machines_of(old)) if old else set()
            after = set(pods.machines_of(new)) if new else set()
            for name in before - after:
                machine = self.snapshot.get(VIRTUAL_MACHINE, name)
                if machine is not None:
                    controller.queue.add(pods.pod_key(machine))

        self.wiring.manager.informers.of(VIRTUAL_ROUTER).on_change(released)

    def _on_freed_address(self, controller: Controller) -> None:
        """An address that is free again brings up the pods that ask for it by name."""

        def freed(old: Object | None, new: Object | None) -> None:
            after = static_addresses.address_of(new) if new else []
            for ip in static_addresses.address_of(old) if old else ():
                if ip not in after:
                    for pod in self.snapshot.find(POD, static_addresses.BY_ADDRESS, ip):
                        controller.queue.add(objects.key(pod))

        self.wiring.manager.informers.of(INSTANCE_IP).on_change(freed)

    def _on_freed_mac(self, controller: Controller) -> None:
        """As above, for a MAC: an interface, or the pod that asked for it, is gone."""

        def freed(old: Object | None, new: Object | None) -> None:
            if old is None or new is not None:
                return
            index = static_addresses.macs_asked_by if old["kind"] == POD.kind else None
            for key in (index or static_addresses.macs_of)(old):
                for pod in self.snapshot.find(POD, static_addresses.BY_MAC, key):
                    controller.queue.add(objects.key(pod))

        for kind in (VIRTUAL_MACHINE_INTERFACE, POD):
            self.wiring.manager.informers.of(kind).on_change(freed)

    def _node_of_machine(self, machine: Object) -> Iterable[Key]:
        namespace, name = pods.pod_key(machine)
        pod = self.snapshot.get(POD, name, namespace)
        return _node_of(pod) if pod is not None else ()

    # -- services ----------------------------------------------------------------------------

    def add_services(self) -> None:
        controller = self.wiring.add(
            SERVICE.plural,
            SERVICE,
            lambda key: services.plan(self.snapshot, self.settings, key),
            mappers=[(INSTANCE_IP, _service_of)],
        )
        self.wiring.on_ends(controller, VIRTUAL_NETWORK, self._services_on_network)

    def add_policies(self) -> None:
        self.wiring.add(
            NETWORK_POLICY.plural,
            NETWORK_POLICY,
            lambda key: stored.plan_policy(self.snapshot, key),
            workers=1,
        )

    def _services_on_network(self, network: Object) -> Iterable[Key]:
        if objects.key(network) != self.settings.service_network:
            return ()
        return [objects.key(service) for service in self.snapshot.all(SERVICE)]


def _definition_of_subnet(subnet: Object) -> Iterable[Key]:
    namespace, name = objects.key(subnet)
    for family in ("v4", "v6"):
        if name.endswith("-" + family):
            yield namespace, name.removesuffix("-" + family)


def _pod_of(obj: Object) -> Iterable[Key]:
    key = pods.pod_key(obj)
    return (key,) if key[1] else ()


def _node_of(pod: Object) -> Iterable[Key]:
    return [("", node) for node in pods.node_of(pod)]


def _service_of(address: Object) -> Iterable[Key]:
    key = services.service_key(address)
    return (key,) if key[1] else ()
