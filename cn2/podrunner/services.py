"""What all pods of a node share."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cn2.api.kind import Object
from cn2.client import Client
from cn2.client.events import Events
from cn2.drivers.cgroups import Cgroups
from cn2.podrunner.cni import Cni
from cn2.podrunner.host_view import Host
from cn2.podrunner.sandbox import Sandboxes
from cn2.podrunner.sources import Sources


@dataclass(frozen=True, slots=True)
class Node:
    """The node, and the means to run pods on it."""

    name: str
    address: str
    data_dir: Path
    client: Client
    events: Events
    sandboxes: Sandboxes
    cni: Cni
    cgroups: Cgroups
    host: Host
    sources: Sources
    services: Callable[[], Iterable[Object]]
    """The Services that there are, of all namespaces."""
    capacity: Mapping[str, str] = field(default_factory=dict)
    """Of the node, by resource."""
    dns: str = ""
    api: tuple[str, int] | None = None
    """Host and port of the API server; pods get a way to it."""
    clock: Callable[[], float] = time.time
    """Epoch seconds; jumps when it is set."""
    tick: Callable[[], float] = time.monotonic
