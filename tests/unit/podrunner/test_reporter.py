"""What of a pod's status is written, and how often."""

from kube_server import serving

from cn2.api.kinds import POD
from cn2.podrunner.reporter import StatusReporter

PENDING = {"phase": "Pending", "startTime": "2026-01-01T00:00:00Z"}
RUNNING = {**PENDING, "phase": "Running", "podIP": "10.0.0.2"}


def a_pod(kube):
    metadata = {"name": "p", "namespace": "ns", "uid": "u"}
    return kube.put(POD, {"metadata": metadata, "status": {"phase": "Pending"}})


async def test_a_pod_that_runs_at_once_is_written_once():
    async with serving() as (kube, client):
        reporter = StatusReporter(client, a_pod(kube))

        reporter.report(PENDING)
        reporter.report(RUNNING)
        await reporter.settle()

        assert kube.get(POD, "p", "ns")["status"] == RUNNING
        assert len(kube.writes()) == 1


async def test_a_pod_that_stays_on_its_way_is_written_down_as_waiting():
    async with serving() as (kube, client):
        reporter = StatusReporter(client, a_pod(kube))

        reporter.report(PENDING)
        await reporter.settle()
        assert kube.get(POD, "p", "ns")["status"] == PENDING

        reporter.report(RUNNING)
        await reporter.settle()
        assert kube.get(POD, "p", "ns")["status"] == RUNNING
