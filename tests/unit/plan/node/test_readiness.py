"""A pod is ready to be plugged when all of its interfaces are, and the reason is told otherwise."""

from __future__ import annotations

from typing import Any

import pytest
from node_objects import (
    CLUSTER_NAMESPACE,
    address,
    interface,
    network,
    plugged,
    pod_network,
    subnet,
)

from cn2.plan.node.attachment import Address
from cn2.plan.node.readiness import Waiting, attachments, conflict
from cn2.plan.node.snapshot import Snapshot

POD = ("default", "p1")


def walkthrough(**changed: Any) -> Snapshot:
    """vn1-pod of the walkthrough: eth0 on the pod network, eth1 on vn1."""
    vn, pool = pod_network()
    of: dict[str, Any] = {
        "interfaces": [
            interface(
                "m0",
                "default-podnetwork",
                "0/2",
                mac="02:11:8e:c0:2f:e0",
                network_namespace=CLUSTER_NAMESPACE,
            ),
            interface("m1", "vn1", "1/2", mac="02:21:0f:f6:47:fc"),
        ],
        "addresses": [
            address("m0", "default-podnetwork", "10.244.0.5", network_namespace=CLUSTER_NAMESPACE),
            address("m1", "vn1", "172.16.10.2"),
        ],
        "networks": [vn, network("vn1", 5, {"v4": "vn1-v4"})],
        "subnets": [pool, subnet("vn1-v4", "172.16.10.0/24", "172.16.10.1")],
    }
    return Snapshot.of(**(of | changed))


def reason(snapshot: Snapshot, uid: str = "u1") -> str:
    answer = attachments(snapshot, POD, uid)
    assert isinstance(answer, Waiting)
    return answer.reason


def test_both_interfaces_of_the_walkthrough() -> None:
    first, second = ready(walkthrough())

    assert (first.name, first.mac, first.network.label, first.network.vni) == (
        "eth0",
        "02:11:8e:c0:2f:e0",
        f"{CLUSTER_NAMESPACE}/default-podnetwork",
        2,
    )
    assert first.addresses == (Address("10.244.0.5", 16, "10.244.0.1"),)
    assert (second.name, second.network.label) == ("eth1", "default/vn1")
    assert second.addresses == (Address("172.16.10.2", 24, "172.16.10.1"),)


def ready(snapshot: Snapshot) -> tuple[Any, ...]:
    answer = attachments(snapshot, POD, "u1")
    assert not isinstance(answer, Waiting), answer
    return answer


def test_the_host_side_is_named_after_interface_and_machine() -> None:
    first, _ = ready(walkthrough())

    assert first.host_name == "tapeth0-c5f180"


def test_the_pod_network_is_never_bridged() -> None:
    first, second = ready(walkthrough())

    assert (first.network.mode, second.network.mode) == ("l3", "l2_l3")


def test_a_pod_is_not_plugged_with_fewer_interfaces() -> None:
    one = walkthrough().interfaces["default", "m0"]

    assert "1 of 2 VirtualMachineInterfaces" in reason(walkthrough(interfaces=[one]))


def test_no_interface_at_all_is_said_with_the_pods_name() -> None:
    assert reason(walkthrough(interfaces=[])).startswith("pod default/p1: no VirtualMachineInter")


def test_interfaces_of_an_earlier_uid_are_waited_for() -> None:
    assert "earlier uid u1" in reason(walkthrough(), uid="u2")


@pytest.mark.parametrize("state", ["Pending", "Failure", ""])
def test_an_interface_that_is_not_success_names_its_network(state: str) -> None:
    snapshot = walkthrough()
    snapshot.interfaces["default", "m1"]["status"] = {"state": state, "observation": "no number"}

    assert "default/m1 in network default/vn1 is not ready" in reason(snapshot)
    assert "no number" in reason(snapshot)


def test_an_address_that_is_not_success_names_its_network() -> None:
    snapshot = walkthrough(addresses=[])

    assert "no v4 InstanceIP in network" in reason(snapshot)


def test_a_pending_address_tells_its_observation() -> None:
    pending = address("m1", "vn1", "", state="Pending")
    pending["spec"]["instanceIPFamily"] = "v4"
    pending["status"]["observation"] = "exhausted"
    first = next(iter(walkthrough().addresses_of_interface.get(("default", "m0"), ())))

    assert "v4 address in network default/vn1 is not ready (Pending: exhausted)" in reason(
        walkthrough(addresses=[first, pending])
    )


def test_every_family_of_the_network_is_waited_for() -> None:
    vn, pool = pod_network()
    both = network("vn1", 5, {"v4": "vn1-v4", "v6": "vn1-v6"})
    subnets = [
        pool,
        subnet("vn1-v4", "172.16.10.0/24", "172.16.10.1"),
        subnet("vn1-v6", "fd00::/64", "fd00::1"),
    ]

    assert "no v6 InstanceIP in network default/vn1" in reason(
        walkthrough(networks=[vn, both], subnets=subnets)
    )


def test_an_absent_network_is_named() -> None:
    assert "network default/vn1 does not exist" in reason(walkthrough(networks=pod_network()[:1]))


def test_an_address_that_is_plugged_for_another_pod_is_a_conflict() -> None:
    other = plugged(7, ip="172.16.10.2", network="vn1", container="old")
    snapshot = walkthrough(ports=[other])

    clash = conflict(snapshot, ready(snapshot))

    assert clash is not None
    assert (
        "172.16.10.2 of network default/vn1 is still plugged for pod default/pod-7" in clash.reason
    )


def test_the_same_address_in_another_network_is_no_conflict() -> None:
    snapshot = walkthrough(ports=[plugged(7, ip="172.16.10.2", network="red", vni=6)])

    assert conflict(snapshot, ready(snapshot)) is None


def test_an_address_that_was_taken_from_a_silenced_port_is_no_conflict() -> None:
    """Its network came back with other addresses; the port is silent until its pod goes."""
    snapshot = walkthrough()
    old = plugged(7, ip="172.16.10.2", network="vn1", container="old")
    lost = address("vmi-7", "vn1", "172.16.10.2", state="Pending")
    vmi = interface("vmi-7", "vn1", "1/2", mac=old.attachment.mac, pod="pod-7")
    everything = Snapshot.of(
        interfaces=[*snapshot.interfaces.values(), vmi],
        addresses=[lost],
        ports=[old],
    )

    assert conflict(everything, ready(snapshot)) is None
