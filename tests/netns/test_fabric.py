"""The namespaces of one machine."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from cn2.drivers import netns
from cn2.supervisor import fabric
from cn2.supervisor.layout import Layout
from cn2.supervisor.settings import Settings

pytestmark = pytest.mark.root


@pytest.fixture
def layout(tmp_path: Path):
    layout = Layout(tmp_path / "system")
    layout.make()
    yield layout
    for path in layout.netns.iterdir():
        netns.delete(path)


def test_the_node_reaches_the_fabric(layout: Layout) -> None:
    settings = Settings()
    fabric.create(layout, settings)
    fabric.create(layout, settings)
    inside = ["nsenter", f"--net={layout.node_netns(settings.node_name)}"]
    ping = subprocess.run(
        [*inside, "ping", "-c", "1", "-W", "2", settings.fabric_address], capture_output=True
    )

    assert ping.returncode == 0


def test_a_node_that_could_not_be_set_up_does_not_stay(layout: Layout) -> None:
    """What cannot be an address on a link fails, and the next try starts afresh."""
    wrong = Settings(node_address="224.0.0.5")
    with pytest.raises(fabric.FabricError):
        fabric.create(layout, wrong)

    assert not netns.is_namespace(layout.node_netns(wrong.node_name))
