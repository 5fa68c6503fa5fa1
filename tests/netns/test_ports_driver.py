"""Namespaces and pod interfaces in the kernel."""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_address, ip_interface
from pathlib import Path

import pytest

from cn2.drivers import netns
from cn2.drivers.netlink.connection import Netlink, NetlinkError
from cn2.drivers.netlink.link import Link, links, up
from cn2.drivers.ports import Ports
from cn2.state.next_hop import PROXY_MAC
from cn2.state.port import Port

pytestmark = pytest.mark.root

MAC = bytes.fromhex("020000000007")
PORT = Port(
    host_name="h7",
    name="eth0",
    mac=MAC,
    mtu=1400,
    addresses=(ip_interface("10.244.0.5/16"), ip_interface("fd24::5/64")),
    gateways=(ip_address("10.244.0.1"), ip_address("fd24::1")),
    primary=True,
    alias="uid-7/eth0",
)
SECOND = replace(
    PORT,
    host_name="h8",
    name="eth1",
    mac=bytes.fromhex("020000000008"),
    addresses=(ip_interface("172.16.10.2/24"), ip_interface("fd10::2/64")),
    gateways=(ip_address("172.16.10.1"), ip_address("fd10::1")),
    primary=False,
    table=101,
    alias="uid-7/eth1",
)


@pytest.fixture
def node(tmp_path: Path) -> Iterator[int]:
    yield from _namespace(tmp_path / "node")


@pytest.fixture
def pod(tmp_path: Path) -> Iterator[int]:
    yield from _namespace(tmp_path / "pod")


def _namespace(path: Path) -> Iterator[int]:
    netns.create(path)
    descriptor = netns.open_path(path)
    yield descriptor
    os.close(descriptor)
    netns.delete(path)


@pytest.fixture
def ports(node: int) -> Iterator[Ports]:
    with netns.entered(node):
        made = Ports()
    yield made
    made.close()


def seen(namespace: int) -> dict[str, Link]:
    with netns.entered(namespace), Netlink() as netlink:
        return {link.name: link for link in links(netlink)}


def run(namespace: int, *command: str) -> str:
    enter = ["nsenter", f"--net=/proc/self/fd/{namespace}", *command]
    done = subprocess.run(enter, pass_fds=[namespace], capture_output=True, text=True, check=True)
    return done.stdout


def test_a_namespace_outlives_the_thread_that_made_it(tmp_path: Path) -> None:
    path = tmp_path / "ns"
    thread = threading.Thread(target=netns.create, args=(path,))
    thread.start()
    thread.join()

    assert netns.is_namespace(path)
    assert path.stat().st_ino != Path("/proc/self/ns/net").stat().st_ino
    netns.delete(path)
    assert not path.exists()


def test_making_a_namespace_where_something_is_fails_and_leaves_it(tmp_path: Path) -> None:
    path = tmp_path / "ns"
    path.write_text("mine")
    with pytest.raises(FileExistsError):
        netns.create(path)
    assert path.read_text() == "mine"
    assert not netns.is_namespace(path)


def test_deleting_twice_or_a_crash_left_file_is_fine(tmp_path: Path) -> None:
    netns.delete(tmp_path / "never")
    left = tmp_path / "left"
    left.touch()
    netns.delete(left)
    assert not left.exists()


def test_a_window_into_a_namespace_closes_also_on_errors(pod: int) -> None:
    home = Path("/proc/thread-self/ns/net").stat().st_ino
    with pytest.raises(ZeroDivisionError), netns.entered(pod):
        assert Path("/proc/thread-self/ns/net").stat().st_ino == os.fstat(pod).st_ino
        raise ZeroDivisionError
    assert Path("/proc/thread-self/ns/net").stat().st_ino == home


def test_a_pair_has_the_names_macs_and_indexes_asked_for(ports: Ports, node: int, pod: int) -> None:
    plugged = ports.create(PORT, pod)
    host, peer = seen(node)["h7"], seen(pod)["eth0"]

    assert (host.index, peer.index) == (plugged.host, plugged.peer)
    assert (host.peer, peer.peer) == (peer.index, host.index)
    assert (host.mac, peer.mac, host.mtu, peer.mtu) == (PROXY_MAC, MAC, 1400, 1400)
    assert (host.kind, host.up, host.alias) == ("veth", True, "uid-7/eth0")


def test_the_host_side_is_silent(ports: Ports, node: int, pod: int) -> None:
    """No address of any family: the node's stack has nothing to say there."""
    plugged = ports.create(PORT, pod)
    ports.configure(PORT, plugged, pod)

    shown = run(node, "ip", "address", "show", "h7")
    assert "NOARP" in shown
    assert "inet" not in shown


def test_the_pod_finds_itself_configured(ports: Ports, pod: int) -> None:
    for port in (PORT, SECOND):
        ports.configure(port, ports.create(port, pod), pod)

    shown = run(pod, "ip", "address")
    assert "eth0@if" in shown and "qlen" not in shown.split("eth0@if")[1]
    assert "inet 10.244.0.5/16 brd 10.244.255.255 scope global eth0" in shown
    assert "inet6 fd24::5/64 scope global nodad" in shown
    assert "tentative" not in shown
    assert run(pod, "ip", "route").splitlines() == [
        "default via 10.244.0.1 dev eth0 ",
        "10.244.0.0/16 dev eth0 proto kernel scope link src 10.244.0.5 ",
        "172.16.10.0/24 dev eth1 proto kernel scope link src 172.16.10.2 ",
    ]
    assert "default via fd24::1 dev eth0" in run(pod, "ip", "-6", "route")


def test_what_a_second_interface_sends_leaves_by_it(ports: Ports, pod: int) -> None:
    for port in (PORT, SECOND):
        ports.configure(port, ports.create(port, pod), pod)

    assert "dev eth1" in run(pod, "ip", "route", "get", "192.0.2.9", "from", "172.16.10.2")
    assert "dev eth1" in run(pod, "ip", "route", "get", "2001:db8::9", "from", "fd10::2")
    assert "dev eth0" in run(pod, "ip", "route", "get", "192.0.2.9")
    assert "dev eth1" in run(pod, "ip", "route", "get", "172.16.10.9", "from", "172.16.10.2")


def test_configuring_again_changes_nothing(ports: Ports, pod: int) -> None:
    plugged = ports.create(SECOND, pod)
    ports.configure(SECOND, plugged, pod)
    before = run(pod, "ip", "-o", "address") + run(pod, "ip", "rule")
    ports.configure(SECOND, plugged, pod)
    assert run(pod, "ip", "-o", "address") + run(pod, "ip", "rule") == before


def test_a_name_that_is_taken_fails_and_leaves_nothing(ports: Ports, node: int, pod: int) -> None:
    ports.create(PORT, pod)
    before = seen(node), seen(pod)
    for taken in (replace(PORT, host_name="other"), replace(PORT, name="eth9")):
        with pytest.raises(NetlinkError) as failure:
            ports.create(taken, pod)
        assert failure.value.errno == errno.EEXIST
    assert (seen(node), seen(pod)) == before


def test_the_next_agent_sees_the_ports_and_chooses_free_indexes(
    ports: Ports, node: int, pod: int
) -> None:
    first = ports.create(PORT, pod)
    with netns.entered(node), Ports() as again:
        assert [link.alias for link in again.list()] == ["uid-7/eth0"]
        second = again.create(SECOND, pod)
    assert {first.host, first.peer}.isdisjoint({second.host, second.peer})


def test_indexes_that_another_took_meanwhile_are_passed_over(node: int, pod: int) -> None:
    with netns.entered(node), Ports() as one, Ports() as other:
        first = one.create(PORT, pod)
        second = other.create(SECOND, pod)
    assert {first.host, first.peer}.isdisjoint({second.host, second.peer})


def test_a_pair_that_cannot_be_finished_is_removed(ports: Ports, node: int, pod: int) -> None:
    before = seen(node), seen(pod)
    with pytest.raises(NetlinkError):
        ports.create(replace(PORT, alias="x" * 300), pod)
    assert (seen(node), seen(pod)) == before


def test_a_retired_port_is_down_nameless_and_unlisted_and_its_name_is_free(
    ports: Ports, node: int, pod: int
) -> None:
    plugged = ports.create(PORT, pod)
    ports.retire(plugged.host)

    assert ports.list() == []
    assert "h7" not in seen(node)
    assert not next(link for link in seen(node).values() if link.index == plugged.host).up
    ports.create(replace(PORT, name="eth5"), pod)


def test_reaping_deletes_all_retired_ports_and_no_other(ports: Ports, node: int, pod: int) -> None:
    retired, kept = ports.create(PORT, pod), ports.create(SECOND, pod)
    ports.retire(retired.host)
    ports.reap()
    ports.reap()
    ports.retire(retired.host)

    assert {link.index for link in seen(node).values() if link.kind == "veth"} == {kept.host}
    assert set(seen(pod)) >= {"lo", "eth1"} and "eth0" not in seen(pod)


def test_an_error_names_the_message_and_the_kernels_reason(node: int) -> None:
    with netns.entered(node), Netlink() as netlink:
        with pytest.raises(NetlinkError, match="link up: No such device") as failure:
            netlink.request(up(4711))
        assert failure.value.errno == errno.ENODEV
        assert links(netlink), "the connection goes on"


def test_a_socket_made_in_a_window_stays_in_its_namespace(ports: Ports, pod: int) -> None:
    plugged = ports.create(PORT, pod)
    ports.configure(PORT, plugged, pod)
    with netns.entered(pod):
        inside = socket.socket()
    with inside:
        inside.bind(("10.244.0.5", 0))
