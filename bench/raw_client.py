"""A closed-loop HTTP/1.1 client with as little of its own as possible: one process a connection,
requests prepared as bytes, answers counted and not decoded."""

from __future__ import annotations

import multiprocessing
import socket
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.load import used

_fork = multiprocessing.get_context("fork")


@dataclass(frozen=True, slots=True)
class Server:
    """Where to connect, and with which certificate."""

    port: int
    ca: Path
    certificate: Path
    key: Path
    pid: int

    def connect(self) -> Connection:
        return Connection(self)


class Connection:
    """One TLS connection, kept open."""

    def __init__(self, server: Server) -> None:
        context = ssl.create_default_context(cafile=str(server.ca))
        context.load_cert_chain(server.certificate, server.key)
        plain = socket.create_connection(("127.0.0.1", server.port), timeout=60)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sock = context.wrap_socket(plain, server_hostname="127.0.0.1")
        self._buffer = memoryview(bytearray(1 << 20))

    def ask(self, request: bytes) -> int:
        """Sends one request and reads its answer; the answer's size. Raises on any failure."""
        self._sock.sendall(request)
        size = self._sock.recv_into(self._buffer)
        head, _, start = bytes(self._buffer[:size]).partition(b"\r\n\r\n")
        if not head.startswith((b"HTTP/1.1 200", b"HTTP/1.1 201")):
            raise RuntimeError(f"{head.decode()}\n{start.decode()}")
        lowered = head.lower()
        if b"content-length:" not in lowered:
            return self._chunked(start)
        length = int(lowered.partition(b"content-length:")[2].partition(b"\r\n")[0])
        left = length - len(start)
        while left > 0:
            left -= self._sock.recv_into(self._buffer)
        return length

    def send(self, request: bytes) -> None:
        self._sock.sendall(request)

    def receive(self) -> bytes:
        """The next piece of whatever comes."""
        return self._sock.recv(1 << 16)

    def _chunked(self, piece: bytes) -> int:
        size = len(piece)
        tail = piece[-7:]
        while not tail.endswith(b"0\r\n\r\n"):
            count = self._sock.recv_into(self._buffer)
            size += count
            tail = (tail + bytes(self._buffer[max(0, count - 7) : count]))[-7:]
        return size

    def close(self) -> None:
        self._sock.close()


def request(method: str, path: str, body: bytes = b"", media: str = "application/json") -> bytes:
    """A request as bytes."""
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: bench/1\r\n"
    head += "Accept: application/json\r\n"
    if body:
        head += f"Content-Type: {media}\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body


@dataclass(frozen=True, slots=True)
class Round:
    """What a run of many requests took. Times are in seconds."""

    connections: int
    latencies: list[float]
    elapsed: float
    server_cpu: float
    client_cpu: float

    @property
    def rate(self) -> float:
        return len(self.latencies) / self.elapsed


def play(server: Server, requests: Sequence[Sequence[bytes]]) -> Round:
    """Plays each sequence on a connection and in a process of its own, all at once."""
    ready = _fork.Barrier(len(requests) + 1)
    results: multiprocessing.Queue[tuple[list[float], float]] = _fork.Queue()

    def work(mine: Sequence[bytes]) -> None:
        connection = server.connect()
        ready.wait()
        before = time.process_time()
        taken = []
        for one in mine:
            began = time.perf_counter()
            connection.ask(one)
            taken.append(time.perf_counter() - began)
        results.put((taken, time.process_time() - before))

    workers = [_fork.Process(target=work, args=(mine,)) for mine in requests]
    for worker in workers:
        worker.start()
    ready.wait()
    cpu, began = used(server.pid), time.perf_counter()
    found = [results.get() for _ in workers]
    elapsed, cpu = time.perf_counter() - began, used(server.pid) - cpu
    for worker in workers:
        worker.join()
    latencies = [one for taken, _ in found for one in taken]
    return Round(len(requests), latencies, elapsed, cpu, sum(used for _, used in found))
