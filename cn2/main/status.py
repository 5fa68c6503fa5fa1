"""What `cn2 status` does: asks supervisor, agent and API, as far as they answer."""

from __future__ import annotations

import os
from typing import Any

from cn2.cli import status as view
from cn2.client.http import Client
from cn2.main.console import command, fail
from cn2.supervisor import control
from cn2.supervisor.census import components
from cn2.supervisor.layout import Layout


def running(layout: Layout) -> dict[str, Any]:
    """What the supervisor says; a system without one is said to the user."""
    if layout.run.exists() and not os.access(layout.run, os.X_OK):
        raise fail([f"{layout.root} belongs to another user: run this with sudo."])
    system = control.status(layout.socket)
    if system is not None:
        return system
    alive = components(layout) if layout.used else []
    if alive:
        raise fail(
            [
                f"The supervisor is gone, and {len(alive)} of its processes go on: "
                f"`{command('up', layout)}` starts another one, "
                f"`{command('down', layout)}` ends all."
            ]
        )
    raise fail([f"No system runs in {layout.root}: start one with `{command('up', layout)}`."])


async def report(layout: Layout, system: dict[str, Any]) -> dict[str, Any]:
    """The whole state of a system."""
    dropped = {system["node"]: await view.drops(layout.health_socket("agent"))}
    system["refused"] = await view.refused(layout.health_socket("apiserver"))
    client = Client.from_kubeconfig(layout.kubeconfig, manager="cn2")
    try:
        return await view.collect(client, system, dropped)
    finally:
        await client.close()
