"""From just before a write is sent to the event at each of several watchers."""

from __future__ import annotations

import multiprocessing
import time

from bench.raw_client import Connection, Server
from bench.subjects import Subject

WRITES = 200
PAUSE = 0.02
"""Seconds between writes, so that each stands for itself."""

_fork = multiprocessing.get_context("fork")


def fan_out(subject: Subject, server: Server, watchers: int) -> list[float]:
    """Seconds of every event at every watcher."""
    ready = _fork.Barrier(watchers + 1)
    results: multiprocessing.Queue[list[float]] = _fork.Queue()
    writer = server.connect()
    watching = subject.watch(writer)

    def work() -> None:
        times: list[float] = []

        def arrived(piece: bytes) -> bool:
            times.extend([time.perf_counter()] * piece.count(subject.event))
            return len(times) >= WRITES

        connection = server.connect()
        connection.send(watching)
        ready.wait()
        while not arrived(connection.receive()):
            pass
        results.put(times)

    readers = [_fork.Process(target=work) for _ in range(watchers)]
    for reader in readers:
        reader.start()
    ready.wait()
    sent = _write(subject, writer)
    found = [results.get() for _ in readers]
    for reader in readers:
        reader.join()
    return [at - began for times in found for at, began in zip(times, sent, strict=False)]


def _write(subject: Subject, connection: Connection) -> list[float]:
    sent = []
    for number in range(WRITES):
        change = subject.change("object-0", number)
        sent.append(time.perf_counter())
        connection.ask(change)
        time.sleep(PAUSE)
    return sent
