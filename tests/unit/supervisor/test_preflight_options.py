"""Options of `cn2 up` that can't work are refused before anything starts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from cn2.supervisor.layout import Layout
from cn2.supervisor.preflight.options import differing, wrong
from cn2.supervisor.settings import Settings

LAYOUT = Layout(Path("/var/lib/cn2"))


def test_the_defaults_can_work() -> None:
    assert wrong(LAYOUT, Settings()) == []


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("cluster_name", "A_b!", "--cluster-name 'A_b!' is not a name"),
        ("cluster_name", "", "--cluster-name '' is not a name"),
        ("cluster_name", "a" * 30, "--cluster-name has 30 characters: 29 are possible"),
        ("node_name", "a/b", "--node-name 'a/b' is not a name"),
        ("node_name", "..", "--node-name '..' is not a name"),
        ("node_name", "a" * 64, "--node-name has 64 characters"),
        ("port", 65536, "--port 65536 is not a port"),
        ("port", -1, "--port -1 is not a port"),
        ("node_address", "1.2.3", "is not an IPv4 address"),
        ("node_address", "fd00::1", "is not an IPv4 address"),
        ("node_address", "127.0.0.1", "is not the address of a host"),
        ("node_address", "0.0.0.0", "is not the address of a host"),
        ("node_address", "224.0.0.1", "is not the address of a host"),
        ("node_address", "192.0.2.0", "is the first or last address of 192.0.2.0/24"),
        ("node_address", "192.0.2.255", "is the first or last address of 192.0.2.0/24"),
        ("node_address", "10.244.7.1", "overlaps 10.244.0.0/16 of the pods"),
        ("node_address", "10.100.0.1", "overlaps 10.96.0.0/12 of the services"),
        ("pod_v6_subnet", "nonsense", "is not an IPv6 subnet"),
        ("pod_v6_subnet", "10.0.0.0/8", "is not an IPv6 subnet"),
        ("pod_v6_subnet", "fd00::", "has no prefix length"),
        ("pod_v6_subnet", "fd00::1/64", "has host bits set: the subnet is fd00::/64"),
        ("pod_v6_subnet", "fd00::/127", "is too small"),
        ("pod_v6_subnet", "ff00::/64", "is not for hosts"),
        ("pod_v6_subnet", "fe80::/64", "is not for hosts"),
    ],
)
def test_an_option_that_cannot_work_is_named(option: str, value: str | int, said: str) -> None:
    [finding] = wrong(LAYOUT, replace(Settings(), **{option: value}))  # type: ignore[arg-type]
    assert said in str(finding)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("cluster_name", "cluster1.juniper.local"),
        ("cluster_name", "a" * 29),
        ("node_name", "worker-7.example.org"),
        ("node_address", "192.168.49.2"),
        ("pod_v6_subnet", "fd00:244::/64"),
    ],
)
def test_an_option_that_can_work_is_left_alone(option: str, value: str) -> None:
    assert wrong(LAYOUT, replace(Settings(), **{option: value})) == []  # type: ignore[arg-type]


def test_a_directory_too_deep_for_sockets_is_refused() -> None:
    [finding] = wrong(Layout(Path("/" + "d" * 80)), Settings())
    assert "too long for unix sockets" in str(finding)


def test_a_system_that_exists_keeps_what_it_was_made_with() -> None:
    known = Settings(cluster_name="one", port=7000)
    assert differing(None, Settings()) == []
    assert differing(known, replace(known, port=8000)) == []
    [finding] = differing(known, replace(known, cluster_name="two"))
    assert "made with --cluster-name one, not two" in str(finding)
