"""What people may not delete while others use it, and who may all the same."""

from __future__ import annotations

from typing import Any

from cn2.apiserver.request import User

CORE = "/apis/core.contrail.juniper.net/v1alpha1"
SUBNETS = f"{CORE}/namespaces/default/subnets"
GROUP_VERSION = "core.contrail.juniper.net/v1alpha1"


async def with_address(api: Any) -> str:
    """A Subnet and the path of an InstanceIP that has an address of it."""
    await api.create(SUBNETS, {"metadata": {"name": "s"}, "spec": {"cidr": "10.0.0.0/24"}})
    spec = {"instanceIPAddress": "10.0.0.2", "cidr": "10.0.0.0/24"}
    await api.create(f"{CORE}/instanceips", {"metadata": {"name": "i"}, "spec": spec})
    subnet = {"apiVersion": GROUP_VERSION, "kind": "Subnet", "namespace": "default", "name": "s"}
    await api.merge(f"{CORE}/instanceips/i/status", {"status": {"subnetReference": subnet}})
    return f"{CORE}/instanceips/i"


async def test_a_subnet_with_addresses_is_not_deleted_by_hand(api: Any) -> None:
    address = await with_address(api)
    refused = await api("DELETE", f"{SUBNETS}/s")
    assert (refused.status, refused.reason) == (409, "Conflict")
    assert "InstanceIP/i" in refused.message

    await api("DELETE", address)
    assert (await api("DELETE", f"{SUBNETS}/s")).status == 200


async def test_a_subnet_goes_with_its_definition_though_it_has_addresses(api: Any) -> None:
    await with_address(api)
    component = User("system:cn2:kubemanager", ("system:masters",))
    assert (await api("DELETE", f"{SUBNETS}/s", user=component)).status == 200


async def test_a_tag_type_stays_while_a_tag_refers_to_it(api: Any) -> None:
    await api.create(f"{CORE}/tagtypes", {"metadata": {"name": "tier"}})
    reference = {"apiVersion": GROUP_VERSION, "kind": "TagType", "name": "tier"}
    spec = {"tagTypeName": "tier", "tagValue": "web", "tagTypeReference": reference}
    await api.create(f"{CORE}/tags", {"metadata": {"name": "web"}, "spec": spec})
    refused = await api("DELETE", f"{CORE}/tagtypes/tier")
    assert refused.status == 409
    assert "Tag web refers to it" in refused.message

    await api("DELETE", f"{CORE}/tags/web")
    assert (await api("DELETE", f"{CORE}/tagtypes/tier")).status == 200
