"""A pod's own /etc/hosts, /etc/hostname and /etc/resolv.conf, as kubelet writes them. Pure."""

from __future__ import annotations

from cn2.api.kind import Object
from cn2.podrunner.environment import Facts, hostname


def etc_files(pod: Object, facts: Facts, *, dns: str) -> dict[str, bytes]:
    """By name in /etc."""
    name = hostname(pod)
    lines = [
        "# Kubernetes-managed hosts file.",
        "127.0.0.1\tlocalhost",
        "::1\tlocalhost ip6-localhost ip6-loopback",
        "fe00::\tip6-localnet",
        "ff00::\tip6-mcastprefix",
        "ff02::1\tip6-allnodes",
        "ff02::2\tip6-allrouters",
        *("\t".join([address, *_names(pod)]) for address in facts.addresses),
    ]
    for alias in pod["spec"].get("hostAliases") or []:
        lines.append("\t".join([alias["ip"], *(alias.get("hostnames") or [])]))
    return {
        "hosts": "\n".join([*lines, ""]).encode(),
        "hostname": f"{name}\n".encode(),
        "resolv.conf": _resolver(pod, dns).encode(),
    }


def _names(pod: Object) -> list[str]:
    name, subdomain = hostname(pod), pod["spec"].get("subdomain")
    if not subdomain:
        return [name]
    return [f"{name}.{subdomain}.{pod['metadata']['namespace']}.svc.cluster.local", name]


def _resolver(pod: Object, dns: str) -> str:
    """Without a DNS server nothing is named, so that look-ups fail at once instead of waiting."""
    config = pod["spec"].get("dnsConfig") or {}
    namespace = pod["metadata"]["namespace"]
    servers = list(config.get("nameservers") or [])
    searches = list(config.get("searches") or [])
    options = []
    if dns and pod["spec"].get("dnsPolicy", "ClusterFirst") == "ClusterFirst":
        servers = [dns, *servers]
        searches = [f"{namespace}.svc.cluster.local", "svc.cluster.local", "cluster.local"]
        options = ["ndots:5"]
    for option in config.get("options") or []:
        value = option.get("value")
        options.append(option["name"] if value is None else f"{option['name']}:{value}")
    lines = [f"search {' '.join(searches)}"] if searches else []
    lines += [f"nameserver {server}" for server in servers]
    lines += [f"options {' '.join(options)}"] if options else []
    return "".join(f"{line}\n" for line in lines)
