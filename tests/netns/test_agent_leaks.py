"""What pods leave behind on a node: nothing."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from agent_lab import Lab, wait_for

from cn2.drivers.bpf.counters import Counters
from cn2.drivers.bpf.loader import pin_directory
from cn2.drivers.bpf.maps import Maps

pytestmark = [pytest.mark.root, pytest.mark.clang, pytest.mark.timeout(120)]

PODS = [f"p{number}" for number in range(100)]


@pytest.fixture
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    made = Lab(tmp_path_factory.mktemp("lab"))
    try:
        made.add_network("default-podnetwork", 2, "10.244.0.0/16")
        made.add_network("blue", 5, "10.7.0.0/24", "fd00:7::/64")
        for number, pod in enumerate(PODS, start=2):
            made.add_pod(
                pod,
                ("default-podnetwork", f"10.244.0.{number}"),
                ("blue", (f"10.7.0.{number}", f"fd00:7::{number}")),
            )
        made.publish()
        made.start()
        yield made
    finally:
        made.close()


def state(lab: Lab) -> dict[str, object]:
    """Everything that the agent keeps on a node."""
    pins = pin_directory(lab.bpf)
    with Maps(pins) as maps, Counters(pins) as counters:
        rows, counted = sorted(map(repr, maps.read())), counters.drops()
    return {
        "links": lab.links(),
        "rows": rows,
        "port counters": counted,
        "records": sorted(one.name for one in (lab.directory / "ports").iterdir()),
        "ports": lab.introspect("ports"),
    }


def all_answer(lab: Lab, command: str) -> None:
    with ThreadPoolExecutor(8) as calls:
        answers = list(calls.map(lambda pod: lab.cni(command, pod), PODS))
    assert [answer for answer in answers if answer.code] == [], lab.log()


def test_a_hundred_pods_that_came_and_went_leave_nothing(lab: Lab) -> None:
    """Plugged eight at a time, in both networks; some send what is dropped and counted."""
    before = state(lab)
    for pod in PODS:
        lab.sandbox(pod)

    all_answer(lab, "ADD")

    assert len(lab.links()) == 2 * len(PODS)
    assert lab.pings(PODS[0], "10.7.0.101")
    assert lab.pings(PODS[99], "fd00:7::2")
    lab.pings(PODS[0], "10.7.0.200", "-c", "1", "-W", "0.1")
    all_answer(lab, "DEL")
    wait_for(lambda: lab.links() == [])
    assert state(lab) == before


def test_a_plug_that_died_half_way_is_cleaned_up_by_the_next_agent(lab: Lab) -> None:
    """A link with our alias and no record was never answered for; others' links are not ours."""
    lab.stop()
    for name, alias in (("tapeth0-abcdef", "cn2:dead"), ("uplink", "somebody else's")):
        for command in (
            ["ip", "link", "add", name, "type", "veth", "peer", "name", f"x{name[:8]}"],
            ["ip", "link", "set", name, "alias", alias],
        ):
            subprocess.run([*lab.inside(lab.node), *command], check=True)

    lab.start()

    wait_for(lambda: sorted(lab.links()) == ["uplink", "xuplink"])
