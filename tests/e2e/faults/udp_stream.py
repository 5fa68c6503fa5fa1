"""A numbered stream of datagrams between two pods, 500 a second over each of their interfaces.

Both programs are the pods' own processes, started before anything is killed: they need nothing of
the system but its datapath. Each keeps its figures in a file that is replaced as a whole.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from machine import Machine
from networks import pod

RATE = 500
PORT = 7100
INTERFACES = ("eth0", "eth1")
_FIGURES, _STOP = "/tmp/figures", "/tmp/stop"

_SENDER = """
import fcntl, json, os, socket, struct, sys, time
rate, port, figures, stop, *targets = sys.argv[1:]
def keep(**values):
    with open(figures + ".new", "w") as file:
        json.dump(values, file)
    os.rename(figures + ".new", figures)
sockets = []
for number, target in enumerate(targets):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    name = struct.pack("256s", b"eth%d" % number)
    address = fcntl.ioctl(sock, 0x8915, name)[20:24]  # SIOCGIFADDR
    sock.bind((socket.inet_ntoa(address), 0))
    sock.connect((target, int(port) + number))
    sockets.append(sock)
began, count, failed = time.monotonic(), 0, 0
while not (count % 50 == 0 and os.path.exists(stop)):
    for sock in sockets:
        try:
            sock.send(struct.pack("!Q", count))
        except OSError:
            failed += 1
    count += 1
    if count % 50 == 0:
        keep(sent=count, failed=failed, ended=False)
    time.sleep(max(0.0, began + count / int(rate) - time.monotonic()))
keep(sent=count, failed=failed, ended=True)
time.sleep(1 << 30)
"""

_RECEIVER = """
import json, os, select, socket, struct, sys, time
port, figures, count = sys.argv[1:]
seen = {}
for number in range(int(count)):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    sock.bind(("0.0.0.0", int(port) + number))
    seen[sock] = bytearray()
written = 0.0
while True:
    for sock in select.select(list(seen), [], [], 0.1)[0]:
        marks = seen[sock]
        while True:
            try:
                number, = struct.unpack("!Q", sock.recv(64, socket.MSG_DONTWAIT))
            except BlockingIOError:
                break
            if number >= len(marks):
                marks.extend(bytes(number + 1 - len(marks)))
            marks[number] = 1
    if time.monotonic() - written > 0.1:
        written = time.monotonic()
        names, values = (line.split() for line in open("/proc/net/snmp") if line[:4] == "Udp:")
        full = int(dict(zip(names, values))["RcvbufErrors"])
        with open(figures + ".new", "w") as file:
            json.dump({"seen": [sum(marks) for marks in seen.values()], "full": full}, file)
        os.rename(figures + ".new", figures)
"""


@dataclass(frozen=True, slots=True)
class Figures:
    """What has become of a stream that was ended."""

    sent: int
    """Over each interface."""
    failed: int
    """Refused by the sender's own kernel."""
    seen: tuple[int, ...]
    """Different numbers that arrived, by interface."""
    full: int
    """Arrived, and dropped because the receiving program was not scheduled in time."""

    @property
    def lost(self) -> int:
        return len(self.seen) * self.sent - sum(self.seen) - self.full


class Stream:
    """From the pod NAME-out to the pod NAME-in: over the default pod network and over `network`."""

    def __init__(self, machine: Machine, network: str, name: str = "stream") -> None:
        self._machine = machine
        self._network = network
        self._out, self._in = f"{name}-out", f"{name}-in"

    def start(self) -> None:
        """Returns when datagrams arrive over every interface."""
        self._apply(self._in, _RECEIVER, str(PORT), _FIGURES, str(len(INTERFACES)))
        told = interfaces(self._machine.running(self._in))
        targets = [told[name][0] for name in INTERFACES]
        self._apply(self._out, _SENDER, str(RATE), str(PORT), _FIGURES, _STOP, *targets)
        self._machine.running(self._out)
        self._machine.until(lambda: all(self._figures(self._in)["seen"]), "datagrams arrive")

    def end(self) -> Figures:
        """Stop sending; returns when nothing more can arrive."""
        self._machine.execute(self._out, "touch", _STOP)
        sent = self._machine.until(
            lambda: (now := self._figures(self._out))["ended"] and now, "the sender ends"
        )
        figures = self._settled(sent)
        # Once more: what was on its way between two looks.
        return figures if figures.lost == 0 else self._settled(sent)

    def _settled(self, sent: Any) -> Figures:
        """The figures when two looks in a row are the same."""
        last: Any = None
        while (now := self._figures(self._in)) != last:
            last = now
        return Figures(sent["sent"], sent["failed"], tuple(now["seen"]), now["full"])

    def _apply(self, name: str, program: str, *arguments: str) -> None:
        manifest = json.loads(pod(name, self._network))
        manifest["spec"]["containers"][0]["command"] = ["python3", "-c", program, *arguments]
        self._machine.apply(json.dumps(manifest))

    def _figures(self, name: str) -> Any:
        text = self._machine.kubectl("exec", name, "--", "cat", _FIGURES, check=False)
        return json.loads(text) if text else {"seen": [0], "ended": False}


def interfaces(pod: Any) -> dict[str, list[str]]:
    """The addresses of each interface, as the pod's network status tells them."""
    text = pod["metadata"].get("annotations", {}).get("k8s.v1.cni.cncf.io/network-status", "[]")
    return {entry["interface"]: entry["ips"] for entry in json.loads(text)}
