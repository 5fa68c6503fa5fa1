"""What the CNI commands do, over a node without a kernel."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from fake_node import FakeNode, until
from node_objects import address, interface, network, subnet

from cn2.agent.cni import CniError, Code
from cn2.plan.node.snapshot import Snapshot
from cn2.state.route import Host
from cn2.state.vif import Vif


@pytest.fixture
def node(tmp_path: Path) -> Iterator[FakeNode]:
    made = FakeNode(tmp_path)
    yield made
    made.worker.close()


def objects(**changed: object) -> Snapshot:
    of: dict[str, object] = {
        "interfaces": [interface("m1", "blue", "0/1", mac="02:00:00:00:00:01")],
        "addresses": [address("m1", "blue", "10.0.0.2")],
        "networks": [network("blue", 5, {"v4": "blue-v4"})],
        "subnets": [subnet("blue-v4", "10.0.0.0/24", "10.0.0.1")],
    }
    return Snapshot.of(**(of | changed))  # type: ignore[arg-type]


def vifs(node: FakeNode) -> list[Vif]:
    return [row for row in node.kernel.rows.values() if isinstance(row, Vif)]


async def failing(node: FakeNode, command: str, **how: str) -> CniError:
    with pytest.raises(CniError) as caught:
        await node.service.call(node.request(command, **how))
    return caught.value


async def test_an_add_plugs_and_answers(node: FakeNode) -> None:
    node.see(objects())

    answer = await node.service.call(node.request("ADD"))

    assert answer is not None
    assert answer["ips"][0]["address"] == "10.0.0.2/24"
    assert [vif.ifindex for vif in vifs(node)] == list(node.kernel.connected)


async def test_an_add_waits_for_its_objects(node: FakeNode) -> None:
    adding = asyncio.ensure_future(node.service.call(node.request("ADD")))
    await until(lambda: bool(node.changes._waiting))

    node.see(objects(addresses=[]))
    await until(lambda: bool(node.changes._waiting))
    assert not adding.done()
    node.see(objects())

    assert (await adding or {})["ips"][0]["address"] == "10.0.0.2/24"


async def test_an_add_that_waited_too_long_says_for_what(node: FakeNode) -> None:
    node.see(objects(networks=[]))
    node.service = node.serving(0.001)

    failure = await failing(node, "ADD")

    assert failure.code == Code.TRY_AGAIN_LATER
    assert "pod default/p1: network default/blue does not exist" in failure.message


async def test_an_add_before_the_agent_has_seen_everything_is_retryable(node: FakeNode) -> None:
    node.see(objects())
    node.missing = "virtualnetworks"
    node.service = node.serving(0.001)

    failure = await failing(node, "ADD")

    assert failure.code == Code.TRY_AGAIN_LATER
    assert "virtualnetworks" in failure.message
    assert not node.kernel.links


async def test_a_second_add_is_harmless(node: FakeNode) -> None:
    node.see(objects())

    first = await node.service.call(node.request("ADD"))
    second = await node.service.call(node.request("ADD"))

    assert first == second
    assert len(node.kernel.links) == 1


async def test_an_add_for_a_namespace_that_was_made_anew_plugs_again(node: FakeNode) -> None:
    node.see(objects())
    await node.service.call(node.request("ADD"))
    node.kernel.links.clear()

    await node.service.call(node.request("ADD"))

    assert [vif.ifindex for vif in vifs(node)] == list(node.kernel.links)


async def test_an_add_for_another_pods_container_is_refused(node: FakeNode) -> None:
    node.see(objects())
    await node.service.call(node.request("ADD", container="box"))

    failure = await failing(node, "ADD", container="box", pod="p2")

    assert failure.code == Code.INVALID_ENVIRONMENT
    assert "is plugged for pod default/p1 already" in failure.message


async def test_a_missing_namespace_is_an_invalid_environment(node: FakeNode) -> None:
    node.see(objects())
    node.netns.unlink()

    assert (await failing(node, "ADD")).code == Code.INVALID_ENVIRONMENT


async def test_an_interface_name_that_the_pod_has_not_plugs_nothing(node: FakeNode) -> None:
    vmi = interface("m1", "blue", "0/1", mac="02:00:00:00:00:01")
    vmi["metadata"]["annotations"]["interface"] = "net1"
    node.see(objects(interfaces=[vmi]))

    assert (await failing(node, "ADD")).code == Code.INVALID_ENVIRONMENT
    assert not node.kernel.links


async def test_never_two_interfaces_with_one_address(node: FakeNode) -> None:
    """A pod that has the address of one whose unplug is still to come waits for that unplug."""
    node.see(objects())
    await node.service.call(node.request("ADD", container="old"))
    node.see(
        objects(
            interfaces=[interface("m1", "blue", "0/1", mac="02:00:00:00:00:02", uid="u2")],
        )
    )
    adding = asyncio.ensure_future(
        node.service.call(node.request("ADD", container="new", uid="u2"))
    )
    await until(lambda: bool(node.changes._waiting))
    assert set(node.kernel.links.values()) == {"old"}

    await node.service.call(node.request("DEL", container="old"))
    await adding

    assert set(node.kernel.links.values()) == {"new"}
    assert len([row for row in node.kernel.rows.values() if isinstance(row, Host)]) == 2


async def test_a_delete_takes_rows_links_and_record_away(node: FakeNode) -> None:
    node.see(objects())
    before = dict(node.kernel.rows)
    await node.service.call(node.request("ADD"))

    assert await node.service.call(node.request("DEL")) is None

    assert (node.kernel.rows, node.kernel.links) == (before, {})
    assert not list((node.netns.parent / "ports").iterdir())
    await until(lambda: node.kernel.reaped == 1)


async def test_a_delete_is_idempotent_and_needs_no_objects(node: FakeNode) -> None:
    node.see(objects())
    await node.service.call(node.request("ADD"))
    node.see(Snapshot.of())
    node.netns.unlink()

    await node.service.call(node.request("DEL"))
    await node.service.call(node.request("DEL"))
    await node.service.call(node.request("DEL", container="never-added"))

    assert not node.kernel.links


async def test_a_delete_ends_the_wait_of_an_add(node: FakeNode) -> None:
    adding = asyncio.ensure_future(node.service.call(node.request("ADD")))
    await until(lambda: bool(node.changes._waiting))

    await node.service.call(node.request("DEL"))

    with pytest.raises(CniError) as caught:
        await adding
    assert caught.value.code == Code.TRY_AGAIN_LATER


@pytest.mark.parametrize("step", ["create", "apply", "connect"])
async def test_a_plug_that_fails_leaves_nothing_behind(node: FakeNode, step: str) -> None:
    node.see(objects())
    node.kernel.refuse = step
    if step == "apply":  # the undo has rows of its own to take away, which must work by then
        node.kernel.apply = _once(node)  # type: ignore[method-assign]

    failure = await failing(node, "ADD")

    assert failure.code == Code.IO_FAILURE
    assert f"no memory to {step}" in failure.message
    assert (vifs(node), node.kernel.links) == ([], {})
    assert not node.ports.all
    node.kernel.refuse = ""
    assert await node.service.call(node.request("ADD"))


def _once(node: FakeNode):  # type: ignore[no-untyped-def]
    real = node.kernel.apply

    def apply(changes):  # type: ignore[no-untyped-def]
        try:
            real(changes)
        finally:
            node.kernel.refuse = ""

    return apply


async def test_a_delete_that_fails_can_be_repeated(node: FakeNode) -> None:
    node.see(objects())
    await node.service.call(node.request("ADD"))
    node.kernel.refuse = "retire"
    with pytest.raises(OSError, match="retire"):
        await node.service.call(node.request("DEL"))

    node.kernel.refuse = ""
    await node.service.call(node.request("DEL"))

    assert (vifs(node), node.kernel.links) == ([], {})


async def test_check_finds_what_is_missing(node: FakeNode) -> None:
    node.see(objects())
    await node.service.call(node.request("ADD"))
    await node.service.call(node.request("CHECK"))
    node.kernel.links.clear()

    failure = await failing(node, "CHECK")

    assert failure.code == Code.NOT_AS_PLUGGED
    assert "tapeth0-c5f180 is gone" in failure.message


async def test_check_of_an_unknown_container(node: FakeNode) -> None:
    assert (await failing(node, "CHECK")).code == Code.UNKNOWN_CONTAINER


async def test_status_fails_until_the_agent_has_seen_everything(node: FakeNode) -> None:
    node.missing = "instanceips"
    failure = await failing(node, "STATUS")
    node.missing = ""

    assert failure.code == Code.NOT_AVAILABLE
    assert await node.service.call(node.request("STATUS")) is None


async def test_garbage_collection_unplugs_what_is_not_named(node: FakeNode) -> None:
    two = [
        interface(f"m{i}", "blue", "0/1", mac=f"02:00:00:00:00:0{i}", pod=f"p{i}") for i in (1, 2)
    ]
    node.see(
        objects(
            interfaces=two,
            addresses=[address("m1", "blue", "10.0.0.2"), address("m2", "blue", "10.0.0.3")],
        )
    )
    await node.service.call(node.request("ADD", pod="p1"))
    await node.service.call(node.request("ADD", pod="p2"))
    request = node.request("GC")
    listed = [{"containerID": "box-p2", "ifname": "eth0"}]

    await node.service.call(
        type(request)(
            **{
                name: getattr(request, name)
                for name in ("command", "version", "container", "netns", "interface", "arguments")
            },
            config={"cni.dev/valid-attachments": listed},
        )
    )

    assert set(node.kernel.links.values()) == {"box-p2"}


async def test_ports_whose_namespace_vanished_are_swept(node: FakeNode) -> None:
    node.see(objects())
    await node.service.call(node.request("ADD"))
    node.kernel.links.clear()

    await node.service.sweep()

    assert (vifs(node), dict(node.ports.all)) == ([], {})


async def test_the_next_agent_adopts_ports_without_a_write(node: FakeNode, tmp_path: Path) -> None:
    """Also while it has seen no object yet; and an unplug works then."""
    node.see(objects())
    await node.service.call(node.request("ADD"))
    rows = dict(node.kernel.rows)
    later = FakeNode(tmp_path, node.kernel)

    await later.plugs.adopt()

    assert later.ports.of("box-p1") == node.ports.of("box-p1")
    assert later.datapath.pending() == []
    later.see(objects())
    later.datapath.replan_all()
    assert {type(change.row) for change in later.datapath.pending()} <= {
        type(row) for row in later.datapath.rows() if row not in rows.values()
    }
    await later.service.call(later.request("DEL"))
    assert (vifs(later), later.kernel.links) == ([], {})
    later.worker.close()


async def test_links_without_a_record_are_retired(node: FakeNode) -> None:
    node.kernel.links[99] = "crashed"

    await node.plugs.adopt()

    assert node.kernel.links == {}


async def test_records_of_an_earlier_boot_are_dropped(node: FakeNode, tmp_path: Path) -> None:
    node.see(objects())
    await node.service.call(node.request("ADD"))
    path = tmp_path / "ports" / "box-p1.json"
    path.write_bytes(
        msgspec.json.encode(msgspec.json.decode(path.read_bytes()) | {"boot_id": "earlier"})
    )
    later = FakeNode(tmp_path)

    await later.plugs.adopt()

    assert (dict(later.ports.all), path.exists()) == ({}, False)
    later.worker.close()


async def test_what_is_new_about_a_network_is_remembered(node: FakeNode, tmp_path: Path) -> None:
    node.see(objects())
    await node.service.call(node.request("ADD"))
    port = node.ports.of("box-p1")[0]
    changed = msgspec.structs.replace(port.attachment.network, rpf=False)

    await node.plugs.remember(changed)

    later = FakeNode(tmp_path, node.kernel)
    await later.plugs.adopt()
    assert later.ports.of("box-p1")[0].attachment.network == changed
    later.worker.close()


async def test_a_changed_network_leaves_ports_of_other_networks_alone(node: FakeNode) -> None:
    """Of a pod on two networks, only the port on the changed one learns of the change."""
    node.see(
        objects(
            interfaces=[
                interface("m1", "blue", "0/2", mac="02:00:00:00:00:01"),
                interface("m2", "red", "1/2", mac="02:00:00:00:00:02"),
            ],
            addresses=[address("m1", "blue", "10.0.0.2"), address("m2", "red", "10.1.0.2")],
            networks=[network("blue", 5, {"v4": "blue-v4"}), network("red", 6, {"v4": "red-v4"})],
            subnets=[
                subnet("blue-v4", "10.0.0.0/24", "10.0.0.1"),
                subnet("red-v4", "10.1.0.0/24", "10.1.0.1"),
            ],
        )
    )
    await node.service.call(node.request("ADD"))
    blue, red = node.ports.of("box-p1")
    changed = msgspec.structs.replace(red.attachment.network, rpf=False)

    await node.plugs.remember(changed)

    after = node.ports.of("box-p1")
    assert after[0] == blue
    assert after[1].attachment.network == changed
    assert {key: set(ports) for key, ports in node.ports.by_network.items()} == {
        blue.attachment.network.key: {blue.ifindex},
        red.attachment.network.key: {red.ifindex},
    }


async def test_a_record_that_a_power_failure_cut_short_stops_nothing(tmp_path: Path) -> None:
    node = FakeNode(tmp_path)
    (tmp_path / "ports" / "torn.json").write_bytes(b'{"container":')

    await node.plugs.adopt()

    assert not list((tmp_path / "ports").iterdir())
    node.worker.close()
