"""Probes and hooks of real containers, in real namespaces."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from pod_lab import PodLab, a_pod, deleted, pod_lab, until

from cn2.api.kind import Object

pytestmark = pytest.mark.root

FOREVER = "trap 'exit 0' TERM; while true; do sleep 0.05; done"
SERVER = """python3 -c '
import http.server, pathlib
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if pathlib.Path(self.path).exists() else 503)
        self.end_headers()
http.server.HTTPServer(("10.9.0.5", 8080), Answer).serve_forever()'"""


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[PodLab]:
    directory = tmp_path / "lab"
    directory.mkdir()
    async with pod_lab(directory) as made:
        yield made


def told(lab: PodLab, index: int = 0) -> Object:
    statuses = lab.api.status.get("containerStatuses") or [{}] * (index + 1)
    found: Object = statuses[index]
    return found


def with_probe(pod: Object, **fields: Any) -> Object:
    quick = {"periodSeconds": 1, "failureThreshold": 1}
    for name, value in fields.items():
        pod["spec"]["containers"][0][name] = {**quick, **value} if "Probe" in name else value
    return pod


def with_volume(pod: Object) -> Object:
    """An emptyDir at /tmp of the first container, which the test reaches, too."""
    pod["spec"]["volumes"] = [{"name": "v", "emptyDir": {}}]
    pod["spec"]["containers"][0]["volumeMounts"] = [{"name": "v", "mountPath": "/tmp"}]
    return pod


def events(lab: PodLab, reason: str) -> list[str]:
    return [message for _, was, message in lab.api.events if was == reason]


async def test_an_http_probe_reaches_the_pods_own_address(lab: PodLab) -> None:
    """From inside its namespace; a server at another pod's or the node's address is not meant."""
    wanted = with_probe(
        a_pod("uid-1", SERVER),
        readinessProbe={"httpGet": {"path": "/tmp/ready", "port": "web"}},
        ports=[{"name": "web", "containerPort": 8080}],
    )
    lab.start(with_volume(wanted))
    await until(lambda: "HTTP probe failed with statuscode: 503" in str(events(lab, "Unhealthy")))
    assert told(lab)["started"] and not told(lab)["ready"]
    ready = next(c for c in lab.api.status["conditions"] if c["type"] == "Ready")
    assert ready["message"] == "containers with unready status: [c0]"
    (lab.volume("uid-1", "v") / "ready").touch()
    await until(lambda: told(lab).get("ready"))
    (lab.volume("uid-1", "v") / "ready").unlink()
    await until(lambda: not told(lab).get("ready"))
    assert told(lab)["restartCount"] == 0


async def test_a_tcp_probe_needs_a_listener(lab: PodLab) -> None:
    lab.start(with_probe(a_pod("uid-1", FOREVER), readinessProbe={"tcpSocket": {"port": 81}}))
    await until(lambda: events(lab, "Unhealthy"))
    assert events(lab, "Unhealthy") == [
        "Readiness probe failed: dial tcp 10.9.0.5:81: connect: connection refused"
    ]


async def test_a_failed_liveness_probe_restarts_the_container_with_its_hook(lab: PodLab) -> None:
    wanted = with_probe(
        a_pod("uid-1", f"echo run; {FOREVER}"),
        livenessProbe={"exec": {"command": ["cat", "/tmp/alive"]}},
        lifecycle={"preStop": {"exec": {"command": ["false"]}}},
    )
    lab.start(wanted)
    await until(lambda: told(lab).get("restartCount") == 1 and "running" in told(lab)["state"])
    assert told(lab)["lastState"]["terminated"]["exitCode"] == 0
    assert events(lab, "Unhealthy")[0].startswith("Liveness probe failed: cat: /tmp/alive: No such")
    assert events(lab, "Killing")[0] == "Container c0 failed liveness probe, will be restarted"
    assert events(lab, "FailedPreStopHook")[0] == "PreStopHook failed"


async def test_other_probes_wait_for_the_startup_probe(lab: PodLab) -> None:
    wanted = with_probe(
        a_pod("uid-1", f"sleep 2; touch /tmp/up; {FOREVER}"),
        startupProbe={"exec": {"command": ["test", "-e", "/tmp/up"]}, "failureThreshold": 30},
        livenessProbe={"exec": {"command": ["test", "-e", "/tmp/up"]}},
        readinessProbe={"exec": {"command": ["test", "-e", "/tmp/up"]}},
    )
    lab.start(wanted)
    await until(lambda: "running" in told(lab).get("state", {}))
    assert not told(lab)["started"] and not told(lab)["ready"]
    await until(lambda: told(lab).get("ready"))
    assert told(lab)["started"] and told(lab)["restartCount"] == 0
    assert {text.split()[0] for text in events(lab, "Unhealthy")} == {"Startup"}


async def test_a_probes_command_that_takes_too_long_is_killed(lab: PodLab) -> None:
    probe = {"exec": {"command": ["sleep", "9876"]}, "periodSeconds": 60}
    lab.start(with_probe(a_pod("uid-1", FOREVER), readinessProbe=probe))
    await until(lambda: events(lab, "Unhealthy"))
    assert events(lab, "Unhealthy") == [
        'Readiness probe failed: command timed out: "sleep 9876" timed out after 1s'
    ]
    await until(lambda: not lab.has_process("uid-1", b"9876"))


async def test_health_is_known_again_after_the_pod_runners_own_end(lab: PodLab) -> None:
    """A pod that was ready stays ready, and no container is restarted."""
    probe = {"exec": {"command": ["bash", "-c", "echo >> /tmp/probes; test -e /tmp/up"]}}
    wanted = with_probe(
        a_pod("uid-1", f"touch /tmp/up; {FOREVER}"),
        startupProbe={**probe, "failureThreshold": 30},
        readinessProbe=probe,
        livenessProbe=probe,
    )
    lab.start(with_volume(wanted))
    await until(lambda: told(lab).get("ready"))
    await lab.leave("uid-1")
    lab.api.patches.clear()
    probes = lab.volume("uid-1", "v") / "probes"
    before = probes.stat().st_size
    lab.start({**wanted, "status": dict(lab.api.status)})
    await until(lambda: probes.stat().st_size > before + 4)
    assert told(lab)["ready"] and told(lab)["restartCount"] == 0
    assert lab.api.patches == []


async def test_a_container_begins_when_its_post_start_hook_is_done(lab: PodLab) -> None:
    hook = {"exec": {"command": ["bash", "-c", "until test -e /tmp/go; do sleep 0.05; done"]}}
    wanted = with_probe(a_pod("uid-1", FOREVER, FOREVER), lifecycle={"postStart": hook})
    lab.start(with_volume(wanted))
    await until(lambda: lab.has_process("uid-1", b"go"))
    waits = {"waiting": {"reason": "ContainerCreating"}}
    await until(lambda: [told(lab, i).get("state") for i in (0, 1)] == [waits, waits])
    (lab.volume("uid-1", "v") / "go").touch()
    await until(lambda: told(lab, 1).get("ready") and told(lab, 0).get("ready"))


async def test_a_post_start_hook_that_fails_ends_the_container(lab: PodLab) -> None:
    hook = {"exec": {"command": ["false"]}}
    lab.start(with_probe(a_pod("uid-1", FOREVER), lifecycle={"postStart": hook}))
    await until(lambda: events(lab, "FailedPostStartHook"))
    assert events(lab, "FailedPostStartHook")[0] == "PostStartHook failed"
    await until(lambda: "FailedPostStartHook" in events(lab, "Killing"))
    await until(lambda: told(lab).get("restartCount") == 1)


async def test_a_pre_stop_hook_runs_before_sigterm_within_the_grace(lab: PodLab) -> None:
    script = "trap 'cat /tmp/bye; exit 0' TERM; echo up; while true; do sleep 0.05; done"
    hook = {"exec": {"command": ["bash", "-c", "echo hooked > /tmp/bye"]}}
    wanted = with_probe(a_pod("uid-1", script), lifecycle={"preStop": hook}, stdin=False)
    worker = lab.start(wanted)
    log = lab.place("uid-1").log("c0", 0)
    await until(lambda: log.exists() and "up" in log.read_text())
    kept = log.open()
    worker.update(deleted(wanted))
    await lab.finished("uid-1")
    assert "F hooked" in kept.read()
    kept.close()
