"""The same transcript for a system with other names, its expectations from published formulas.

The formulas are written here once more, from the reference and not from the program: FNV-1a 32 for
name suffixes, SHA3-224 for label keys, used / 2^(host bits) for a subnet's usage.
"""

from __future__ import annotations

import hashlib
import re

CLUSTER, NODE, NODE_ADDRESS = "lab-seven", "east-1", "172.20.5.9"
NAMESPACE, NETWORK = "team-a", "zone1"
CIDR, GATEWAY, FIRST = "192.168.64.0/22", "192.168.64.1", "192.168.64.2"
BROADCAST = "192.168.67.255"
USAGE = f"{(3 + 1) / 2 ** (32 - 22) * 100:.2f}%"
TARGETS = {"23:4561": "42:77", "10.2.2.2:561": "10.9.9.9:5", "10.1.1.1:561": "10.8.8.8:5"}

_OLD_CLUSTER = "contrail-k8s-kubemanager-mk"
_NEW_CLUSTER = f"contrail-k8s-kubemanager-{CLUSTER}"


def fnv(*parts: str) -> str:
    value = 0x811C9DC5
    for byte in "".join(parts).encode():
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return f"{value:08x}"


def sha3(text: str) -> str:
    return hashlib.sha3_224(text.encode()).hexdigest()


def _suffixes() -> dict[str, str]:
    """Old suffix -> new suffix, for every name in the transcript that ends in one."""
    cluster, ns, pod = _NEW_CLUSTER, NAMESPACE, f"{NETWORK}-pod"
    pods = (_NEW_CLUSTER + "-contrail", "default-podnetwork", "0")
    coredns = "coredns-558bd4d5db-r6nck"
    return {
        "3e420ca1": fnv(cluster, ns, "another-nginx"),
        "9cb64c64": fnv(cluster, "kube-system", coredns),
        "438edddb": fnv(cluster, ns, "nginx"),
        "c478b06e": fnv(cluster, ns, pod),
        "a2db2a41": fnv(ns, "another-nginx", "default-podnetwork", "0"),
        "3fa02bbb": fnv(ns, "nginx", "default-podnetwork", "0"),
        "9789f5cc": fnv(ns, pod, "default-podnetwork", "0"),
        "b03c1981": fnv(ns, pod, NETWORK, "1"),
        "65f2e48a": fnv(cluster, ns, "another-nginx", *pods, "v4"),
        "81396e95": fnv(cluster, "kube-system", coredns, *pods, "v4"),
        "9e2dcf80": fnv(cluster, ns, "nginx", *pods, "v4"),
        "2d7e67a3": fnv(cluster, ns, pod, *pods, "v4"),
        "f7921747": fnv(cluster, ns, pod, ns, NETWORK, "1", "v4"),
        "e0c7a4a3": fnv(cluster, "kube-system", "kube-dns", "v4", "ClusterIP"),
        "5a7e6fd4": fnv(cluster, "contrail-system", "contrail-api", "v4", "ClusterIP"),
        "55dee962": fnv(cluster, ns, "frontend", "v4", "ClusterIP"),
    }


def _references(suffixes: dict[str, str]) -> dict[str, str]:
    """What back-reference labels of the transcript name -> what they name here."""
    machines = {
        f"{_OLD_CLUSTER}-coredns-558bd4d5db-r6nck-": "9cb64c64",
        f"{_OLD_CLUSTER}-nginx-": "438edddb",
        f"{_OLD_CLUSTER}-another-nginx-": "3e420ca1",
        f"{_OLD_CLUSTER}-vn1-pod-": "c478b06e",
    }
    found = {"Subnet_default_vn1-v4": f"Subnet_{NAMESPACE}_{NETWORK}-v4"}
    for old, new in (*TARGETS.items(), ("64512:8000009", "64512:8000009")):
        names = [f"RouteTarget_target-{value.replace(':', '-')}" for value in (old, new)]
        found[names[0]] = names[1]
    for stem, suffix in machines.items():
        renamed = stem.replace(_OLD_CLUSTER, _NEW_CLUSTER).replace("vn1", NETWORK)
        found[f"VirtualMachine_{stem}{suffix}"] = f"VirtualMachine_{renamed}{suffixes[suffix]}"
    return found


def translate(command: str, text: str) -> str:
    """A command or an answer of the transcript as it reads in the other system."""
    suffixes = _suffixes()
    tokens: dict[str, str] = {}

    def keep(value: str) -> str:
        token = f"\x00{len(tokens)}\x00"
        tokens[token] = value
        return token

    for old, new in _references(suffixes).items():
        text = text.replace(sha3(old), keep(sha3(new)))
        text = text.replace(f"={old[:63]}", keep(f"={new[:63].rstrip('-_.')}"))
    parents = {
        "default/VirtualNetwork/vn1": f"{NAMESPACE}/VirtualNetwork/{NETWORK}",
    }
    for old, new in parents.items():
        text = text.replace(sha3(old), keep(sha3(new)))
    for old, new in suffixes.items():
        text = text.replace(old, keep(new))
    for old, new in TARGETS.items():
        for separator in (":", "-"):
            text = text.replace(old.replace(":", separator), keep(new.replace(":", separator)))
    for old, new in (
        ("172.16.10.0/24", CIDR),
        ("172.16.10.1", GATEWAY),
        ("172.16.10.255", BROADCAST),
        ("172.16.10.2/24", f"{FIRST}/22"),
        ("172.16.10.2", FIRST),
        ("1.56%", USAGE),
        ("192.168.177.47", NODE_ADDRESS),
        (_OLD_CLUSTER, _NEW_CLUSTER),
    ):
        text = re.sub(rf"{re.escape(old)}(?!\d)", keep(new), text)
    text = re.sub(r"\bminikube\b", keep(NODE), text)
    text = re.sub(r"\bvn1\b", keep(NETWORK), text)
    text = text.replace('"default/', f'"{keep(NAMESPACE)}/')
    if not command.startswith(("kubectl exec", "kubectl explain")):
        text = re.sub(r'(?<![\w"\x00-])default(?![\w"\x00-])', keep(NAMESPACE), text)
    for token, value in reversed(tokens.items()):
        text = text.replace(token, value)
    return text
