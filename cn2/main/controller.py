"""`cn2 controller`: intent in CN2's terms to what follows from it."""

from __future__ import annotations

from cn2.client.health import Health
from cn2.client.http import Client
from cn2.controllers import core
from cn2.controllers.runner import Manager
from cn2.main import process

FIELD_MANAGER = "manager"
"""As in CN2, whose binary has that name."""

ELECTION_NAMESPACE = "contrail-system"


def main(argv: list[str]) -> int:
    """Run the controller until it is told to stop."""
    parser = process.arguments("controller", "allocates numbers and addresses, writes status")
    parser.add_argument(
        "--cluster-name",
        required=True,
        help="CN2's name of the cluster, e.g. contrail-k8s-kubemanager-mk",
    )
    parser.add_argument(
        "--enable-leader-election",
        action="store_true",
        help="work only while holding the Lease of this process; for several replicas",
    )
    options = parser.parse_args(argv)

    async def work(health: Health) -> None:
        client = Client.from_kubeconfig(options.kubeconfig, manager=FIELD_MANAGER)
        try:
            manager = Manager(
                client,
                "contrail-k8s-controller",
                health=health,
                election_namespace=ELECTION_NAMESPACE if options.enable_leader_election else "",
            )
            core.wire(manager, options.cluster_name)
            await manager.run()
        finally:
            await client.close()

    return process.run("controller", options, work)
