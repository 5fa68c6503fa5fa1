"""Results have the form of their CNI version, and only the asked interface's addresses."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from node_objects import plugged

from cn2.agent.cni import CniError, Code, Request
from cn2.agent.cni_result import check_previous, output, result
from cn2.plan.node.attachment import Address, Plugged


def request(version: str, previous: dict[str, Any] | None = None, name: str = "eth0") -> Request:
    return Request("ADD", version, "c", "/run/netns/x", name, {}, {"prevResult": previous or {}})


def two_ports() -> tuple[Plugged, Plugged]:
    first, second = plugged(7), plugged(8, ip="172.16.10.2", network="red")
    both = (Address("10.244.0.5", 16, "10.244.0.1"), Address("fd00::5", 64, "fd00::1"))
    replace = msgspec.structs.replace
    return (
        replace(first, netns="/x", attachment=replace(first.attachment, addresses=both)),
        replace(second, netns="/x", attachment=replace(second.attachment, name="eth1", index=1)),
    )


def test_all_interfaces_are_listed_pod_sides_first() -> None:
    body = result(request("1.0.0"), two_ports(), 1500)

    assert [(one["name"], one.get("sandbox")) for one in body["interfaces"]] == [
        ("eth0", "/x"),
        ("eth1", "/x"),
        ("tapeth0-000007", None),
        ("tapeth0-000008", None),
    ]
    assert body["interfaces"][0]["mac"] == "02:00:00:00:00:07"


@pytest.mark.parametrize("version", ["0.3.1", "0.4.0"])
def test_old_versions_say_the_family_of_an_address(version: str) -> None:
    body = result(request(version), two_ports(), 1500)

    assert body["cniVersion"] == version
    assert body["ips"] == [
        {"interface": 0, "address": "10.244.0.5/16", "gateway": "10.244.0.1", "version": "4"},
        {"interface": 0, "address": "fd00::5/64", "gateway": "fd00::1", "version": "6"},
    ]


def test_1_0_0_does_not() -> None:
    body = result(request("1.0.0"), two_ports(), 1500)

    assert body["ips"][0] == {
        "interface": 0,
        "address": "10.244.0.5/16",
        "gateway": "10.244.0.1",
    }
    assert "mtu" not in body["interfaces"][0]


def test_1_1_0_adds_the_mtu() -> None:
    assert result(request("1.1.0"), two_ports(), 1500)["interfaces"][0]["mtu"] == 1500


def test_default_routes_go_by_the_asked_interface() -> None:
    assert result(request("1.0.0"), two_ports(), 1500)["routes"] == [
        {"dst": "0.0.0.0/0", "gw": "10.244.0.1"},
        {"dst": "::/0", "gw": "fd00::1"},
    ]


def test_an_interface_that_the_pod_has_not_is_an_error_that_names_those_it_has() -> None:
    with pytest.raises(CniError, match="eth0, eth1") as caught:
        result(request("1.0.0", name="net9"), two_ports(), 1500)

    assert caught.value.code == Code.INVALID_ENVIRONMENT


def test_check_accepts_the_result_of_its_add() -> None:
    ports = two_ports()

    check_previous(request("1.0.0", result(request("1.0.0"), ports, 1500)), ports)


@pytest.mark.parametrize(
    "previous",
    [
        {"interfaces": [{"name": "eth0", "mac": "02:00:00:00:00:99", "sandbox": "/x"}]},
        {"ips": [{"address": "10.244.0.6/16"}]},
    ],
)
def test_check_refuses_what_was_not_plugged(previous: dict[str, Any]) -> None:
    with pytest.raises(CniError) as caught:
        check_previous(request("1.0.0", previous), two_ports())

    assert caught.value.code == Code.NOT_AS_PLUGGED


def test_check_leaves_other_plugins_interfaces_alone() -> None:
    previous = {"interfaces": [{"name": "lo", "sandbox": "/x"}, {"name": "eth0", "mac": "x"}]}

    check_previous(request("1.0.0", previous), two_ports())


def test_commands_without_a_result_print_nothing() -> None:
    assert output(None) == b""
