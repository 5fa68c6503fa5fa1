"""What the agent counts, served at /metrics."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import REGISTRY, Collector

PORTS = Gauge("cn2_agent_ports", "Interfaces that are plugged on this node.")
PLUG_SECONDS = Histogram(
    "cn2_agent_plug_seconds",
    "How long a pod's plug took once its objects were there and it had its turn.",
    buckets=(0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.2, 1),
)
CNI_CALLS = Counter("cn2_agent_cni_calls", "CNI calls by command and end.", ["command", "code"])

Drops = Callable[[], Mapping[str, int]]
"""Packets dropped since the datapath was loaded, by reason."""


class DropCollector(Collector):
    """Reads the datapath's drop counters whenever metrics are asked for."""

    def __init__(self, drops: Drops) -> None:
        self._drops = drops
        REGISTRY.register(self)

    def close(self) -> None:
        """Stop being asked."""
        REGISTRY.unregister(self)

    def collect(self) -> Iterator[CounterMetricFamily]:
        """The counters as Prometheus wants them."""
        family = CounterMetricFamily(
            "cn2_agent_dropped_packets", "Packets that the datapath dropped.", labels=["reason"]
        )
        for reason, packets in self._drops().items():
            family.add_metric([reason], packets)
        yield family

    def describe(self) -> list[CounterMetricFamily]:
        """Nothing in advance: registering must not read the datapath."""
        return []
