"""What the server counts, under kube-apiserver's names."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

from cn2.apiserver.request import Answer, Reply

_REQUESTS = Counter("apiserver_request", "Requests answered.", ["verb", "resource", "code"])
_SECONDS = Histogram(
    "apiserver_request_duration_seconds",
    "Time from a request to its answer (of a stream: to its start).",
    ["verb", "resource"],
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0),
)
STREAMS = Gauge("apiserver_longrunning_requests", "Streams and tunnels that are open.")


def observe(verb: str, resource: str, answer: Answer, seconds: float) -> None:
    code = str(answer.status) if isinstance(answer, Reply) else "200"
    _REQUESTS.labels(verb, resource, code).inc()
    _SECONDS.labels(verb, resource).observe(seconds)
