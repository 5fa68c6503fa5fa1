"""Numbers: sizes, what is reserved, whose they are by name, and the lowest free one."""

from __future__ import annotations

import copy
from ipaddress import ip_address

from hypothesis import given
from hypothesis import strategies as st
from kind_examples import CLUSTER, CLUSTER_NAMESPACE, EXAMPLES, meta

from cn2.api import pools
from cn2.api.kind import Claim, Object
from cn2.api.kinds import (
    INSTANCE_IP,
    NETWORK_ATTACHMENT_DEFINITION,
    ROUTING_INSTANCE,
    SERVICE,
    VIRTUAL_NETWORK,
)
from cn2.net.prefix import usage


def subnet(cidr: str, gateway: str = "") -> Object:
    spec = {"cidr": cidr, **({"defaultGateway": gateway} if gateway else {})}
    return {"metadata": meta("vn1-v4", "default"), "spec": spec}


def test_an_empty_subnet_has_three_addresses_in_use() -> None:
    spec = pools.subnet_pool(subnet("172.16.10.0/24"))
    assert spec is not None
    assert spec.name == "subnet-id-pool-Subnet-default-vn1-v4"
    assert usage(pools.used(spec, ()), spec.capacity) == "1.17%"
    assert usage(pools.used(spec, (2,)), spec.capacity) == "1.56%"
    assert pools.lowest_free(spec, ()) == 2


def test_a_claimed_reserved_number_counts_once() -> None:
    spec = pools.subnet_pool(subnet("172.16.10.0/24"))
    assert spec is not None
    assert pools.used(spec, (1, 2)) == 4


def test_the_published_pool_of_the_pod_subnet() -> None:
    spec = pools.subnet_pool(subnet("10.232.0.0/14"))
    assert spec is not None
    obj = pools.pool_object(spec, range(2, 156))
    assert obj["capacity"] == 262144
    assert obj["max"] == 262143
    assert obj["reserved"] == [0, 262143, 1]
    assert obj["count"] == 157


def test_a_gateway_elsewhere_frees_the_first_host_address() -> None:
    spec = pools.subnet_pool(subnet("10.0.0.0/29", "10.0.0.6"))
    assert spec is not None
    assert pools.lowest_free(spec, ()) == 1
    assert pools.lowest_free(spec, (1, 2, 3, 4, 5)) is None


def test_a_slash_30_gives_one_address_and_a_slash_31_none() -> None:
    tiny = pools.subnet_pool(subnet("10.0.0.0/30"))
    none = pools.subnet_pool(subnet("10.0.0.0/31"))
    assert tiny is not None and none is not None
    assert pools.lowest_free(tiny, ()) == 2
    assert pools.lowest_free(tiny, (2,)) is None
    assert pools.lowest_free(none, ()) is None


def test_sizes_beyond_63_bits_are_cut() -> None:
    spec = pools.subnet_pool(subnet("fd00::/48"))
    assert spec is not None
    obj = pools.pool_object(spec, ())
    assert obj["capacity"] == obj["max"] == (1 << 63) - 1
    assert spec.capacity == 1 << 80


def test_the_first_users_numbers() -> None:
    vni = pools.pool_spec(pools.VIRTUAL_NETWORK_POOL, lambda *_: None)
    number = pools.pool_spec(pools.ROUTE_TARGET_POOL, lambda *_: None)
    assert vni is not None and number is not None
    assert pools.lowest_free(vni, ()) == 5
    assert pools.lowest_free(number, (8000000, 8000003)) == 8000009
    assert pools.lowest_free(number, (8000009, 8000011)) == 8000010


def test_numbers_of_system_objects() -> None:
    def vni(name: str) -> int | None:
        return pools.system_id(pools.VIRTUAL_NETWORK_POOL, f"VirtualNetwork/{name}")

    assert vni("contrail/link-local") == 1
    assert vni(f"{CLUSTER_NAMESPACE}/default-podnetwork") == 2
    assert vni("contrail/ip-fabric") == 3
    assert vni(f"{CLUSTER_NAMESPACE}/default-servicenetwork") == 4
    assert vni("default/default-podnetwork") is None
    assert vni("default/vn1") is None

    def number(name: str) -> int | None:
        return pools.system_id(pools.ROUTE_TARGET_POOL, f"RoutingInstance/{name}")

    assert number("contrail/default") == 8000000
    assert number(f"{CLUSTER_NAMESPACE}/default-servicenetwork") == 8000004
    assert number("contrail/DefaultIPFabricNetwork") == 8000008
    assert number("default/vn1") is None


def test_a_pools_name_can_mean_several_subnets() -> None:
    found = pools.subnets_of_pool("subnet-id-pool-Subnet-a-b-c")
    assert found == [("a", "b-c"), ("a-b", "c")]
    wanted = subnet("10.0.0.0/24")
    spec = pools.pool_spec(
        "subnet-id-pool-Subnet-default-vn1-v4",
        lambda namespace, name: wanted if (namespace, name) == ("default", "vn1-v4") else None,
    )
    assert spec == pools.subnet_pool(wanted)
    assert pools.pool_spec("subnet-id-pool-Subnet-x-y", lambda *_: None) is None
    assert pools.pool_spec("nonsense", lambda *_: None) is None


@given(
    st.sets(st.integers(0, 31)),
    st.integers(0, 40),
    st.lists(st.integers(0, 31), max_size=4),
)
def test_lowest_free_is_the_lowest_of_all_free_ones(
    taken: set[int], start: int, reserved: list[int]
) -> None:
    spec = pools.PoolSpec(name="p", first=0, last=31, reserved=tuple(reserved))
    free = [i for i in range(start, 32) if i not in taken and i not in reserved]
    assert pools.lowest_free(spec, sorted(taken), start) == (free[0] if free else None)


def test_what_objects_claim() -> None:
    assert VIRTUAL_NETWORK.claims is not None and ROUTING_INSTANCE.claims is not None
    assert INSTANCE_IP.claims is not None and SERVICE.claims is not None
    assert VIRTUAL_NETWORK.claims(EXAMPLES["VirtualNetwork"]) == [
        Claim("virtual-network-id-pool", 5, "VirtualNetwork/default/vn1")
    ]
    assert ROUTING_INSTANCE.claims(EXAMPLES["RoutingInstance"]) == [
        Claim("route-target-number-pool", 8000009, "RoutingInstance/default/vn1")
    ]
    assert INSTANCE_IP.claims(EXAMPLES["InstanceIP"]) == [
        Claim("subnet-id-pool-Subnet-default/vn1-v4", 2, f"InstanceIP/{CLUSTER}-vn1-pod-f7921747")
    ]
    assert SERVICE.claims(EXAMPLES["Service"]) == [
        Claim("service-ip-pool", int(ip_address("10.96.0.10")), "Service/kube-system/kube-dns")
    ]
    for kind in (VIRTUAL_NETWORK, ROUTING_INSTANCE, INSTANCE_IP, SERVICE):
        assert kind.claims is not None
        assert kind.claims({"metadata": meta("x", "y"), "spec": {}}) == []


def test_subnets_whose_pools_look_the_same_share_no_claim() -> None:
    assert INSTANCE_IP.claims is not None
    address = copy.deepcopy(EXAMPLES["InstanceIP"])
    claimed = []
    for namespace, name in (("a-b", "c"), ("a", "b-c")):
        address["status"]["subnetReference"].update(namespace=namespace, name=name)
        [claim] = INSTANCE_IP.claims(address)
        spec = pools.subnet_pool(
            {"metadata": meta(name, namespace), "spec": {"cidr": "10.0.0.0/24"}}
        )
        assert spec is not None and spec.claims == claim.pool
        assert spec.name == "subnet-id-pool-Subnet-a-b-c"
        claimed.append(claim)
    assert claimed[0] != claimed[1]


def test_the_pool_of_cluster_addresses_follows_the_service_block() -> None:
    spec = pools.pool_spec(pools.SERVICE_POOL, lambda *_: None, "10.64.0.0/24")
    assert spec is not None
    assert spec.capacity == 256
    assert pools.lowest_free(spec, ()) == int(ip_address("10.64.0.16"))


def test_headless_services_claim_nothing() -> None:
    assert SERVICE.claims is not None
    assert SERVICE.claims({"metadata": meta("x", "y"), "spec": {"clusterIP": "None"}}) == []


def test_a_living_definition_wants_its_network_and_its_instance() -> None:
    wants = NETWORK_ATTACHMENT_DEFINITION.wants
    assert wants is not None
    nad = copy.deepcopy(EXAMPLES["NetworkAttachmentDefinition"])
    assert wants(nad) == ["VirtualNetwork/default/vn1", "RoutingInstance/default/vn1"]
    nad["metadata"]["deletionTimestamp"] = "2022-08-19T20:58:39Z"
    assert wants(nad) == []
    assert wants({"metadata": meta("plain", "default")}) == []
