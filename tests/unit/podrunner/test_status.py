"""What the API is told about a pod."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from cn2.api.kind import Object
from cn2.podrunner.runs import Health, Held, Run, Sandbox, Seen
from cn2.podrunner.status import container_id, pod_status

NOW = 1_660_942_998.0
BEGAN, END = "2022-08-19T21:03:18.123456789Z", "2022-08-19T21:03:28.5Z"


def pod(policy: str = "Always", init: bool = False) -> Object:
    made: Object = {
        "metadata": {"name": "vn1-pod", "namespace": "default", "uid": "u"},
        "spec": {
            "restartPolicy": policy,
            "containers": [{"name": "c", "image": "toolbox"}],
        },
        "status": {
            "conditions": [
                {
                    "type": "PodScheduled",
                    "status": "True",
                    "lastTransitionTime": "2022-08-19T21:00:00Z",
                }
            ]
        },
    }
    if init:
        made["spec"]["initContainers"] = [{"name": "i", "image": "toolbox"}]
    return made


def status(wanted: Object, seen: Seen) -> Object:
    return pod_status(wanted, seen, host_address="192.0.2.1", now=NOW)


def ready(**runs: Run) -> Seen:
    return Seen(
        sandbox=Sandbox.READY,
        runs={name: (run,) for name, run in runs.items()},
        addresses=("10.244.0.5", "fd00::5"),
        started="2022-08-19T21:00:16Z",
    )


def conditions(of: Object) -> dict[str, str]:
    return {condition["type"]: condition["status"] for condition in of["conditions"]}


def test_a_pod_that_is_being_made_waits_for_its_containers() -> None:
    told = status(pod(), Seen(started="2022-08-19T21:00:16Z"))
    assert told["phase"] == "Pending"
    assert told["containerStatuses"][0]["state"] == {"waiting": {"reason": "ContainerCreating"}}
    assert told["startTime"] == "2022-08-19T21:00:16Z"
    assert "podIP" not in told
    assert conditions(told) == {
        "Initialized": "True",
        "Ready": "False",
        "ContainersReady": "False",
        "PodScheduled": "True",
    }
    assert told["conditions"][1]["message"] == "containers with unready status: [c]"


def test_a_running_pod_shows_its_addresses_and_conditions_in_the_walkthroughs_order() -> None:
    told = status(pod(), ready(c=Run(0, BEGAN)))
    assert told["phase"] == "Running"
    assert (told["podIP"], told["podIPs"]) == (
        "10.244.0.5",
        [{"ip": "10.244.0.5"}, {"ip": "fd00::5"}],
    )
    assert told["hostIPs"] == [{"ip": "192.0.2.1"}]
    assert list(conditions(told)) == ["Initialized", "Ready", "ContainersReady", "PodScheduled"]
    assert set(conditions(told).values()) == {"True"}
    container = told["containerStatuses"][0]
    assert container["state"] == {"running": {"startedAt": "2022-08-19T21:03:18Z"}}
    assert container["ready"] and container["started"]
    assert re.fullmatch(r"cn2://[0-9a-f]{64}", container["containerID"])


def test_the_schedulers_condition_is_kept() -> None:
    told = status(pod(), Seen())
    assert told["conditions"][-1] == pod()["status"]["conditions"][0]


def test_a_condition_keeps_its_time_until_it_changes() -> None:
    wanted = pod()
    wanted["status"]["conditions"].append(
        {"type": "Ready", "status": "False", "lastTransitionTime": "2022-08-19T20:00:00Z"}
    )
    before = {c["type"]: c for c in status(wanted, Seen())["conditions"]}
    after = {c["type"]: c for c in status(wanted, ready(c=Run(0, BEGAN)))["conditions"]}
    assert before["Ready"]["lastTransitionTime"] == "2022-08-19T20:00:00Z"
    assert after["Ready"]["lastTransitionTime"] == "2022-08-19T21:03:18Z"


def test_every_run_has_an_id_of_its_own() -> None:
    ids = {container_id(pod(), name, attempt) for name in ("a", "b") for attempt in (0, 1)}
    assert len(ids) == 4


@pytest.mark.parametrize(
    ("run", "reason", "code"),
    [
        (Run(0, BEGAN, END), "Completed", 0),
        (Run(0, BEGAN, END, exit_code=3), "Error", 3),
        (Run(0, BEGAN, END, exit_code=137, signal=9, out_of_memory=True), "OOMKilled", 137),
        (Run(0, BEGAN, END, exit_code=128, error="no such file"), "StartError", 128),
    ],
)
def test_the_end_of_a_container_has_its_reason(run: Run, reason: str, code: int) -> None:
    told = status(pod("Never"), ready(c=run))
    end = told["containerStatuses"][0]["state"]["terminated"]
    assert (end["reason"], end["exitCode"]) == (reason, code)
    assert end["finishedAt"] == "2022-08-19T21:03:28Z"
    assert told["phase"] == ("Failed" if code else "Succeeded")
    assert not told["containerStatuses"][0]["ready"]


def test_a_pod_that_is_done_is_not_ready_because_it_is_completed() -> None:
    told = status(pod("Never"), ready(c=Run(0, BEGAN, END)))
    assert told["conditions"][1]["reason"] == "PodCompleted"


def test_back_off_is_a_waiting_state_with_the_last_end_beside_it() -> None:
    told = status(pod(), ready(c=Run(1, BEGAN, END, exit_code=1)))
    container = told["containerStatuses"][0]
    assert container["state"]["waiting"]["reason"] == "CrashLoopBackOff"
    assert container["state"]["waiting"]["message"] == (
        "back-off 10s restarting failed container=c pod=vn1-pod_default(u)"
    )
    assert container["lastState"]["terminated"]["exitCode"] == 1
    assert container["restartCount"] == 1
    assert told["phase"] == "Running"


def test_a_restarted_container_tells_its_last_end() -> None:
    seen = replace(ready(), runs={"c": (Run(0, BEGAN, END, exit_code=9), Run(1, END))})
    container = status(pod(), seen)["containerStatuses"][0]
    assert "running" in container["state"]
    assert container["lastState"]["terminated"]["exitCode"] == 9
    assert container["restartCount"] == 1


def test_a_container_that_lacks_something_says_what() -> None:
    held = replace(
        ready(), held={"c": Held(NOW, "CreateContainerConfigError", 'configmap "x" not found')}
    )
    waiting = status(pod(), held)["containerStatuses"][0]["state"]["waiting"]
    assert waiting == {
        "reason": "CreateContainerConfigError",
        "message": 'configmap "x" not found',
    }


def test_containers_wait_for_the_init_containers() -> None:
    told = status(pod(init=True), ready(i=Run(0, BEGAN)))
    assert told["phase"] == "Pending"
    assert told["containerStatuses"][0]["state"] == {"waiting": {"reason": "PodInitializing"}}
    assert conditions(told)["Initialized"] == "False"
    done = status(pod(init=True), ready(i=Run(0, BEGAN, END), c=Run(0, END)))
    assert done["initContainerStatuses"][0]["ready"]
    assert conditions(done)["Initialized"] == "True"


def test_a_refused_pod_waits_and_says_why() -> None:
    """One that fails would be replaced by its ReplicaSet at once, without end."""
    told = status(pod(), Seen(refusal="hostNetwork: not here", started=END))
    assert told["phase"] == "Pending"
    waiting = {"reason": "NotSupported", "message": "hostNetwork: not here"}
    assert told["containerStatuses"][0]["state"] == {"waiting": waiting}


@pytest.mark.parametrize(("code", "phase"), [(0, "Succeeded"), (143, "Failed")])
def test_a_deleted_pod_whose_containers_ended_shows_their_end(code: int, phase: str) -> None:
    wanted = pod()
    wanted["metadata"]["deletionTimestamp"] = END
    told = status(wanted, ready(c=Run(0, BEGAN, END, exit_code=code)))
    assert told["phase"] == phase
    assert told["containerStatuses"][0]["state"]["terminated"]["exitCode"] == code


def test_a_pod_past_its_deadline_fails_when_everything_has_ended() -> None:
    late = replace(ready(c=Run(0, BEGAN)), failure="DeadlineExceeded")
    assert status(pod("Never"), late)["phase"] == "Running"
    told = status(pod("Never"), replace(late, runs={"c": (Run(0, BEGAN, END),)}))
    assert (told["phase"], told["reason"]) == ("Failed", "DeadlineExceeded")


def test_last_words_are_told() -> None:
    told = status(pod("Never"), ready(c=Run(0, BEGAN, END, exit_code=1, message="no disk")))
    assert told["containerStatuses"][0]["state"]["terminated"]["message"] == "no disk"


@pytest.mark.parametrize(
    ("health", "started", "is_ready"),
    [
        (Health(started=False, ready=True), False, False),
        (Health(started=True, ready=False), True, False),
        (Health(), True, True),
    ],
)
def test_probes_decide_about_readiness(health: Health, started: bool, is_ready: bool) -> None:
    told = status(pod(), replace(ready(c=Run(0, BEGAN)), health={"c": health}))
    container = told["containerStatuses"][0]
    assert (container["started"], container["ready"]) == (started, is_ready)
    assert conditions(told)["ContainersReady"] == str(is_ready)


def test_a_container_in_its_post_start_hook_is_still_being_made() -> None:
    hooked = replace(ready(c=Run(0, BEGAN)), health={"c": Health(started=False, starting=True)})
    container = status(pod(), hooked)["containerStatuses"][0]
    assert container["state"] == {"waiting": {"reason": "ContainerCreating"}}


def test_readiness_gates_are_others_conditions() -> None:
    wanted = pod()
    wanted["spec"]["readinessGates"] = [{"conditionType": "x/lb"}]
    told = {c["type"]: c for c in status(wanted, ready(c=Run(0, BEGAN)))["conditions"]}
    assert told["ContainersReady"]["status"] == "True"
    assert told["Ready"]["reason"] == "ReadinessGatesNotReady"
    assert told["Ready"]["message"] == (
        'corresponding condition of pod readiness gate "x/lb" does not exist.'
    )
    wanted["status"]["conditions"].append({"type": "x/lb", "status": "True"})
    assert conditions(status(wanted, ready(c=Run(0, BEGAN))))["Ready"] == "True"
