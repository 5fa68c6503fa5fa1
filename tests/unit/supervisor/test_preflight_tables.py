"""What the kernel's tables say to preflight, and what its refusals mean."""

from __future__ import annotations

import errno
import os
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest

from cn2.supervisor.layout import Layout
from cn2.supervisor.pki import Authority
from cn2.supervisor.preflight import addresses, clock, kernel, limits, ports, privileges
from cn2.supervisor.preflight.probes import PROBES, explained

ROUTES = """Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT
eth0 00000000 0100A8C0 0003 0 0 0 00000000 0 0 0
eth0 0000A8C0 00000000 0001 0 0 0 00FFFFFF 0 0 0
tun0 0000000A 00000000 0001 0 0 0 000000FF 0 0 0
"""
SOCKETS = """sl local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid time inode
   0: 0100007F:192B 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 11 1 0
   1: 00000000:192B 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 12 1 0
   2: 0100007F:192B 0100007F:D431 01 00000000:00000000 00:00000000 00000000 0 0 13 1 0
   3: 0200A8C0:192B 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 14 1 0
   4: 0100007F:192C 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 15 1 0
"""


@pytest.mark.parametrize(
    ("release", "old"),
    [("6.1.0-28-amd64", False), ("6.0.19", True), ("5.10.0", True), ("10.0", False), ("x", False)],
)
def test_the_floor_of_kernels(release: str, old: bool) -> None:
    assert kernel.too_old(release) == old


def test_only_listeners_on_that_address_and_port_are_in_the_way() -> None:
    assert ports.listening(SOCKETS, 6443) == {"11", "12"}


def test_routes_that_overlap_are_named() -> None:
    routes = [*addresses.v4_routes(ROUTES)]
    assert routes == [(ip_network("192.168.0.0/24"), "eth0"), (ip_network("10.0.0.0/8"), "tun0")]
    blocks = {"pods": ip_network("10.244.0.0/16"), "underlay": ip_network("100.64.0.0/24")}
    [finding] = addresses.overlaps(blocks, routes)
    assert "10.244.0.0/16 of the pods overlaps" in str(finding) and "10.0.0.0/8 by tun0" in str(
        finding
    )
    assert not finding.stops


def test_capabilities_that_are_missing_are_named() -> None:
    assert [*privileges.missing_capabilities("CapEff:\t000001ffffffffff\n")] == []
    assert [*privileges.missing_capabilities("CapEff:\t000001ffffdfffff\n")] == ["CAP_SYS_ADMIN"]


@pytest.mark.parametrize(
    ("own", "group"), [("4:pids:/a\n1:cpu:/\n", "pids/a"), ("0::/b\n", "b")], ids=["v1", "v2"]
)
def test_room_for_processes(tmp_path: Path, own: str, group: str) -> None:
    assert limits.room_for_processes(own, tmp_path) is None
    (tmp_path / group).mkdir(parents=True)
    (tmp_path / group / "pids.current").write_text("30\n")
    (tmp_path / group / "pids.max").write_text("max\n")
    assert limits.room_for_processes(own, tmp_path) is None
    (tmp_path / group / "pids.max").write_text("100\n")
    assert limits.room_for_processes(own, tmp_path) == 70


@pytest.mark.parametrize(
    ("off", "said"),
    [
        (timedelta(0), ""),
        (timedelta(hours=-20), ""),
        (timedelta(days=-30), "this system's keys begin at"),
        (timedelta(days=3700), "this system's keys ended at"),
    ],
)
def test_a_clock_that_does_not_fit_the_keys(tmp_path: Path, off: timedelta, said: str) -> None:
    layout = Layout(tmp_path)
    layout.pki.mkdir()
    now = datetime.now(UTC)
    Authority(layout, now)
    assert said in " ".join(map(str, clock.findings(layout.pki, now + off)))
    assert bool(said) == bool([*clock.findings(layout.pki, now + off)])


@pytest.mark.parametrize(
    ("what", "code", "said"),
    [
        ("veth links", errno.EOPNOTSUPP, "This kernel has no veth links"),
        ("veth links", errno.EOPNOTSUPP, "boot one with CONFIG_VETH"),
        ("programs of eBPF", errno.EPERM, "This root may not use eBPF"),
        ("programs of eBPF", errno.ENOSYS, "boot one with CONFIG_BPF_SYSCALL"),
        ("overlay file systems", errno.ENODEV, "boot one with CONFIG_OVERLAY_FS"),
        ("network namespaces", errno.ENOSPC, "sysctl user.max_net_namespaces=10000"),
    ],
)
def test_what_a_refusal_of_the_kernel_means(what: str, code: int, said: str) -> None:
    probe = next(probe for probe in PROBES if probe.what == what)
    assert said in str(explained(probe, OSError(code, os.strerror(code))))
