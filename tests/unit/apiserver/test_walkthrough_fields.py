"""The managedFields that the walkthrough's describe outputs show, for the kinds as served."""

import copy

import pytest

from cn2.api.kind import Family
from cn2.api.kinds import by_name
from cn2.apiserver.fields import record_update

REFERENCE = {"apiVersion": "a", "kind": "k", "name": "n", "namespace": "ns", "uid": "u"}
LEAVES = {"f:apiVersion": {}, "f:kind": {}, "f:name": {}, "f:uid": {}}
SUCCESS = {"state": "Success", "observation": ""}


def written(kind_name, steps):
    """The fieldsV1 of each manager after `steps`: (manager, metadata, the rest) merged in turn."""
    kind, old = by_name(kind_name), None
    obj = {"apiVersion": kind.api_version, "kind": kind_name, "metadata": {"name": "x"}}
    for second, (manager, metadata, rest) in enumerate(steps):
        new = copy.deepcopy(obj)
        new["metadata"].update(metadata)
        new.update(rest)
        record_update(
            old,
            new,
            manager=manager,
            api_version=kind.api_version,
            subresource="",
            now=f"2022-08-19T20:58:{second:02}Z",
            schema=kind.schema,
            typed=kind.family is not Family.CRD,
        )
        old = obj = new
    return [entry["fieldsV1"] for entry in obj["metadata"]["managedFields"]]


def test_network_attachment_definition():
    kubectl = {"juniper.net/networks": "{}", "kubectl.kubernetes.io/last-applied-configuration": ""}
    both = {**kubectl, "juniper.net/networks-status": "success"}
    finalizer = "virtual-network.finalizers.kube-manager.juniper.net"
    assert written(
        "NetworkAttachmentDefinition",
        [
            ("kubectl-client-side-apply", {"annotations": kubectl}, {"spec": {"config": "{}"}}),
            ("kubemanager", {"annotations": both, "finalizers": [finalizer]}, {}),
        ],
    ) == [
        {
            "f:metadata": {
                "f:annotations": {".": {}, **{f"f:{key}": {} for key in kubectl}},
            },
            "f:spec": {".": {}, "f:config": {}},
        },
        {
            "f:metadata": {
                "f:annotations": {"f:juniper.net/networks-status": {}},
                "f:finalizers": {".": {}, f'v:"{finalizer}"': {}},
            }
        },
    ]


def test_virtual_network():
    spec = {
        "exportRouteTargetList": ["target:1:1"],
        "fabricSNAT": False,
        "v4SubnetReference": {**REFERENCE, "resourceVersion": "1"},
        "virtualNetworkProperties": {"forwardingMode": "l2_l3", "rpf": "enable"},
    }
    status = {**SUCCESS, "virtualNetworkNetworkId": 5}
    assert written(
        "VirtualNetwork",
        [
            ("kubemanager", {"annotations": {"juniper.net/nad-name": "vn1"}}, {"spec": spec}),
            ("manager", {"finalizers": ["f"]}, {"status": status}),
        ],
    ) == [
        {
            "f:metadata": {"f:annotations": {".": {}, "f:juniper.net/nad-name": {}}},
            "f:spec": {
                "f:exportRouteTargetList": {},
                "f:fabricSNAT": {},
                "f:v4SubnetReference": {
                    ".": {},
                    **LEAVES,
                    "f:namespace": {},
                    "f:resourceVersion": {},
                },
                "f:virtualNetworkProperties": {"f:forwardingMode": {}, "f:rpf": {}},
            },
        },
        {
            "f:metadata": {"f:finalizers": {".": {}, 'v:"f"': {}}},
            "f:status": {"f:observation": {}, "f:state": {}, "f:virtualNetworkNetworkId": {}},
        },
    ]


def test_routing_instance():
    owner = {
        "apiVersion": "a",
        "blockOwnerDeletion": True,
        "controller": True,
        "kind": "VirtualNetwork",
        "name": "vn1",
        "uid": "e8",
    }
    target = {"apiVersion": "a", "attributes": {}, "kind": "RouteTarget", "name": "t"}
    status = {**SUCCESS, "isDefault": True, "defaultRouteTargetReference": target}
    spec = {"parent": REFERENCE, "routeTargetReferences": [REFERENCE]}
    [fields] = written(
        "RoutingInstance",
        [
            ("manager", {"ownerReferences": [owner]}, {"spec": spec}),
            ("manager", {}, {"status": status}),
        ],
    )
    assert fields == {
        "f:metadata": {
            "f:ownerReferences": {
                ".": {},
                'k:{"uid":"e8"}': {".": {}, **{f"f:{key}": {} for key in owner}},
            }
        },
        "f:spec": {
            "f:parent": {**LEAVES, "f:namespace": {}},
            "f:routeTargetReferences": {},
        },
        "f:status": {
            "f:defaultRouteTargetReference": {
                ".": {},
                "f:apiVersion": {},
                "f:attributes": {},
                "f:kind": {},
                "f:name": {},
            },
            "f:isDefault": {},
            "f:observation": {},
            "f:state": {},
        },
    }


def test_virtual_router():
    machine = {"apiVersion": "a", "kind": "VirtualMachine", "name": "m", "uid": "43"}
    first = {"virtualRouterIPAddress": "192.168.177.47"}
    [_manager, kubemanager] = written(
        "VirtualRouter",
        [
            ("manager", {}, {"spec": first, "status": SUCCESS}),
            ("kubemanager", {}, {"spec": {**first, "virtualMachineReferences": [machine]}}),
        ],
    )
    assert kubemanager == {
        "f:spec": {
            "f:virtualMachineReferences": {
                ".": {},
                'k:{"uid":"43"}': {".": {}, **LEAVES},
            }
        }
    }


def test_virtual_network_router():
    selector = {"matchLabels": {"core.juniper.net/virtualnetwork": "default-servicenetwork"}}
    spec = {
        "import": {"virtualNetworkRouters": [{"virtualNetworkRouterSelector": selector}]},
        "type": "hub",
        "virtualNetworkSelector": selector,
    }
    [fields] = written("VirtualNetworkRouter", [("manager", {}, {"spec": spec})])
    assert fields == {
        "f:spec": {
            "f:import": {"f:virtualNetworkRouters": {}},
            "f:type": {},
            "f:virtualNetworkSelector": {},
        }
    }


@pytest.mark.parametrize(
    ("kind", "spec", "status"),
    [
        (
            "Subnet",
            {"cidr": "172.16.10.0/24", "defaultGateway": "172.16.10.1"},
            {**SUCCESS, "allocationUsage": "1.56%", "ipCount": 4},
        ),
        ("RouteTarget", {}, {"state": "Success"}),
    ],
)
def test_kinds_with_plain_fields(kind, spec, status):
    found = written(
        kind, [("kubemanager", {}, {"spec": spec}), ("manager", {}, {"status": status})]
    )
    expected = [{"f:spec": {f"f:{key}": {} for key in spec}}] if spec else []
    assert found == [*expected, {"f:status": {f"f:{key}": {} for key in status}}]


def test_pod_containers_are_owned_one_by_one():
    [fields] = written("Pod", [("kubectl", {}, {"spec": {"containers": [{"name": "c"}]}})])
    assert fields == {
        "f:spec": {"f:containers": {'k:{"name":"c"}': {".": {}, "f:name": {}}}},
    }
