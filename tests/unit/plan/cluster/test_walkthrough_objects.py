"""The objects of the walkthrough, whoever comes first."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
import states
from cluster_world import CLUSTER, CLUSTER_NAMESPACE, World

from cn2.api.kinds import (
    INSTANCE_IP,
    NAMESPACE,
    NETWORK_ATTACHMENT_DEFINITION,
    NODE,
    POD,
    ROUTE_TARGET,
    ROUTING_INSTANCE,
    SERVICE,
    SUBNET,
    VIRTUAL_MACHINE,
    VIRTUAL_MACHINE_INTERFACE,
    VIRTUAL_NETWORK,
    VIRTUAL_NETWORK_ROUTER,
    VIRTUAL_ROUTER,
)
from cn2.plan.cluster import objects

APPLIED: dict[str, tuple[Any, dict[str, Any]]] = {
    "namespace": (NAMESPACE, states.namespace("default")),
    "node": (NODE, states.node()),
    "definition": (NETWORK_ATTACHMENT_DEFINITION, states.definition()),
    "pod": (POD, states.pod(networks="vn1")),
    "service": (SERVICE, states.service("frontend", "10.108.75.218")),
}


def walkthrough(order: list[str], *, each: bool) -> World:
    world = World()
    for name in order:
        world.create(*APPLIED[name])
        if each:
            world.settle()
    world.settle()
    return world


@pytest.fixture
def world() -> World:
    return walkthrough(list(APPLIED), each=True)


@pytest.mark.parametrize("each", [True, False], ids=["one by one", "at once"])
@pytest.mark.parametrize(
    "order", list(permutations(("namespace", "node", "definition", "pod"))), ids="-".join
)
def test_whatever_comes_first_the_result_is_that_of_the_walkthrough(
    order: tuple[str, ...], each: bool
) -> None:
    world = walkthrough([*order, "service"], each=each)

    network = world.get(VIRTUAL_NETWORK, "vn1", "default")
    assert network["status"] == {
        "state": "Success",
        "observation": "",
        "virtualNetworkNetworkId": 5,
    }
    assert world.names(ROUTE_TARGET) == [
        "target-10.1.1.1-561",
        "target-10.2.2.2-561",
        "target-23-4561",
        *(f"target-64512-{8000000 + i}" for i in range(10)),
    ]
    assert world.names(VIRTUAL_MACHINE_INTERFACE) == ["vn1-pod-9789f5cc", "vn1-pod-b03c1981"]
    assert world.names(VIRTUAL_MACHINE) == [f"{CLUSTER}-vn1-pod-c478b06e"]
    found = {
        name: objects.spec(world.get(INSTANCE_IP, name))["instanceIPAddress"]
        for name in world.names(INSTANCE_IP)
    }
    assert found == {
        f"{CLUSTER}-frontend-55dee962": "10.108.75.218",
        f"{CLUSTER}-vn1-pod-2d7e67a3": "10.244.0.2",
        f"{CLUSTER}-vn1-pod-f7921747": "172.16.10.2",
    }
    assert world.findings == []


def test_a_second_pass_writes_nothing(world: World) -> None:
    assert world.settle() == 0
    assert world.settle(reverse=True) == 0


def test_the_system_networks_have_their_numbers_by_name(world: World) -> None:
    numbers = {
        (namespace, name): objects.status(world.get(VIRTUAL_NETWORK, name, namespace))[
            "virtualNetworkNetworkId"
        ]
        for namespace, name in world.tables[VIRTUAL_NETWORK.kind].objects
    }
    assert numbers == {
        ("contrail", "link-local"): 1,
        (CLUSTER_NAMESPACE, "default-podnetwork"): 2,
        ("contrail", "ip-fabric"): 3,
        (CLUSTER_NAMESPACE, "default-servicenetwork"): 4,
        ("default", "vn1"): 5,
    }


def test_every_instance_has_the_route_target_of_its_name(world: World) -> None:
    targets = {
        name: objects.status(instance)["defaultRouteTargetReference"]["name"]
        for (_, name), instance in world.tables[ROUTING_INSTANCE.kind].objects.items()
    }
    order = [
        "default",
        "ip-fabric",
        "link-local",
        "default-podnetwork",
        "default-servicenetwork",
        "DefaultPodServiceIPFabricNetwork",
        "DefaultPodServiceNetwork",
        "DefaultServiceNetwork",
        "DefaultIPFabricNetwork",
        "vn1",
    ]
    assert targets == {name: f"target-64512-{8000000 + i}" for i, name in enumerate(order)}


def test_the_network_is_the_seeds(world: World) -> None:
    network = world.get(VIRTUAL_NETWORK, "vn1", "default")
    subnet = world.get(SUBNET, "vn1-v4", "default")

    assert objects.finalizers(network) == [
        "virtual-network-id-deallocation.finalizers.core.juniper.net",
        "route-target.finalizers.core.juniper.net",
        "vn-routinginstance-delete.finalizers.core.juniper.net",
    ]
    assert objects.notes(network) == {
        "juniper.net/nad-cluster-name": CLUSTER,
        "juniper.net/nad-name": "vn1",
        "juniper.net/nad-namespace": "default",
    }
    reference = network["spec"].pop("v4SubnetReference")
    assert network["spec"] == {
        "exportRouteTargetList": ["target:10.1.1.1:561"],
        "importRouteTargetList": ["target:10.2.2.2:561"],
        "routeTargetList": ["target:23:4561"],
        "fabricSNAT": False,
        "virtualNetworkProperties": {"forwardingMode": "l2_l3", "rpf": "enable"},
    }
    assert reference["uid"] == subnet["metadata"]["uid"]
    assert reference["resourceVersion"].isdigit()
    assert "ownerReferences" not in network["metadata"]


def test_the_subnet_is_the_seeds(world: World) -> None:
    subnet = world.get(SUBNET, "vn1-v4", "default")
    assert objects.finalizers(subnet) == ["subnet-pool.finalizers.core.juniper.net"]
    assert subnet["spec"] == {"cidr": "172.16.10.0/24", "defaultGateway": "172.16.10.1"}
    assert subnet["status"] == {
        "state": "Success",
        "observation": "",
        "ipCount": 4,
        "allocationUsage": "1.56%",
    }
    assert objects.owns(subnet, "kubemanager", "spec", "defaultGateway")


def test_the_routing_instance_is_the_seeds(world: World) -> None:
    network = world.get(VIRTUAL_NETWORK, "vn1", "default")
    instance = world.get(ROUTING_INSTANCE, "vn1", "default")
    uid = network["metadata"]["uid"]
    assert objects.finalizers(instance) == [
        "route-target-delete-default.finalizers.core.juniper.net",
        "route-target-number-deallocation.finalizers.core.juniper.net",
    ]
    assert instance["metadata"]["ownerReferences"] == [
        {
            "apiVersion": "core.contrail.juniper.net/v1alpha1",
            "kind": "VirtualNetwork",
            "name": "vn1",
            "uid": uid,
            "controller": True,
            "blockOwnerDeletion": True,
        }
    ]
    label = "3acfef9839cb888c5103a243eb04c2b34931b92c32a156257cd0d501"
    assert instance["metadata"]["labels"] == {
        f"back-reference.core.juniper.net/{label}": "RouteTarget_target-64512-8000009"
    }
    assert instance["spec"]["parent"] == {
        "apiVersion": "core.contrail.juniper.net/v1alpha1",
        "kind": "VirtualNetwork",
        "namespace": "default",
        "name": "vn1",
        "uid": uid,
    }
    references = instance["spec"]["routeTargetReferences"]
    assert [(one["name"], one["attributes"]) for one in references] == [
        ("target-10.1.1.1-561", {"importExport": "export"}),
        ("target-10.2.2.2-561", {"importExport": "import"}),
        ("target-23-4561", {}),
    ]
    assert all(one["resourceVersion"] and one["uid"] for one in references)
    default = instance["status"].pop("defaultRouteTargetReference")
    assert default["attributes"] == {}
    assert "resourceVersion" not in default
    assert instance["status"] == {"state": "Success", "observation": "", "isDefault": True}


def test_the_default_target_says_that_it_is_the_systems(world: World) -> None:
    target = world.get(ROUTE_TARGET, "target-64512-8000009")
    assert objects.labels(target) == {"core.juniper.net/systemrt": "true"}
    assert target["status"]["state"] == "Success"
    assert "finalizers" not in target["metadata"]
    assert objects.labels(world.get(ROUTE_TARGET, "target-23-4561")) == {}


def test_the_definition_is_told_byte_for_byte(world: World) -> None:
    definition = world.get(NETWORK_ATTACHMENT_DEFINITION, "vn1", "default")
    assert objects.notes(definition)["juniper.net/networks-status"] == (
        "success creating VirtualNetwork vn1 v4Subnet: 172.16.10.0/24 "
    )
    assert objects.finalizers(definition) == ["virtual-network.finalizers.kube-manager.juniper.net"]
    assert objects.owns(
        definition, "kubemanager", "metadata", "annotations", "juniper.net/networks-status"
    )


def test_the_pod_is_told_byte_for_byte(world: World) -> None:
    pod = world.get(POD, "vn1-pod", "default")
    machine = world.get(VIRTUAL_MACHINE, f"{CLUSTER}-vn1-pod-c478b06e")
    macs = [
        world.get(VIRTUAL_MACHINE_INTERFACE, name, "default")["spec"][
            "virtualMachineInterfaceMacAddresses"
        ]["macAddress"][0]
        for name in ("vn1-pod-9789f5cc", "vn1-pod-b03c1981")
    ]
    assert objects.notes(pod)["kube-manager.juniper.net/vm-uuid"] == machine["metadata"]["uid"]
    assert objects.notes(pod)["k8s.v1.cni.cncf.io/network-status"] == (
        "[{\n"
        '    "name": "contrail-k8s-kubemanager-mk-contrail/default-podnetwork",\n'
        '    "interface": "eth0",\n'
        '    "ips": [\n'
        '        "10.244.0.2"\n'
        "    ],\n"
        f'    "mac": "{macs[0]}",\n'
        '    "default": true,\n'
        '    "dns": {}\n'
        "},{\n"
        '    "name": "default/vn1",\n'
        '    "interface": "eth1",\n'
        '    "ips": [\n'
        '        "172.16.10.2"\n'
        "    ],\n"
        f'    "mac": "{macs[1]}",\n'
        '    "dns": {}\n'
        "}]"
    )


def test_the_virtual_router_is_the_seeds(world: World) -> None:
    router = world.get(VIRTUAL_ROUTER, "minikube")
    assert objects.labels(router) == {
        "core.juniper.net/clusterName": "",
        "core.juniper.net/virtualRouter": "deployer-generated",
    }
    assert router["spec"]["virtualRouterIPAddress"] == "192.168.177.47"
    assert router["spec"]["parent"]["kind"] == "GlobalSystemConfig"
    assert "namespace" not in router["spec"]["parent"]
    (machine,) = router["spec"]["virtualMachineReferences"]
    assert machine["name"] == f"{CLUSTER}-vn1-pod-c478b06e"
    assert router["status"] == {"state": "Success", "observation": ""}
    assert "finalizers" not in router["metadata"]


def test_the_default_service_router_is_the_seeds(world: World) -> None:
    router = world.get(VIRTUAL_NETWORK_ROUTER, "DefaultServiceNetwork", CLUSTER_NAMESPACE)
    assert objects.labels(router) == {
        "core.juniper.net/virtualnetworkrouter": "default-service-network"
    }
    assert objects.notes(router) == {
        "core.juniper.net/description": "Enables connectivity between Default Service"
        " virtualnetwork and Pod virtualnetwork of isolated-namespace",
        "core.juniper.net/display-name": "DefaultServiceNetwork",
    }
    assert objects.finalizers(router) == [
        "remove-vnr-rt-from-vn-ri.finalizers.core.juniper.net",
        "vnr-routinginstance-delete.finalizers.core.juniper.net",
    ]
    assert router["spec"] == {
        "type": "hub",
        "virtualNetworkSelector": {
            "matchLabels": {"core.juniper.net/virtualnetwork": "default-servicenetwork"}
        },
        "import": {
            "virtualNetworkRouters": [
                {
                    "namespaceSelector": {
                        "matchLabels": {
                            "core.juniper.net/clusterName": CLUSTER,
                            "core.juniper.net/isolated-namespace": "true",
                        }
                    },
                    "virtualNetworkRouterSelector": {
                        "matchLabels": {
                            "core.juniper.net/virtualnetworkrouter": "isolated-namespace-"
                            "pod-to-default-service-network"
                        }
                    },
                }
            ]
        },
    }
    assert router["status"] == {"state": "Success", "observation": ""}


def test_the_four_default_routers_have_their_types(world: World) -> None:
    types = {
        (namespace, name): router["spec"]["type"]
        for (namespace, name), router in world.tables[VIRTUAL_NETWORK_ROUTER.kind].objects.items()
    }
    assert types == {
        (CLUSTER_NAMESPACE, "DefaultPodServiceIPFabricNetwork"): "spoke",
        (CLUSTER_NAMESPACE, "DefaultPodServiceNetwork"): "mesh",
        (CLUSTER_NAMESPACE, "DefaultServiceNetwork"): "hub",
        ("contrail", "DefaultIPFabricNetwork"): "hub",
    }


def test_every_namespace_carries_the_clusters_name(world: World) -> None:
    for name in world.names(NAMESPACE):
        labels = objects.labels(world.get(NAMESPACE, name))
        assert labels["core.juniper.net/clusterName"] == CLUSTER
