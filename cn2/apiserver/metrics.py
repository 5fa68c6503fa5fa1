"""What the server counts, under kube-apiserver's names."""

from __future__ import annotations

from functools import cache

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


@cache
def _requests(verb: str, resource: str, code: int) -> Counter:
    return _REQUESTS.labels(verb, resource, str(code))


@cache
def _seconds(verb: str, resource: str) -> Histogram:
    return _SECONDS.labels(verb, resource)


def observe(verb: str, resource: str, answer: Answer, seconds: float) -> None:
    """`verb` and `resource` are those of authorization: few, and never what a client made up."""
    _requests(verb, resource, answer.status if isinstance(answer, Reply) else 200).inc()
    _seconds(verb, resource).observe(seconds)
