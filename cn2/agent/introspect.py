"""What an agent tells about itself: its ports and what its datapath drops."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from cn2.agent.datapath import Datapath
from cn2.agent.kernel import Kernel
from cn2.agent.ports import Ports
from cn2.client.health import Health
from cn2.plan.node.attachment import Plugged
from cn2.plan.node.snapshot import Snapshot
from cn2.plan.node.stopping import stopped


def pages(
    health: Health,
    ports: Ports,
    datapath: Datapath,
    snapshot: Callable[[], Snapshot],
    kernel: Kernel,
) -> None:
    """Add the pages `ports`, `drops` and `rows` to the process's own."""

    async def show_ports() -> object:
        now, drops = snapshot(), kernel.port_drops()
        return [_port(port, now, drops.get(port.ifindex, {})) for port in ports.all.values()]

    async def show_drops() -> object:
        return dict(kernel.drops())

    async def show_rows() -> object:
        return sorted(repr(row) for row in datapath.rows())

    health.page("ports", show_ports)
    health.page("drops", show_drops)
    health.page("rows", show_rows)


def _port(port: Plugged, snapshot: Snapshot, drops: Mapping[str, int]) -> dict[str, object]:
    one = port.attachment
    return {
        "pod": "/".join(one.pod),
        "podUID": one.pod_uid,
        "container": port.container,
        "interface": one.name,
        "hostInterface": port.host_name,
        "ifindex": port.ifindex,
        "network": one.network.label,
        "vrf": port.vrf,
        "vni": one.network.vni,
        "mac": one.mac,
        "addresses": [address.with_prefix for address in one.addresses],
        "drops": dict(drops),
        "state": "Stopped" if stopped(snapshot, port) else "Active",
    }
