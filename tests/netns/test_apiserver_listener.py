"""The API server's second socket lives in another network namespace; nothing else of it does."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cn2.apiserver import listeners

pytestmark = pytest.mark.root


@pytest.fixture
def netns() -> Iterator[Path]:
    name = f"cn2-api-{os.getpid()}"
    subprocess.run(["ip", "netns", "add", name], check=True)
    subprocess.run(["ip", "-n", name, "link", "set", "lo", "up"], check=True)
    subprocess.run(["ip", "-n", name, "addr", "add", "10.255.7.1/32", "dev", "lo"], check=True)
    yield Path("/run/netns") / name
    subprocess.run(["ip", "netns", "del", name], check=True)


async def test_a_socket_is_bound_inside_and_reached_from_inside_only(netns: Path) -> None:
    here = Path("/proc/self/ns/net").stat().st_ino
    sock = await listeners.bind_in(netns, "10.255.7.1", 0)
    sock.listen()
    address = sock.getsockname()

    assert Path("/proc/self/ns/net").stat().st_ino == here
    probe = f"import socket; socket.create_connection({address!r}, 2)"
    command = ["ip", "netns", "exec", netns.name, "python3", "-c", probe]
    assert subprocess.run(command).returncode == 0  # noqa: ASYNC221
    with pytest.raises(OSError), socket.create_connection(address, 0.2):
        pass
    sock.close()


async def test_a_namespace_that_is_not_there_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="missing"):
        await listeners.bind_in(tmp_path / "missing", "127.0.0.1", 0)
