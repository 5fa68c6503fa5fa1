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
    network = {
        "apiVersion": GROUP_VERSION,
        "kind": "VirtualNetwork",
        "namespace": "default",
        "name": "n",
    }
    spec = {
        "instanceIPAddress": "10.0.0.2",
        "cidr": "10.0.0.0/24",
        "virtualNetworkReference": network,
    }
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


async def test_what_a_running_pod_stands_on_stays(api: Any) -> None:
    """Its address would be free for others; when the pod is gone, or has ended, it may go."""
    containers = [{"name": "c", "image": "none"}]
    pods = "/api/v1/namespaces/default/pods"
    pod = {"metadata": {"name": "p"}, "spec": {"containers": containers, "nodeName": "n"}}
    made = await api.create(pods, pod)
    notes = {
        "kube-manager.juniper.net/pod-name": "p",
        "kube-manager.juniper.net/pod-namespace": "default",
        "kube-manager.juniper.net/pod-uid": made["metadata"]["uid"],
    }
    spec = {"serverName": "p", "serverNamespace": "default", "serverClusterName": ""}
    for name in ("m", "n"):
        machine = {"metadata": {"name": name, "annotations": notes}, "spec": spec}
        await api.create(f"{CORE}/virtualmachines", machine)
    refused = await api("DELETE", f"{CORE}/virtualmachines/m")
    component = User("system:cn2:kubemanager", ("system:masters",))

    assert refused.status == 409
    assert "Pod default/p uses it; it goes when the pod is deleted" in refused.message
    allowed = await api("DELETE", f"{CORE}/virtualmachines/n", user=component)
    assert allowed.status == 200
    await api.merge(f"{pods}/p/status", {"status": {"phase": "Succeeded"}})
    assert (await api("DELETE", f"{CORE}/virtualmachines/m")).status == 200


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
