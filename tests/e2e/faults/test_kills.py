"""kill -9 of every process while it works: nothing acknowledged is lost, no packet is lost.

CN2_SOAK_KILLS=300 asks for more kills than the thirty of every day, CN2_SOAK_SEED for the moments
of an earlier run (as far as a machine repeats itself).
"""

from __future__ import annotations

import json
import os
import time
from typing import Any

import pytest
from convergence import settle, shared_addresses
from cut_client import Credentials
from history import History
from killing import Killer
from load import COLLECTIONS, NADS, NAMESPACE, PODS, Load
from machine import Machine
from networks import network
from udp_stream import Stream

KILLS = int(os.environ.get("CN2_SOAK_KILLS", "30"))
"""That hit work under way."""
SEED = int(os.environ.get("CN2_SOAK_SEED", str(time.time_ns() % 1_000_000)))

pytestmark = [pytest.mark.e2e, pytest.mark.alone, pytest.mark.root, pytest.mark.kubectl]
pytestmark += [pytest.mark.timeout(300 + 20 * KILLS)]

CN2 = "/apis/core.contrail.juniper.net/v1alpha1"
WATCHED = {
    "Pod": PODS,
    "NetworkAttachmentDefinition": NADS,
    "VirtualNetwork": f"{CN2}/virtualnetworks",
    "InstanceIP": f"{CN2}/instanceips",
}


def test_nothing_is_lost(capsys: pytest.CaptureFixture[str]) -> None:
    """Kills of each process in turn, of the supervisor and of its template, under load."""
    with Machine() as machine:
        machine.kubectl("create", "namespace", NAMESPACE)
        machine.apply(network("stream", "172.30.0.0/24"))
        stream, control = Stream(machine, "stream"), Stream(machine, "stream", "control")
        control.start()
        stream.start()
        undisturbed = control.end()
        credentials = Credentials(machine.data_dir / "kubeconfig")
        history = History(credentials, WATCHED)
        history.start()
        load = Load(credentials, SEED, networks=3, maps=2)
        load.start()
        killer = Killer(machine, load, history, SEED)
        with capsys.disabled():
            print(f"\nseed {SEED}")
            hits = _kill(machine, killer)
        load.stop()
        settle(machine)
        history.stop()
        disturbed = stream.end()
        live = {
            (path, item["metadata"]["name"]): item
            for path in COLLECTIONS
            for item in _items(machine, path)
            if item["metadata"]["name"] != "kube-root-ca.crt"
        }
        load.ledger.audit(live)
        hits = killer.hits()
        with capsys.disabled():
            print(f"hits {hits}; {load.ledger.acknowledged} acknowledged, ", end="")
            print(f"{load.ledger.unknown} cut; stream {disturbed}, control {undisturbed}")

        assert sum(hits.values()) >= KILLS and min(hits.values()) > 0, hits
        assert load.ledger.acknowledged > 10 * KILLS
        assert load.refused == []
        assert load.ledger.faults == []
        assert history.faults == []
        assert shared_addresses(history) == []
        assert (undisturbed.lost, disturbed.lost) == (0, 0), (undisturbed, disturbed)
        assert disturbed.failed == 0


def _kill(machine: Machine, killer: Killer) -> dict[str, int]:
    """Rounds of kills until enough have hit, with the supervisor's own among them."""
    helpers = ["template", "supervisor", "template"]
    while sum((hits := killer.hits()).values()) < KILLS or not all(hits.values()):
        for process in killer.round():
            killer.kill(process)
        if helpers:
            killer.kill_helper(helper := helpers.pop(0))
            if helper == "supervisor":
                machine.up()
    return hits


def _items(machine: Machine, path: str) -> list[Any]:
    return list(json.loads(machine.kubectl("get", "--raw", path))["items"])
