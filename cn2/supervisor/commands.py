"""The command line of each process of a system. Pure."""

from __future__ import annotations

import sys

from cn2.supervisor.layout import Layout
from cn2.supervisor.process import Command
from cn2.supervisor.settings import Settings

Environment = tuple[tuple[str, str], ...]


def _command(
    layout: Layout,
    name: str,
    arguments: list[str],
    environment: Environment = (),
    *,
    node: str = "",
) -> Command:
    return Command(
        name=name,
        arguments=(
            sys.executable,
            "-m",
            "cn2.main",
            name,
            *arguments,
            "--health-socket",
            str(layout.health_socket(name)),
        ),
        environment=environment,
        netns=layout.node_netns(node) if node else None,
    )


def _kubeconfig(layout: Layout, component: str) -> list[str]:
    return ["--kubeconfig", str(layout.component_kubeconfig(component))]


def apiserver(layout: Layout, settings: Settings) -> Command:
    return _command(
        layout,
        "apiserver",
        [
            *("--data-dir", str(layout.store)),
            *("--listen", f"127.0.0.1:{settings.port}"),
            *("--fabric-netns", str(layout.fabric_netns)),
            *("--fabric-address", f"{settings.fabric_address}:{FABRIC_PORT}"),
            *("--pki", str(layout.pki)),
            *("--nodes-dir", str(layout.nodes)),
            *("--cluster-name", settings.cluster),
            *("--service-cidr", settings.service_v4_subnet),
        ],
    )


def controller(layout: Layout, settings: Settings) -> Command:
    return _command(
        layout,
        "controller",
        [*_kubeconfig(layout, "controller"), "--cluster-name", settings.cluster],
    )


def kubemanager(layout: Layout, settings: Settings, environment: Environment) -> Command:
    """Subnets come from the Kubemanager object where it says them, else from `cn2 up`."""
    said = dict(environment)
    arguments = _kubeconfig(layout, "kubemanager")
    for flag, value in (
        ("pod-v4-subnet", settings.pod_v4_subnet),
        ("pod-v6-subnet", settings.pod_v6_subnet),
        ("service-v4-subnet", settings.service_v4_subnet),
    ):
        if value and "KUBEMANAGER_" + flag.upper().replace("-", "_") not in said:
            arguments += [f"--{flag}", value]
    return _command(layout, "kubemanager", arguments, environment)


def localkube(layout: Layout) -> Command:
    return _command(layout, "localkube", _kubeconfig(layout, "localkube"))


def agent(layout: Layout, settings: Settings, native: str) -> Command:
    node = layout.node(settings.node_name)
    return _command(
        layout,
        "agent",
        [
            *_kubeconfig(layout, "agent"),
            *("--node", settings.node_name),
            *("--node-ip", settings.node_address),
            *("--socket", str(node / "agent.sock")),
            *("--state-dir", str(node / "ports")),
            *("--bpf-dir", str(layout.bpf / settings.node_name)),
            *("--native-dir", native),
        ],
        node=settings.node_name,
    )


def podrunner(layout: Layout, settings: Settings, native: str) -> Command:
    node = layout.node(settings.node_name)
    return _command(
        layout,
        "podrunner",
        [
            *_kubeconfig(layout, "podrunner"),
            *("--node", settings.node_name),
            *("--node-ip", settings.node_address),
            *("--pod-cidr", settings.node_pod_cidr),
            *("--data-dir", str(layout.root)),
            *("--socket", str(node / "podrunner.sock")),
            *("--native-dir", native),
            *("--cni-bin-dir", native),
            *("--cni-conf-dir", str(node / "cni/net.d")),
        ],
        node=settings.node_name,
    )


FABRIC_PORT = 6443
"""TCP port of the API server inside the fabric, where it has an address of its own."""
