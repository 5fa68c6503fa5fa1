"""What stops `cn2 up`, each from a real cause, found in a machine made for it by unshare."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.root

CHECK = """
import sys, time
from pathlib import Path
from cn2.supervisor.layout import Layout
from cn2.supervisor.preflight.check import findings
from cn2.supervisor.settings import Settings
import cn2
native = Path(cn2.__file__).parent / "native"
for one in findings(Layout(Path(sys.argv[1])), Settings(port=int(sys.argv[2])), native):
    print("stops" if one.stops else "warns", one)
"""


@pytest.fixture
def place() -> Iterator[Path]:
    """With a short path: sockets have to fit in."""
    with tempfile.TemporaryDirectory(prefix="cn2-") as directory:
        yield Path(directory)


def found(script: str, data_dir: Path, *, port: int = 0, before: tuple[str, ...] = ()) -> str:
    """What is found after a script has spoilt a machine in namespaces of its own; `before` is put
    before the interpreter that looks."""
    look = f'exec {" ".join(before)} "$0" -c "$1" "$2" "$3"'
    done = subprocess.run(
        ["unshare", "--mount", "--net", "bash", "-ec", f"ip link set lo up; {script}\n{look}"]
        + [sys.executable, CHECK, str(data_dir), str(port)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def stopping(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("stops")]


def test_nothing_is_in_the_way(place: Path) -> None:
    assert stopping(found("", place / "new", port=6443)) == []
    assert list(place.iterdir()) == []


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("ip link set lo down; ip address flush dev lo", "127.0.0.1 is not there: ip link set lo"),
        ("mount -t tmpfs -o size=50m x {place}", "MiB are free at {place}, 200 are needed"),
        ("mount -t tmpfs -o nr_inodes=100 x {place}", "more files can be made at {place}"),
        ("mount -t tmpfs -o ro x {place}", "{place} is on a read-only file system"),
        ("mkdir -p {place}/new; echo x >{place}/new/y", "not empty and not a system's"),
        ("mkdir -p {place}/log; touch {place}/log/supervisor.log", "inside the system in {place}"),
        ("touch {place}/new", "{place}/new is not a directory"),
        ("ulimit -n 200", "may open 200 files only"),
        ("mkdir -p {place}/b; PATH={place}/b", "The program ip is missing: apt-get install"),
    ],
)
def test_what_stops_a_system(place: Path, script: str, said: str) -> None:
    text = found(script.format(place=place), place / "new", port=6443)
    assert any(said.format(place=place) in line for line in stopping(text)), text


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("mount -t tmpfs -o noexec x {place}", "pods can't run programs from their volumes"),
        (
            "ip link add one type veth; ip link set one up; ip address add 10.100.0.1/16 dev one",
            "10.96.0.0/12 of the services overlaps what this machine reaches: 10.100.0.0/16 by one",
        ),
        (
            "ip link add one type veth; ip link set one up; ip address add 10.1.1.1/8 dev one",
            "10.244.0.0/16 of the pods overlaps what this machine reaches: 10.0.0.0/8 by one",
        ),
    ],
)
def test_what_is_only_said(place: Path, script: str, said: str) -> None:
    text = found(script.format(place=place), place / "new")
    assert stopping(text) == []
    assert said in text


@pytest.mark.parametrize(
    ("before", "said"),
    [
        (("setpriv", "--bounding-set=-sys_admin"), "This root has no CAP_SYS_ADMIN"),
        (("setpriv", "--bounding-set=-net_admin"), "This root has no CAP_NET_ADMIN"),
        (
            ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"),
            "You are not root, and cn2 up makes network namespaces and loads eBPF: run it with",
        ),
    ],
)
def test_who_may_not(place: Path, before: tuple[str, ...], said: str) -> None:
    """And it is the only thing said: what could not be tried is not blamed on the kernel."""
    place.chmod(0o755)
    [line] = stopping(found("", place / "new", before=before))
    assert said in line


def test_who_may_not_still_learns_the_rest(place: Path) -> None:
    """All findings at once, also without root."""
    place.chmod(0o755)
    nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    lines = stopping(found(f"touch {place}/new", place / "new", before=nobody))
    assert [("not root" in line, "not a directory" in line) for line in lines] == [
        (True, False),
        (False, True),
    ]


def test_a_port_is_taken_and_by_whom(place: Path) -> None:
    with socket.create_server(("", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-c", CHECK, str(place / "new"), str(port)],
            capture_output=True,
            text=True,
            check=True,
        )
    [line] = stopping(done.stdout)
    assert f"Port {port} of 127.0.0.1 is taken by " in line and f"(pid {os.getpid()})" in line
    assert "choose another with --port, 0 picks a free one" in line


def test_no_more_namespaces(place: Path) -> None:
    """In a user namespace of its own, whose limit it is; other things fail there, too."""
    limit = "/proc/sys/user/max_net_namespaces"
    script = ["unshare", "--user", "--map-root-user", "--mount", "bash", "-ec"]
    script += [f'echo 0 >{limit}; exec "$0" -c "$1" "$2" 0', sys.executable, CHECK, str(place)]
    done = subprocess.run(script, capture_output=True, text=True, check=True)
    assert "No more network namespaces may be made: sysctl user.max_net_namespaces" in done.stdout
    assert "This root may not use eBPF" in done.stdout
