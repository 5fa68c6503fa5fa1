"""One object of each kind, as a user or a controller writes it."""

from __future__ import annotations

from typing import Any

CORE = "core.contrail.juniper.net/v1alpha1"
CLUSTER = "contrail-k8s-kubemanager-mk"
CLUSTER_NAMESPACE = CLUSTER + "-contrail"
UID = "118ec02f-e0aa-4b1c-8d00-4deb2d1d3b6d"


def ref(kind: str, name: str, namespace: str = "", **more: Any) -> dict[str, Any]:
    value = {"apiVersion": CORE, "kind": kind, "name": name, **more}
    return {**value, "namespace": namespace} if namespace else value


def meta(name: str, namespace: str = "", **more: Any) -> dict[str, Any]:
    value = {"name": name, "uid": UID, "creationTimestamp": "2022-08-19T20:58:39Z", **more}
    return {**value, "namespace": namespace} if namespace else value


POD_SPEC = {"containers": [{"name": "main", "image": "nginx:1.25"}]}
TEMPLATE = {"metadata": {"labels": {"app": "web"}}, "spec": POD_SPEC}
SELECTOR = {"matchLabels": {"app": "web"}}
SUCCESS = {"state": "Success", "observation": ""}

EXAMPLES: dict[str, dict[str, Any]] = {
    "ControllerRevision": {
        "metadata": meta("web-84bb86c7f8", "default"),
        "data": {"spec": {"template": {**TEMPLATE, "$patch": "replace"}}},
        "revision": 1,
    },
    "Job": {
        "metadata": meta("pi", "default"),
        "spec": {
            "completions": 3,
            "parallelism": 2,
            "completionMode": "Indexed",
            "template": {"spec": {**POD_SPEC, "restartPolicy": "Never"}},
        },
        "status": {"succeeded": 1, "active": 2, "startTime": "2022-08-19T20:58:39Z"},
    },
    "CronJob": {
        "metadata": meta("nightly", "default"),
        "spec": {
            "schedule": "0 3 * * *",
            "timeZone": "Europe/Berlin",
            "jobTemplate": {"spec": {"template": {"spec": {**POD_SPEC, "restartPolicy": "Never"}}}},
        },
        "status": {"lastScheduleTime": "2022-08-19T20:58:39Z"},
    },
    "VirtualNetwork": {
        "metadata": meta("vn1", "default"),
        "spec": {
            "v4SubnetReference": ref("Subnet", "vn1-v4", "default"),
            "routeTargetList": ["target:23:4561"],
            "importRouteTargetList": ["target:10.2.2.2:561"],
            "exportRouteTargetList": ["target:10.1.1.1:561"],
        },
        "status": {**SUCCESS, "virtualNetworkNetworkId": 5},
    },
    "Subnet": {
        "metadata": meta("vn1-v4", "default"),
        "spec": {"cidr": "172.16.10.0/24"},
        "status": {**SUCCESS, "allocationUsage": "1.56%", "ipCount": 4},
    },
    "RoutingInstance": {
        "metadata": meta("vn1", "default"),
        "spec": {
            "parent": ref("VirtualNetwork", "vn1", "default", uid=UID),
            "routeTargetReferences": [
                ref("RouteTarget", "target-10.1.1.1-561", attributes={"importExport": "export"}),
                ref("RouteTarget", "target-10.2.2.2-561", attributes={"importExport": "import"}),
                ref("RouteTarget", "target-23-4561"),
            ],
        },
        "status": {
            **SUCCESS,
            "isDefault": True,
            "defaultRouteTargetReference": ref("RouteTarget", "target-64512-8000009"),
        },
    },
    "RouteTarget": {"metadata": meta("target-64512-8000009"), "spec": {}, "status": SUCCESS},
    "VirtualNetworkRouter": {
        "metadata": meta("DefaultServiceNetwork", CLUSTER_NAMESPACE),
        "spec": {
            "type": "hub",
            "virtualNetworkSelector": {
                "matchLabels": {"core.juniper.net/virtualnetwork": "default-servicenetwork"}
            },
            "import": {
                "virtualNetworkRouters": [
                    {
                        "namespaceSelector": {"matchLabels": {"a": "b"}},
                        "virtualNetworkRouterSelector": {
                            "matchExpressions": [{"key": "a", "operator": "Exists"}]
                        },
                    }
                ]
            },
        },
        "status": SUCCESS,
    },
    "VirtualMachine": {
        "metadata": meta(f"{CLUSTER}-nginx-438edddb"),
        "spec": {
            "serverType": "container",
            "serverName": "nginx",
            "serverNamespace": "default",
            "serverClusterName": "",
        },
        "status": SUCCESS,
    },
    "VirtualMachineInterface": {
        "metadata": meta(
            "vn1-pod-b03c1981",
            "default",
            annotations={
                "kube-manager.juniper.net/pod-name": "vn1-pod",
                "kube-manager.juniper.net/pod-namespace": "default",
                "kube-manager.juniper.net/pod-cluster-name": CLUSTER,
                "interface": "eth1",
                "index": "1/1",
            },
        ),
        "spec": {
            "parent": {"apiVersion": "v1", "kind": "Namespace", "name": "default", "uid": UID},
            "virtualNetworkReference": ref("VirtualNetwork", "vn1", "default"),
            "virtualMachineReferences": [ref("VirtualMachine", "vm")],
            "allowedAddressPairs": {
                "allowedAddressPair": [
                    {
                        "ip": {"ipPrefix": "10.0.0.0", "ipPrefixLen": 24},
                        "addressMode": "active-standby",
                    }
                ]
            },
        },
        "status": SUCCESS,
    },
    "InstanceIP": {
        "metadata": meta(f"{CLUSTER}-vn1-pod-f7921747"),
        "spec": {
            "instanceIPAddress": "172.16.10.2",
            "cidr": "172.16.10.0/24",
            "virtualNetworkReference": ref("VirtualNetwork", "vn1", "default"),
            "virtualMachineInterfaceReferences": [
                ref("VirtualMachineInterface", "vn1-pod-b03c1981", "default")
            ],
        },
        "status": {**SUCCESS, "subnetReference": ref("Subnet", "vn1-v4", "default")},
    },
    "FloatingIP": {
        "metadata": meta("fip"),
        "spec": {
            "floatingIPAddress": "10.96.0.10",
            "floatingIPPortMappings": {
                "portMappings": [{"srcPort": 8080, "dstPort": 80, "protocol": "TCP"}]
            },
            "parent": ref("InstanceIP", "iip"),
            "virtualMachineInterfaceReferences": [
                ref("VirtualMachineInterface", "a", "default"),
                ref("VirtualMachineInterface", "b", "default"),
            ],
        },
        "status": SUCCESS,
    },
    "BGPRouter": {
        "metadata": meta("mx", "contrail"),
        "spec": {
            "parent": ref("RoutingInstance", "default", "contrail"),
            "bgpRouterParameters": {
                "address": "192.168.1.1",
                "identifier": "192.168.1.1",
                "routerType": "router",
                "addressFamilies": {"family": ["inet-vpn", "e-vpn"]},
            },
            "bgpRouterReferences": [
                ref(
                    "BGPRouter",
                    "control",
                    "contrail",
                    attributes={"session": [{"sessionAttributes": [{"holdTime": 90}]}]},
                )
            ],
        },
        "status": SUCCESS,
    },
    "BGPAsAService": {
        "metadata": meta("bgp", "default"),
        "spec": {"autonomousSystem": 65000, "virtualMachineInterfacesSelector": [SELECTOR]},
    },
    "GlobalSystemConfig": {"metadata": meta("default-global-system-config"), "spec": {}},
    "GlobalVrouterConfig": {
        "metadata": meta("default-global-vrouter-config"),
        "spec": {
            "parent": ref("GlobalSystemConfig", "default-global-system-config"),
            "encapsulationPriorities": {"encapsulation": ["VXLAN"]},
            "portTranslationPools": {"pools": [{"protocol": "tcp", "portCount": 4096}]},
        },
    },
    "VirtualRouter": {
        "metadata": meta("minikube", labels={"core.juniper.net/clusterName": ""}),
        "spec": {
            "parent": ref("GlobalSystemConfig", "default-global-system-config"),
            "virtualRouterIPAddress": "192.168.177.47",
            "virtualMachineReferences": [ref("VirtualMachine", f"{CLUSTER}-nginx-438edddb")],
        },
        "status": SUCCESS,
    },
    "TagType": {"metadata": meta("role"), "status": {**SUCCESS, "tagTypeId": "23"}},
    "Tag": {
        "metadata": meta("tag-7965fbc5d9"),
        "spec": {"tagTypeName": "role", "tagValue": "webserver"},
        "status": {**SUCCESS, "tagId": "1507334"},
    },
    "AddressGroup": {
        "metadata": meta("10.0.0.0-24", "default"),
        "spec": {"addressGroupPrefixes": {"subnet": [{"ipPrefix": "10.0.0.0", "ipPrefixLen": 24}]}},
    },
    "FirewallRule": {
        "metadata": meta("rule", "default"),
        "spec": {
            "actionList": {"simpleAction": "pass"},
            "service": {"protocol": "tcp", "dstPorts": {"startPort": 80, "endPort": 80}},
            "endpoint1": {"tags": ["role=client"]},
            "endpoint2": {"any": True},
            "direction": ">",
        },
    },
    "FirewallPolicy": {
        "metadata": meta("policy", "default"),
        "spec": {
            "firewallRuleReferences": [
                ref("FirewallRule", "rule", "default", attributes={"sequence": "1.000000"})
            ]
        },
    },
    "ApplicationPolicySet": {
        "metadata": meta("set", "default"),
        "spec": {"firewallPolicyReferences": [ref("FirewallPolicy", "policy", "default")]},
    },
    "MirrorDestination": {"metadata": meta("mirror"), "spec": {"udpPort": 8099}},
    "Pool": {"metadata": meta("virtual-network-id-pool"), "capacity": 10, "count": 1, "max": 10},
    "ApiServer": {"metadata": meta("a", "contrail-system"), "spec": {"etcdServers": ["e"]}},
    "Controller": {"metadata": meta("c", "contrail-system"), "spec": {"common": {"replicas": 1}}},
    "Kubemanager": {
        "metadata": meta("contrail-k8s-kubemanager", "contrail"),
        "spec": {
            "podV4Subnet": "10.244.0.0/16",
            "externalNetworkSelectors": {
                "default-external": {"networkSelector": SELECTOR, "namespaceSelector": {}}
            },
        },
    },
    "Control": {"metadata": meta("contrail-control", "contrail"), "spec": {"logLocal": True}},
    "Vrouter": {
        "metadata": meta("contrail-vrouter-masters", "contrail"),
        "spec": {"agent": {"default": {"logFlow": True}}, "cni": {"metaPlugin": "multus"}},
    },
    "NetworkAttachmentDefinition": {
        "metadata": meta(
            "vn1",
            "default",
            annotations={"juniper.net/networks": '{"ipamV4Subnet": "172.16.10.0/24"}'},
        ),
        "spec": {"config": '{\n"cniVersion": "0.3.1", "name": "vn1", "type": "contrail-k8s-cni"}'},
    },
    "Namespace": {"metadata": meta("default"), "status": {"phase": "Active"}},
    "Node": {
        "metadata": meta("minikube", labels={"node-role.kubernetes.io/control-plane": ""}),
        "spec": {"podCIDR": "10.244.0.0/24"},
        "status": {
            "addresses": [{"type": "InternalIP", "address": "192.168.177.47"}],
            "capacity": {"cpu": "2", "pods": 110},
            "conditions": [{"type": "Ready", "status": "True"}],
            "nodeInfo": {"kubeletVersion": "v1.32.0"},
        },
    },
    "Pod": {
        "metadata": meta("vn1-pod", "default", annotations={"k8s.v1.cni.cncf.io/networks": "vn1"}),
        "spec": POD_SPEC,
    },
    "Service": {
        "metadata": meta("kube-dns", "kube-system"),
        "spec": {
            "clusterIP": "10.96.0.10",
            "selector": {"k8s-app": "kube-dns"},
            "ports": [
                {"name": "dns", "port": 53, "protocol": "UDP"},
                {"name": "dns-tcp", "port": 53, "targetPort": "dns"},
            ],
        },
    },
    "Endpoints": {
        "metadata": meta("kube-dns", "kube-system"),
        "subsets": [{"addresses": [{"ip": "10.244.0.2"}], "ports": [{"port": 53}]}],
    },
    "EndpointSlice": {
        "metadata": meta("kube-dns-abcde", "kube-system"),
        "addressType": "IPv4",
        "endpoints": [{"addresses": ["10.244.0.2"], "conditions": {"ready": True}}],
        "ports": [{"port": 53, "protocol": "UDP"}],
    },
    "Event": {
        "metadata": meta("vn1-pod.1", "default"),
        "involvedObject": {"kind": "Pod", "namespace": "default", "name": "vn1-pod"},
        "reason": "Started",
        "message": "Started container main",
        "type": "Normal",
        "count": 2,
        "lastTimestamp": "2022-08-19T20:58:39Z",
        "eventTime": None,
    },
    "ConfigMap": {"metadata": meta("c", "default"), "data": {"a": "b"}},
    "Secret": {"metadata": meta("s", "default"), "stringData": {"a": "b"}},
    "ServiceAccount": {"metadata": meta("default", "default")},
    "Deployment": {
        "metadata": meta("web", "default"),
        "spec": {"selector": SELECTOR, "template": TEMPLATE},
    },
    "ReplicaSet": {
        "metadata": meta("web-1", "default"),
        "spec": {"selector": SELECTOR, "template": TEMPLATE},
    },
    "DaemonSet": {
        "metadata": meta("web", "default"),
        "spec": {"selector": SELECTOR, "template": TEMPLATE},
    },
    "StatefulSet": {
        "metadata": meta("web", "default"),
        "spec": {"selector": SELECTOR, "serviceName": "web", "template": TEMPLATE},
    },
    "Lease": {
        "metadata": meta("node", "kube-node-lease"),
        "spec": {"holderIdentity": "node", "renewTime": "2022-08-19T20:58:39.123456Z"},
    },
    "Role": {
        "metadata": meta("r", "default"),
        "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}],
    },
    "ClusterRole": {"metadata": meta("r"), "rules": [{"nonResourceURLs": ["/"], "verbs": ["*"]}]},
    "RoleBinding": {
        "metadata": meta("b", "default"),
        "roleRef": {"kind": "Role", "name": "r"},
        "subjects": [{"kind": "ServiceAccount", "name": "default", "namespace": "default"}],
    },
    "ClusterRoleBinding": {
        "metadata": meta("b"),
        "roleRef": {"kind": "ClusterRole", "name": "r"},
        "subjects": [{"kind": "User", "name": "jane"}],
    },
    "Ingress": {
        "metadata": meta("web", "default"),
        "spec": {
            "rules": [
                {
                    "host": "example.com",
                    "http": {
                        "paths": [
                            {
                                "path": "/",
                                "pathType": "Prefix",
                                "backend": {"service": {"name": "web", "port": {"number": 80}}},
                            }
                        ]
                    },
                }
            ]
        },
    },
    "IngressClass": {"metadata": meta("plain"), "spec": {"controller": "example.com/plain"}},
    "LimitRange": {
        "metadata": meta("l", "default"),
        "spec": {"limits": [{"type": "Container", "default": {"cpu": "100m"}, "max": {"cpu": 1}}]},
    },
    "PersistentVolume": {
        "metadata": meta("pv"),
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "capacity": {"storage": "1Gi"},
            "hostPath": {"path": "/data"},
        },
    },
    "PersistentVolumeClaim": {
        "metadata": meta("pvc", "default"),
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
        },
    },
    "PodDisruptionBudget": {
        "metadata": meta("web", "default"),
        "spec": {"minAvailable": "50%", "selector": SELECTOR},
    },
    "PriorityClass": {"metadata": meta("high"), "value": 1000},
    "ResourceQuota": {"metadata": meta("q", "default"), "spec": {"hard": {"pods": 3}}},
    "ReplicationController": {
        "metadata": meta("web", "default"),
        "spec": {"selector": {"app": "web"}, "template": TEMPLATE},
    },
    "CustomResourceDefinition": {"metadata": meta("a.example.com"), "spec": {"group": "b"}},
    "StorageClass": {"metadata": meta("slow"), "provisioner": "example.com/none"},
    "NetworkPolicy": {
        "metadata": meta("p", "default"),
        "spec": {
            "podSelector": {},
            "ingress": [{"from": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}}]}],
        },
    },
}
