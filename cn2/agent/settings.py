"""What an agent is told when it starts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One node's agent."""

    node: str
    """Name of the Node; the agent watches the objects that carry it as a label."""
    node_ip: str
    """Underlay address, the tunnel end point of this node."""
    socket: Path
    """Where the CNI plugin finds the agent."""
    state_dir: Path
    """Keeps the ports' records; survives the agent."""
    mtu: int = 1500
    """MTU of pod interfaces, bytes (F15: pods show 1500)."""
    add_seconds: float = 60.0
    """How long an ADD waits for its objects; shorter than a runtime's patience, which then asks
    again."""
    sweep_seconds: float = 10.0
    """How often ports whose network namespace vanished without a DEL are looked for, and rows that
    something else changed are repaired."""
    reap_seconds: float = 0.1
    """How long unplugged links are gathered before one request deletes them all: a deletion costs
    20 ms alone and 0.5 ms in a batch."""
