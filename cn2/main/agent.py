"""`cn2 agent`: one per node; serves CNI and programs the datapath.

Runs inside the node's network namespace. What it leaves behind when it ends, ports and pinned
maps, keeps carrying traffic until the next agent takes it over.
"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from cn2.agent.kernel import Kernel
from cn2.agent.loop import Agent
from cn2.agent.settings import Settings
from cn2.agent.vrouter import VRouter
from cn2.agent.watch import Watch
from cn2.client.health import Health
from cn2.client.http import Client
from cn2.main import process

MANAGER = "contrail-vrouter-agent"


def main(argv: Sequence[str] | None = None) -> int:
    """Parse flags and run the agent; the exit code."""
    parser = process.arguments("agent", "The agent of one node.")
    parser.add_argument("--node", required=True, help="name of this Node")
    parser.add_argument("--node-ip", required=True, help="address of this node on the underlay")
    parser.add_argument("--socket", type=Path, required=True, help="where the CNI plugin asks")
    parser.add_argument("--state-dir", type=Path, required=True, help="keeps what is plugged")
    parser.add_argument("--bpf-dir", type=Path, required=True, help="bpffs directory for the maps")
    parser.add_argument("--native-dir", type=Path, required=True, help="where vr.o is")
    parser.add_argument("--mtu", type=int, default=1500, help="MTU of pod interfaces, bytes")
    options = parser.parse_args(argv)
    return process.run("agent", options, lambda health: serve(options, health))


async def serve(options: Namespace, health: Health) -> None:
    """Serve this node until cancelled."""
    settings = Settings(
        node=options.node,
        node_ip=options.node_ip,
        socket=options.socket,
        state_dir=options.state_dir,
        mtu=options.mtu,
    )
    vrouter = VRouter.open(options.bpf_dir, options.native_dir)
    client = Client.from_kubeconfig(options.kubeconfig, manager=MANAGER)
    try:
        agent = Agent(
            settings,
            lambda ports: Watch(client, settings.node, settings.node_ip, ports),
            Kernel(vrouter, settings.mtu),
        )
        agent.health(health)
        await agent.run()
    finally:
        await client.close()


if __name__ == "__main__":
    sys.exit(main())
