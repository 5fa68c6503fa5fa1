"""The API server: requests per second, lists, watches, start, memory, beside etcd in one run."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from itertools import cycle, islice
from pathlib import Path

from bench.fan_out import fan_out
from bench.load import resident
from bench.measure import Figure, spread
from bench.raw_client import Round, Server, play
from bench.subjects import Etcd, Ours, Subject

CONNECTIONS = (1, 8, 32)
OBJECTS = 5000
ASKED = 3000
"""Requests of a round, spread over its connections."""
LISTS = {"list of 5,000": (0, 10), "list of 5,000, limit=500": (500, 40)}
WATCHERS = (1, 20)

RECORDED = "kube-apiserver, recorded"
_RECORDED = {
    "create, 8 at once": 847,
    "create, 32 at once": 996,
    "get, 1 at once": 841,
    "get, 8 at once": 2207,
    "get, 32 at once": 2137,
    "status patch, 1 at once": 279,
    "status patch, 8 at once": 531,
    "status patch, 32 at once": 750,
    "list of 5,000, p50": 261,
    "list of 5,000, limit=500, p50": 24,
    "write to event, 1 watchers, p50": 4.6,
    "write to event, 20 watchers, p50": 4.8,
    "start to ready, empty": 2.0,
    "start to ready, 5,000 objects": 1.7,
    "memory at 5,000 objects": 535,
}
"""Kubernetes 1.36 with etcd 3.6 on two such cores; rates in 1/s, p50 in ms, start in s, MiB."""

Quantity = tuple[float, str]
"""Value and unit."""


def run() -> list[Figure]:
    ours, etcd = _measured(Ours()), _measured(Etcd())
    figures = []
    for what, (value, unit) in ours.items():
        peer = etcd.get(what)
        figures.append(Figure(what, value, unit, Etcd.name if peer else "", peer and peer[0]))
        if what in _RECORDED:
            figures.append(Figure(what, value, unit, RECORDED, _RECORDED[what]))
    return figures


def _measured(subject: Subject) -> dict[str, Quantity]:
    found: dict[str, Quantity] = {}
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        began = time.perf_counter()
        with subject.running(root) as server:
            found["start to ready, empty"] = (time.perf_counter() - began, "s")
            found |= _requests(subject, server)
            found |= _lists(subject, server)
            for watchers in WATCHERS:
                what = f"write to event, {watchers} watchers"
                found |= _spread(what, fan_out(subject, server, watchers))
            found["memory at 5,000 objects"] = (resident(server.pid), "MiB")
        began = time.perf_counter()
        with subject.running(root):
            found["start to ready, 5,000 objects"] = (time.perf_counter() - began, "s")
    return found


def _requests(subject: Subject, server: Server) -> dict[str, Quantity]:
    """Creates until there are `OBJECTS`, then gets and status patches of these."""
    names = [f"object-{number}" for number in range(OBJECTS)]
    found: dict[str, Quantity] = {}
    rest = iter(names)
    for at_once in CONNECTIONS:
        asked = list(islice(rest, ASKED if at_once == CONNECTIONS[-1] else ASKED // 3))
        creates = [subject.create(name) for name in asked]
        found |= _figures("create", play(server, _dealt(creates, at_once)))
    for at_once in CONNECTIONS:
        gets = [subject.get(name) for name in islice(cycle(names), 2 * ASKED)]
        found |= _figures("get", play(server, _dealt(gets, at_once)))
    for at_once in CONNECTIONS:
        changes = [subject.change(name, at_once) for name in names[:ASKED]]
        found |= _figures("status patch", play(server, _dealt(changes, at_once)))
    return found


def _lists(subject: Subject, server: Server) -> dict[str, Quantity]:
    connection = server.connect()
    found: dict[str, Quantity] = {}
    for what, (limit, times) in LISTS.items():
        request, taken = subject.list(limit), []
        for _ in range(times):
            began = time.perf_counter()
            connection.ask(request)
            taken.append(time.perf_counter() - began)
        found |= _spread(what, taken)
    connection.close()
    return found


def _dealt(requests: Sequence[bytes], hands: int) -> list[Sequence[bytes]]:
    return [requests[first::hands] for first in range(hands)]


def _figures(verb: str, round_: Round) -> dict[str, Quantity]:
    what = f"{verb}, {round_.connections} at once"
    return {
        what: (round_.rate, "/s"),
        **_spread(what, round_.latencies),
        f"{what}, server": (round_.server_cpu / len(round_.latencies) * 1000, "ms CPU"),
        f"{what}, client": (round_.client_cpu / len(round_.latencies) * 1000, "ms CPU"),
    }


def _spread(what: str, seconds: Sequence[float]) -> dict[str, Quantity]:
    return {figure.what: (figure.value, figure.unit) for figure in spread(what, seconds)}
