"""An answer is sent when what it says is on the disk: seen in the server's own system calls."""

from __future__ import annotations

import re
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from cut_client import Credentials, CutClient, Exchange
from machine import Machine

pytestmark = [pytest.mark.e2e, pytest.mark.root, pytest.mark.timeout(120)]

CALLS = "fdatasync,fsync,pwrite64,write,writev,sendto,sendmsg"
_BEGIN = re.compile(r"^(\d+) +([\d.]+) (\w+)\((.*?)(?:\) += (-?\d+).*| <unfinished \.\.\.>)$")
_RESUMED = re.compile(r"^(\d+) +[\d.]+ <\.\.\. (\w+) resumed>.*\) += (-?\d+)")
WRITERS, EACH = 8, 6


@dataclass(slots=True)
class Call:
    """One system call. `begin` and `end` are lines of the trace: the tracer holds each caller
    until it has noted what it does, so their order is the order of causes."""

    name: str
    text: str
    at: float
    """Epoch seconds of its begin."""
    begin: int
    end: int | None = None
    result: int | None = None


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    with Machine() as machine:
        yield machine


@contextmanager
def traced(pid: int, trace: Path) -> Iterator[None]:
    """Write every call of CALLS of a process to `trace`, with the files and peers behind the
    descriptors and all of what is written."""
    tracer = subprocess.Popen(
        ["strace", "-f", "-qq", "-ttt", "-yy", "-s", "200000", "-e", f"trace={CALLS}"]
        + ["-o", str(trace), "-p", str(pid)]
    )
    try:
        while _tracer_of(pid) != tracer.pid:
            assert tracer.poll() is None, "strace could not attach"
            time.sleep(0.01)
        yield
    finally:
        tracer.terminate()
        tracer.wait()


def _tracer_of(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("TracerPid:")[2].split()[0])


def calls(trace: Path) -> list[Call]:
    found: list[Call] = []
    open_: dict[tuple[str, str], Call] = {}
    for number, line in enumerate(trace.read_text(errors="replace").splitlines()):
        if match := _RESUMED.match(line):
            thread, name, result = match.groups()
            call = open_.pop((thread, name), None)
            if call is not None:
                call.end, call.result = number, int(result)
        elif match := _BEGIN.match(line):
            thread, at, name, text, answer = match.groups()
            call = Call(name, text, float(at), number)
            found.append(call)
            if answer is None:
                open_[thread, name] = call
            else:
                call.end, call.result = number, int(answer)
    return found


@dataclass(frozen=True, slots=True)
class Written:
    """A write as its client saw it, in epoch seconds."""

    token: str
    port: int
    sent: float
    answered: float


def order_of(write: Written, trace: list[Call]) -> tuple[int, int, int]:
    """Lines at which the commit was written to the log, the log was synced, the answer began."""

    def first(what: str, names: str, fits: Callable[[Call], bool]) -> Call:
        for call in trace:
            if call.name in names.split() and fits(call):
                return call
        raise AssertionError(f"{write.token}: {what} was never seen")

    log = "cn2.db-wal"
    logged = first("the commit", "pwrite64", lambda call: write.token in call.text)
    assert log in logged.text and logged.end is not None
    after = logged.end
    synced = first("a sync", "fdatasync fsync", lambda c: log in c.text and c.begin > after)
    assert synced.result == 0 and synced.end is not None
    peer = f":{write.port}]>"
    answer = first(
        "the answer",
        "write writev sendto sendmsg",
        lambda c: peer in c.text.partition(",")[0] and write.sent < c.at < write.answered,
    )
    return logged.end, synced.end, answer.begin


def write(client: CutClient, token: str) -> list[Written]:
    """Create a ConfigMap and change it."""
    place = "/api/v1/namespaces/default/configmaps"
    body = {"metadata": {"name": token}, "data": {"a": f"{token}-a"}}
    done = [_timed(client, f"{token}-a", "POST", place, body)]
    change = {"data": {"a": f"{token}-b"}}
    patch = "application/merge-patch+json"
    return [*done, _timed(client, f"{token}-b", "PATCH", f"{place}/{token}", change, patch)]


def _timed(client: CutClient, token: str, *request: object) -> Written:
    sent = time.time()
    exchange: Exchange = client.send(*request)  # type: ignore[arg-type]
    assert exchange.good, exchange
    return Written(token, client.local_port, sent, time.time())


def test_no_answer_before_the_sync(machine: Machine, tmp_path: Path) -> None:
    """One writer alone, then eight at once: of each write, the log's sync ends before the answer
    to its client begins; and of the eight, some share a sync."""
    credentials = Credentials(machine.data_dir / "kubeconfig")
    pid = int((machine.data_dir / "run/apiserver.pid").read_text().split()[0])
    clients = [CutClient(credentials) for _ in range(WRITERS)]
    for client in clients:
        client.send("GET", "/version")
    written: list[Written] = []

    def work(number: int) -> None:
        for count in range(EACH):
            written.extend(write(clients[number], f"durable-{number}-{count}"))

    with traced(pid, trace := tmp_path / "trace"):
        alone = write(clients[0], "durable-alone")
        threads = [threading.Thread(target=work, args=(number,)) for number in range(WRITERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    seen = calls(trace)
    together = [order_of(one, seen) for one in written]

    assert len(written) == WRITERS * EACH * 2
    for logged, synced, answered in [*(order_of(one, seen) for one in alone), *together]:
        assert logged < synced < answered
    assert len({synced for _, synced, _ in together}) < len(together), "some shared a sync"
