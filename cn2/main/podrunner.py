"""`cn2 podrunner`: the kubelet's part on one node, in the node's network namespace."""

from __future__ import annotations

import asyncio
import os
import sys
from argparse import Namespace
from pathlib import Path

import structlog
from yarl import URL

from cn2.api.kinds import SERVICE
from cn2.client import Client, kubeconfig
from cn2.client.events import Events
from cn2.client.health import Health
from cn2.client.informer import Informer
from cn2.drivers.cgroups import Cgroups
from cn2.main.process import arguments, run
from cn2.podrunner.cni import Cni, CniFailed
from cn2.podrunner.host_view import host_view
from cn2.podrunner.machine import this_machine
from cn2.podrunner.nodes import capacity
from cn2.podrunner.registration import Registration
from cn2.podrunner.runner import PodRunner
from cn2.podrunner.sandbox import Sandboxes, host_mounts
from cn2.podrunner.server import PodServer
from cn2.podrunner.services import Node
from cn2.podrunner.sources import Sources

log = structlog.get_logger(__name__)


def _options(argv: list[str]) -> Namespace:
    parser = arguments("podrunner", "Runs the pods of one node and registers the node.")
    parser.add_argument("--node", required=True, help="name of the node")
    parser.add_argument(
        "--node-ip", action="append", required=True, help="address of the node; may be repeated"
    )
    parser.add_argument(
        "--pod-cidr", action="append", default=[], help="block of the node's pods; may be repeated"
    )
    parser.add_argument("--data-dir", type=Path, required=True, help="the system's data directory")
    parser.add_argument("--socket", type=Path, required=True, help="unix socket for exec and logs")
    parser.add_argument("--native-dir", type=Path, required=True, help="where cn2-init is")
    parser.add_argument("--cni-bin-dir", type=Path, required=True)
    parser.add_argument("--cni-conf-dir", type=Path, required=True)
    parser.add_argument("--cluster-dns", default="", help="nameserver in the pods' resolv.conf")
    return parser.parse_args(argv)


def main(argv: list[str]) -> int:
    """Run until SIGTERM; the pods go on without us."""
    options = _options(argv)

    async def work(health: Health) -> None:
        client = Client.from_kubeconfig(options.kubeconfig, manager="kubelet")
        try:
            await serve(options, client, health)
        finally:
            await client.close()

    return run("podrunner", options, work)


async def serve(options: Namespace, client: Client, health: Health) -> None:
    """The whole process but for its signals and its client; until cancelled."""
    data_dir = Path(os.path.realpath(options.data_dir))
    cgroups = Cgroups.found()
    if cgroups.missing:
        log.warning("no limits for pods: no such control group (v1)", missing=cgroups.missing)
    mounts = host_mounts()
    events = Events(client, "kubelet", host=options.node)
    services = Informer(client, SERVICE)
    machine = this_machine(data_dir)
    node = Node(
        name=options.node,
        address=options.node_ip[0],
        data_dir=data_dir,
        client=client,
        events=events,
        sandboxes=Sandboxes(options.native_dir / "cn2-init", mounts),
        cni=Cni(options.cni_bin_dir, options.cni_conf_dir),
        cgroups=cgroups,
        host=host_view(data_dir, mounts),
        sources=Sources(client),
        services=services.objects.values,
        capacity=capacity(machine),
        dns=options.cluster_dns,
        api=_api_address(options.kubeconfig),
    )
    runner = PodRunner(node)
    registration = Registration(
        client,
        options.node,
        machine,
        addresses=tuple(options.node_ip),
        pod_cidrs=tuple(options.pod_cidr),
        conf_dir=options.cni_conf_dir,
        problem=lambda: _network_problem(node.cni),
    )
    health.ready("pods", lambda: runner.pods.problem)
    health.ready("node", lambda: "" if registration.registered else "not registered yet")
    server = PodServer(runner.find, data_dir, cgroups)
    async with server.serve(options.socket), asyncio.TaskGroup() as group:
        group.create_task(events.run(), name="events")
        group.create_task(registration.run(), name="registration")
        group.create_task(services.run(), name="services")
        await services.synced.wait()
        group.create_task(runner.run(), name="runner")


def _api_address(path: Path) -> tuple[str, int]:
    server = URL(kubeconfig.load(path).server)
    return server.host or "", server.port or 443


def _network_problem(cni: Cni) -> str:
    """In kubelet's words, which people search for."""
    try:
        cni.configuration()
    except CniFailed as error:
        return f"container runtime network not ready: NetworkPluginNotReady: {error}"
    return ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
