"""Packets between pods that an agent plugged: connected, isolated, checked, not interrupted."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator

import pytest
from agent_lab import Lab, wait_for

pytestmark = [pytest.mark.root, pytest.mark.clang, pytest.mark.timeout(90)]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Two tenants with one prefix, a network of each mode, and the pod network.

    blue: b1, b2; red: r1, r2 with the addresses of b1, b2; open has no reverse path check.
    """
    made = Lab(tmp_path_factory.mktemp("lab"))
    try:
        made.add_network("default-podnetwork", 2, "10.244.0.0/16")
        made.add_network("blue", 5, "10.7.0.0/24", "fd00:7::/64")
        made.add_network("red", 6, "10.7.0.0/24")
        made.add_network("open", 7, "10.8.0.0/24", rpf="disable")
        for number, (pod, on, ips) in enumerate(
            (
                ("b1", "blue", ("10.7.0.2", "fd00:7::2")),
                ("b2", "blue", ("10.7.0.3", "fd00:7::3")),
                ("r1", "red", ("10.7.0.2",)),
                ("r2", "red", ("10.7.0.3",)),
                ("o1", "open", ("10.8.0.2",)),
                ("o2", "open", ("10.8.0.3",)),
            )
        ):
            made.add_pod(pod, ("default-podnetwork", f"10.244.0.{number + 2}"), (on, ips))
        made.publish()
        made.start()
        made.plug("b1", "b2", "r1", "o1", "o2")
        yield made
    finally:
        made.close()


def dropped(lab: Lab, reason: str) -> int:
    return int(lab.introspect("drops").get(reason, 0))


def test_pods_of_one_network_reach_each_other_in_both_families(lab: Lab) -> None:
    assert lab.pings("b1", "10.7.0.3")
    assert lab.pings("b1", "fd00:7::3")
    assert lab.pings("b1", "10.244.0.3")


def test_gateways_answer(lab: Lab) -> None:
    assert lab.pings("b1", "10.244.0.1")
    assert lab.pings("b1", "10.7.0.1", "-c", "1", "-W", "1", "-I", "eth1")
    assert lab.pings("b1", "fd00:7::1")


def test_tenants_with_one_prefix_do_not_meet(lab: Lab) -> None:
    """red has no 10.7.0.3 yet: blue's is not red's."""
    before = dropped(lab, "arp_unknown")

    assert not lab.pings("r1", "10.7.0.3")
    assert dropped(lab, "arp_unknown") > before
    lab.plug("r2")
    wait_for(lambda: lab.pings("r1", "10.7.0.3"))  # the kernel of r1 asks again once a second
    lab.run("r2", "ip", "link", "set", "eth1", "down")
    assert not lab.pings("r1", "10.7.0.3")
    assert lab.pings("b1", "10.7.0.3")
    lab.run("r2", "ip", "link", "set", "eth1", "up")


def test_a_spoofed_source_is_dropped_and_counted(lab: Lab) -> None:
    lab.run("b1", "ip", "addr", "add", "10.7.0.99/32", "dev", "eth1")
    before = dropped(lab, "rpf")

    assert not lab.pings("b1", "10.7.0.3", "-c", "2", "-W", "0.3", "-i", "0.1", "-I", "10.7.0.99")

    assert dropped(lab, "rpf") >= before + 2
    assert 'cn2_agent_dropped_packets_total{reason="rpf"}' in lab.metrics()
    lab.run("b1", "ip", "addr", "del", "10.7.0.99/32", "dev", "eth1")


def test_networks_are_isolated(lab: Lab) -> None:
    assert not lab.pings("b1", "10.8.0.2")
    assert not lab.pings("o1", "10.7.0.2", "-c", "1", "-W", "0.3", "-I", "eth1")


def test_without_rpf_a_foreign_source_is_delivered(lab: Lab) -> None:
    lab.run("o1", "ip", "addr", "add", "10.9.9.9/32", "dev", "eth1")
    command = [*lab.inside(lab.sandbox("o2")), "tcpdump", "-lnc1", "-i", "eth1", "src", "10.9.9.9"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as listening:
        assert listening.stderr
        while "listening on" not in listening.stderr.readline():
            assert listening.poll() is None
        lab.pings("o1", "10.8.0.3", "-c", "3", "-i", "0.1", "-W", "0.3", "-I", "10.9.9.9")
        out, _ = listening.communicate(timeout=5)

    assert "10.9.9.9 > 10.8.0.3" in out


def pinging(lab: Lab, count: int = 400) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*lab.inside(lab.sandbox("b1")), "ping", "-c", str(count), "-i", "0.005", "10.7.0.3"],
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_an_agent_that_ends_and_starts_again_loses_no_packet(
    lab: Lab, number: signal.Signals
) -> None:
    lab.pings("b1", "10.7.0.3")
    with pinging(lab) as ping:
        lab.stop(number)
        lab.start()
        out, _ = ping.communicate(timeout=30)

    assert " 0% packet loss" in out, out
    assert len(lab.introspect("ports")) >= 10


def test_an_agent_that_sees_no_api_takes_nothing_away(lab: Lab) -> None:
    """And unplugs all the same."""
    lab.stop()
    objects = lab.directory / "objects.json"
    objects.rename(lab.directory / "hidden.json")
    with pinging(lab) as ping:
        lab.start(ready=False)
        wait_for(lambda: lab.cni("DEL", "o2").code == 0)
        out, _ = ping.communicate(timeout=30)
    assert " 0% packet loss" in out, out
    assert lab.cni("STATUS", "-").body["code"] == 50

    (lab.directory / "hidden.json").rename(objects)
    lab.publish()
    wait_for(lambda: lab.cni("STATUS", "-").code == 0)
    assert not lab.pings("o1", "10.8.0.3")
    assert lab.pings("b1", "10.7.0.3")


def test_a_network_that_heals_loses_no_packet(lab: Lab) -> None:
    """Deleted and created again with the same number and another uid, as in the walkthrough."""
    networks = lab.objects["networks"]
    (blue,) = [one for one in networks if one["metadata"]["name"] == "blue"]
    rows = lab.introspect("rows")
    with pinging(lab) as ping:
        networks.remove(blue)
        lab.publish()
        wait_for(lambda: lab.introspect("rows") == rows)
        networks.append({**blue, "metadata": {**blue["metadata"], "uid": "another"}})
        lab.publish()
        out, _ = ping.communicate(timeout=30)

    assert " 0% packet loss" in out, out
    assert lab.introspect("rows") == rows


def test_an_explicit_status_stops_traffic_and_its_end_lets_it_go_on(lab: Lab) -> None:
    (vmi,) = [one for one in lab.objects["interfaces"] if one["metadata"]["name"] == "b2-1"]
    before = dropped(lab, "no_interface")
    vmi["status"] = {"state": "Pending", "observation": "VirtualNetwork default/blue not found"}
    lab.publish()
    wait_for(lambda: any(one["state"] == "Stopped" for one in lab.introspect("ports")), lab.log)
    wait_for(lambda: not lab.pings("b2", "10.7.0.2"))
    assert dropped(lab, "no_interface") > before
    assert not lab.pings("b1", "10.7.0.3")

    vmi["status"] = {"state": "Success", "observation": ""}
    lab.publish()

    wait_for(lambda: lab.pings("b1", "10.7.0.3"))


def test_a_pod_with_a_taken_address_waits_for_the_unplug(lab: Lab) -> None:
    lab.add_pod("thief", ("blue", ("10.7.0.2", "fd00:7::2")))
    lab.publish()
    lab.sandbox("thief")

    answer = lab.cni("ADD", "thief", "1.0.0")

    assert (answer.code, answer.body["code"]) == (1, 11)
    assert "10.7.0.2 of network default/blue is still plugged" in answer.body["msg"]
    assert lab.pings("b1", "10.7.0.3")
