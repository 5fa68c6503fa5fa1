"""Objects as the controllers write them, for the tests of the node's plan and of the agent."""

from __future__ import annotations

from typing import Any

from cn2.plan.node.attachment import Address, Attachment, Network, Pair, Plugged

Object = dict[str, Any]
CLUSTER_NAMESPACE = "contrail-k8s-kubemanager-mk-contrail"


def subnet(name: str, cidr: str, gateway: str, namespace: str = "default") -> Object:
    return {
        "metadata": {"namespace": namespace, "name": name},
        "spec": {"cidr": cidr, "defaultGateway": gateway},
        "status": {"state": "Success"},
    }


def network(
    name: str, vni: int, subnets: dict[str, str], namespace: str = "default", **properties: str
) -> Object:
    references = {
        f"{family}SubnetReference": {"kind": "Subnet", "namespace": namespace, "name": one}
        for family, one in subnets.items()
    }
    return {
        "metadata": {"namespace": namespace, "name": name, "uid": f"uid-{name}"},
        "spec": {"virtualNetworkProperties": properties, **references},
        "status": {"state": "Success", "virtualNetworkNetworkId": vni},
    }


def interface(
    name: str,
    network: str,
    index: str,
    *,
    mac: str,
    pod: str = "p1",
    uid: str = "u1",
    state: str = "Success",
    network_namespace: str = "default",
) -> Object:
    return {
        "metadata": {
            "namespace": "default",
            "name": name,
            "annotations": {
                "kube-manager.juniper.net/pod-name": pod,
                "kube-manager.juniper.net/pod-namespace": "default",
                "kube-manager.juniper.net/pod-uid": uid,
                "interface": "eth" + index.partition("/")[0],
                "index": index,
            },
        },
        "spec": {
            "virtualNetworkReference": {"namespace": network_namespace, "name": network},
            "virtualMachineReferences": [{"name": f"vm-{pod}", "uid": f"c5f180ab-{uid}"}],
            "virtualMachineInterfaceMacAddresses": {"macAddress": [mac]},
        },
        "status": {"state": state, "observation": ""},
    }


def address(
    vmi: str, network: str, ip: str, *, state: str = "Success", network_namespace: str = "default"
) -> Object:
    family = "v6" if ":" in ip else "v4"
    return {
        "metadata": {"name": f"iip-{vmi}-{family}"},
        "spec": {
            "instanceIPAddress": ip,
            "instanceIPFamily": family,
            "virtualNetworkReference": {"namespace": network_namespace, "name": network},
            "virtualMachineInterfaceReferences": [{"namespace": "default", "name": vmi}],
        },
        "status": {"state": state, "observation": ""},
    }


def pod_network() -> list[Object]:
    """default-podnetwork of the walkthrough, and its subnet."""
    return [
        network("default-podnetwork", 2, {"v4": "pods-v4"}, CLUSTER_NAMESPACE),
        subnet("pods-v4", "10.244.0.0/16", "10.244.0.1", CLUSTER_NAMESPACE),
    ]


def plugged(
    ifindex: int,
    *,
    ip: str = "10.0.0.2",
    network: str = "blue",
    vni: int = 5,
    mode: str = "l2_l3",
    container: str = "",
    vmi: str = "",
    uid: str = "u1",
    pairs: tuple[Pair, ...] = (),
    rpf: bool = True,
    vrf: int = 0,
) -> Plugged:
    """A port as its record says."""
    return Plugged(
        attachment=Attachment(
            vmi=("default", vmi or f"vmi-{ifindex}"),
            pod=("default", f"pod-{ifindex}"),
            pod_uid=uid,
            vm_uid="c5f180ab-0000",
            index=0,
            name="eth0",
            mac=f"02:00:00:00:00:{ifindex % 256:02x}",
            network=Network("default", network, vni, mode, rpf, ("10.0.0.1",)),
            addresses=(Address(ip, 24, "10.0.0.1"),),
            pairs=pairs,
        ),
        container=container or f"c{ifindex}",
        netns=f"/run/netns/{ifindex}",
        ifindex=ifindex,
        host_name=f"tapeth0-{ifindex:06x}",
        vrf=vrf or vni,
    )
