"""`kubectl get` of the walkthrough, cell by cell."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from kind_examples import CLUSTER, CLUSTER_NAMESPACE, EXAMPLES, meta, ref

from cn2.api.kind import Kind, Object
from cn2.api.kinds import by_name


def shown(kind: Kind, obj: Object, *, wide: bool = False) -> dict[str, Any]:
    """Header to cell, as kubectl prints them (age left out); NAME first unless declared."""
    cells: dict[str, Any] = {}
    if all(column.name != "Name" for column in kind.columns):
        cells["NAME"] = obj["metadata"]["name"]
    for column in kind.columns:
        if column.priority and not wide:
            continue
        if column.cell is not None:
            cells[column.name.upper()] = column.cell(obj)
            continue
        value: Any = obj
        for key in column.path.strip(".").split("."):
            value = value.get(key) if isinstance(value, dict) else None
        cells[column.name.upper()] = value
    cells.pop("AGE", None)
    return cells


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        (
            "VirtualNetwork",
            {"NAME": "vn1", "VNI": 5, "IP FAMILIES": "v4", "STATE": "Success"},
        ),
        (
            "Subnet",
            {"NAME": "vn1-v4", "CIDR": "172.16.10.0/24", "USAGE": "1.56%", "STATE": "Success"},
        ),
        (
            "RoutingInstance",
            {"NAME": "vn1", "ROUTETARGET": "64512:8000009", "STATE": "Success"},
        ),
        (
            "VirtualMachine",
            {
                "NAME": f"{CLUSTER}-nginx-438edddb",
                "TYPE": "container",
                "WORKLOAD": "/default/nginx",
                "STATE": "Success",
            },
        ),
        (
            "VirtualMachineInterface",
            {
                "CLUSTERNAME": CLUSTER,
                "NAME": "vn1-pod-b03c1981",
                "NETWORK": "vn1",
                "PODNAME": "vn1-pod",
                "IFCNAME": "eth1",
                "STATE": "Success",
            },
        ),
        (
            "InstanceIP",
            {
                "NAME": f"{CLUSTER}-vn1-pod-f7921747",
                "IPADDRESS": "172.16.10.2",
                "NETWORK": "default/vn1",
                "STATE": "Success",
            },
        ),
        ("RouteTarget", {"NAME": "target-64512-8000009", "STATE": "Success"}),
        (
            "VirtualNetworkRouter",
            {"NAME": "DefaultServiceNetwork", "TYPE": "hub", "STATE": "Success"},
        ),
        ("VirtualRouter", {"NAME": "minikube", "IP": "192.168.177.47", "STATE": "Success"}),
        ("NetworkAttachmentDefinition", {"NAME": "vn1"}),
        (
            "FloatingIP",
            {
                "NAME": "fip",
                "IPADDRESS": "10.96.0.10",
                "INTERFACES": 2,
                "PORTMAPPING": "TCP/8080->80",
                "STATE": "Success",
            },
        ),
        (
            "Tag",
            {
                "NAME": "tag-7965fbc5d9",
                "TAGTYPE": "role",
                "TAGVALUE": "webserver",
                "ID": "1507334",
                "STATE": "Success",
            },
        ),
        (
            "FirewallRule",
            {
                "NAME": "rule",
                "SERVICE": "tcp/0:65535->80:80",
                "ENDPOINT1": "role=client",
                "DIRECTION": ">",
                "ENDPOINT2": "any",
                "ACTION": "pass",
                "STATE": None,
            },
        ),
        ("AddressGroup", {"NAME": "10.0.0.0-24", "SUBNETS": 1, "STATE": None}),
        ("FirewallPolicy", {"NAME": "policy", "RULES": 1, "STATE": None}),
        (
            "BGPRouter",
            {"NAME": "mx", "TYPE": "router", "IDENTIFIER": "192.168.1.1", "STATE": "Success"},
        ),
        (
            "Service",
            {
                "NAME": "kube-dns",
                "TYPE": None,
                "CLUSTER-IP": "10.96.0.10",
                "EXTERNAL-IP": "<none>",
                "PORT(S)": "53/UDP,53/TCP",
            },
        ),
        (
            "Node",
            {
                "NAME": "minikube",
                "STATUS": "Ready",
                "ROLES": "control-plane",
                "VERSION": "v1.32.0",
            },
        ),
        ("Endpoints", {"NAME": "kube-dns", "ENDPOINTS": "10.244.0.2:53"}),
        ("NetworkPolicy", {"NAME": "p", "POD-SELECTOR": "<none>"}),
        ("ConfigMap", {"NAME": "c", "DATA": 1}),
    ],
)
def test_cells(name: str, cells: dict[str, Any]) -> None:
    kind = by_name(name)
    actual = shown(kind, EXAMPLES[name])
    assert list(actual.items()) == list(cells.items())


def test_the_columns_of_vmi_begin_with_the_cluster() -> None:
    names = [column.name for column in by_name("VirtualMachineInterface").columns]
    assert names == ["ClusterName", "Name", "Network", "PodName", "IfcName", "State", "Age"]


def test_a_network_with_both_families_prints_v6_first() -> None:
    obj = copy.deepcopy(EXAMPLES["VirtualNetwork"])
    obj["spec"]["v6SubnetReference"] = ref("Subnet", "vn1-v6", "default")
    assert shown(by_name("VirtualNetwork"), obj)["IP FAMILIES"] == "v6,v4"


def test_a_service_address_shows_the_service_network() -> None:
    obj = {
        "metadata": meta("iip"),
        "spec": {
            "instanceIPAddress": "10.96.0.10",
            "virtualNetworkReference": ref(
                "VirtualNetwork", "default-servicenetwork", CLUSTER_NAMESPACE
            ),
        },
    }
    cells = shown(by_name("InstanceIP"), obj)
    assert cells["NETWORK"] == f"{CLUSTER_NAMESPACE}/default-servicenetwork"


def pod(**status: Any) -> Object:
    return {
        "metadata": meta("vn1-pod", "default"),
        "spec": {"containers": [{"name": "c"}], "nodeName": "minikube"},
        "status": {"phase": "Running", **status},
    }


def container(state: Object, *, ready: bool = False, restarts: int = 0) -> Object:
    return {"name": "c", "ready": ready, "restartCount": restarts, "state": state}


def test_a_running_pod_wide_as_in_the_walkthrough() -> None:
    obj = pod(
        podIP="10.244.0.5",
        podIPs=[{"ip": "10.244.0.5"}],
        containerStatuses=[container({"running": {}}, ready=True)],
    )
    assert shown(by_name("Pod"), obj, wide=True) == {
        "NAME": "vn1-pod",
        "READY": "1/1",
        "STATUS": "Running",
        "RESTARTS": "0",
        "IP": "10.244.0.5",
        "NODE": "minikube",
        "NOMINATED NODE": "<none>",
        "READINESS GATES": "<none>",
    }


@pytest.mark.parametrize(
    ("status", "word", "ready"),
    [
        ({"phase": "Pending"}, "Pending", "0/1"),
        (
            {
                "phase": "Pending",
                "containerStatuses": [container({"waiting": {"reason": "ContainerCreating"}})],
            },
            "ContainerCreating",
            "0/1",
        ),
        (
            {"containerStatuses": [container({"waiting": {"reason": "CrashLoopBackOff"}})]},
            "CrashLoopBackOff",
            "0/1",
        ),
        (
            {
                "phase": "Succeeded",
                "containerStatuses": [
                    container({"terminated": {"exitCode": 0, "reason": "Completed"}})
                ],
            },
            "Completed",
            "0/1",
        ),
        (
            {"containerStatuses": [container({"terminated": {"exitCode": 3}})]},
            "ExitCode:3",
            "0/1",
        ),
        (
            {"containerStatuses": [container({"terminated": {"exitCode": 137, "signal": 9}})]},
            "Signal:9",
            "0/1",
        ),
        ({"phase": "Failed", "reason": "Evicted"}, "Evicted", "0/1"),
    ],
)
def test_pod_status_words(status: Object, word: str, ready: str) -> None:
    cells = shown(by_name("Pod"), pod(**status))
    assert (cells["STATUS"], cells["READY"]) == (word, ready)


def test_a_sidecar_counts_as_a_container_once_it_has_started() -> None:
    obj = pod(
        initContainerStatuses=[
            {**container({"running": {}}, ready=True, restarts=2), "name": "s", "started": True}
        ],
        containerStatuses=[container({"running": {}}, ready=True, restarts=1)],
    )
    obj["spec"]["initContainers"] = [{"name": "s", "restartPolicy": "Always"}]
    cells = shown(by_name("Pod"), obj)
    assert (cells["READY"], cells["STATUS"], cells["RESTARTS"]) == ("2/2", "Running", "3")
    obj["status"]["initContainerStatuses"][0]["started"] = False
    assert shown(by_name("Pod"), obj)["STATUS"] == "Init:0/1"


def test_a_dying_pod_is_terminating() -> None:
    obj = pod(containerStatuses=[container({"running": {}}, ready=True)])
    obj["metadata"]["deletionTimestamp"] = "2022-08-19T20:58:39Z"
    assert shown(by_name("Pod"), obj)["STATUS"] == "Terminating"


def test_a_pod_with_init_containers_counts_them() -> None:
    obj = pod(
        phase="Pending",
        initContainerStatuses=[
            container({"terminated": {"exitCode": 0}}),
            container({"running": {}}),
        ],
    )
    obj["spec"]["initContainers"] = [{"name": "a"}, {"name": "b"}]
    assert shown(by_name("Pod"), obj)["STATUS"] == "Init:1/2"


def test_services_of_other_types() -> None:
    service = by_name("Service")
    external = {"metadata": meta("s"), "spec": {"type": "ExternalName", "externalName": "a.b"}}
    assert shown(service, external)["EXTERNAL-IP"] == "a.b"
    assert shown(service, external)["CLUSTER-IP"] == "<none>"
    balanced = {
        "metadata": meta("s"),
        "spec": {"type": "LoadBalancer", "ports": [{"port": 80, "nodePort": 30080}]},
    }
    assert shown(service, balanced)["EXTERNAL-IP"] == "<pending>"
    assert shown(service, balanced)["PORT(S)"] == "80:30080/TCP"
