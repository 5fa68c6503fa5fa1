"""What the client side of every process counts, served at /metrics."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

INFORMER_OBJECTS = Gauge("cn2_informer_objects", "Objects in the local copy.", ["resource"])
INFORMER_RESTARTS = Counter("cn2_informer_restarts", "Watches that ended.", ["resource"])
QUEUE_DEPTH = Gauge("cn2_queue_depth", "Keys waiting to be reconciled.", ["controller"])
RECONCILES = Counter("cn2_reconciles", "Reconciles by their end.", ["controller", "result"])
RECONCILE_SECONDS = Histogram(
    "cn2_reconcile_seconds",
    "How long a reconcile took.",
    ["controller"],
    buckets=(0.001, 0.005, 0.02, 0.1, 0.5, 2, 10),
)
EVENTS_DROPPED = Counter("cn2_events_dropped", "Events not written, by why.", ["reason"])
LEADING = Gauge("cn2_leading", "1 while this process holds its Lease.", ["lease"])
