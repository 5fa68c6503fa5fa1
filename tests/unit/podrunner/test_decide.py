"""The decision about one pod: every state it can be in, and whole lives played through it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cn2.api.kind import Object
from cn2.podrunner.decide import (
    Action,
    Decision,
    Forget,
    MakeSandbox,
    RemoveSandbox,
    StartContainer,
    StopContainer,
    decide,
    expired,
    grace_seconds,
    restart_delay,
)
from cn2.podrunner.runs import (
    DEADLINE_EXCEEDED,
    LIVENESS,
    STARTUP,
    Health,
    Held,
    Run,
    Sandbox,
    Seen,
)

NOW = 1_000_000.0


def stamp(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def pod(*names: str, init: tuple[str, ...] = (), policy: str = "Always", **meta: Any) -> Object:
    return {
        "metadata": {"name": "p", "namespace": "d", "uid": "u", **meta},
        "spec": {
            "restartPolicy": policy,
            "containers": [{"name": name} for name in names or ("a",)],
            "initContainers": [{"name": name} for name in init],
        },
    }


def up(attempt: int = 0, began: float = NOW - 5) -> Run:
    return Run(attempt, stamp(began))


def ended(code: int = 0, attempt: int = 0, *, at: float = NOW, lasted: float = 1.0) -> Run:
    return Run(attempt, stamp(at - lasted), stamp(at), exit_code=code)


def seen(sandbox: Sandbox = Sandbox.READY, **runs: Run) -> Seen:
    return Seen(sandbox=sandbox, runs={name: (run,) for name, run in runs.items()})


DELETED = {"deletionTimestamp": "x", "deletionGracePeriodSeconds": 30}


def test_a_new_pod_gets_a_sandbox_first() -> None:
    assert decide(pod(), Seen(), NOW) == Decision((MakeSandbox(),))


def test_a_sandbox_that_failed_waits_for_its_time() -> None:
    waiting = Seen(sandbox_retry_at=NOW + 3)
    assert decide(pod(), waiting, NOW) == Decision(wake=NOW + 3)
    assert decide(pod(), waiting, NOW + 3) == Decision((MakeSandbox(),))


def test_all_containers_start_once_the_sandbox_is_ready() -> None:
    assert decide(pod("a", "b"), seen(), NOW).actions == (
        StartContainer("a", 0),
        StartContainer("b", 0),
    )


def test_nothing_is_done_while_everything_runs() -> None:
    assert decide(pod("a", "b"), seen(a=up(), b=up()), NOW) == Decision()


def test_init_containers_come_one_by_one_before_the_others() -> None:
    wanted = pod("a", init=("i", "j"))
    assert decide(wanted, seen(), NOW).actions == (StartContainer("i", 0),)
    assert decide(wanted, seen(i=up()), NOW).actions == ()
    assert decide(wanted, seen(i=ended()), NOW).actions == (StartContainer("j", 0),)
    assert decide(wanted, seen(i=ended(), j=ended()), NOW).actions == (StartContainer("a", 0),)


@pytest.mark.parametrize(
    ("policy", "again"), [("Always", True), ("OnFailure", True), ("Never", False)]
)
def test_an_init_container_that_fails_is_repeated_or_ends_the_pod(policy: str, again: bool) -> None:
    decision = decide(pod("a", init=("i",), policy=policy), seen(i=ended(1)), NOW)
    assert decision.actions == ((StartContainer("i", 1),) if again else (RemoveSandbox(),))


def test_a_sidecar_runs_beside_the_others_and_is_started_again() -> None:
    wanted = pod("a", init=("s",))
    wanted["spec"]["initContainers"][0]["restartPolicy"] = "Always"
    assert decide(wanted, seen(s=up()), NOW).actions == (StartContainer("a", 0),)
    assert decide(wanted, seen(s=ended(1), a=up()), NOW).actions == (StartContainer("s", 1),)
    done = {**wanted, "spec": {**wanted["spec"], "restartPolicy": "Never"}}
    assert decide(done, seen(s=up(), a=ended()), NOW).actions == (stop("s"),)
    assert decide(done, seen(s=ended(143), a=ended()), NOW).actions == (RemoveSandbox(),)


@pytest.mark.parametrize("policy", ["Always", "OnFailure", "Never"])
@pytest.mark.parametrize("code", [0, 1])
def test_the_restart_policy_decides_about_an_ended_container(policy: str, code: int) -> None:
    restarts = policy == "Always" or (policy == "OnFailure" and code != 0)
    decision = decide(pod(policy=policy), seen(a=ended(code)), NOW)
    assert decision.actions == ((StartContainer("a", 1),) if restarts else (RemoveSandbox(),))


def test_one_container_that_is_done_does_not_end_the_others() -> None:
    assert decide(pod("a", "b", policy="Never"), seen(a=ended(), b=up()), NOW) == Decision()


@pytest.mark.parametrize(
    ("attempt", "delay"), [(0, 0), (1, 10), (2, 20), (3, 40), (5, 160), (6, 300), (60, 300)]
)
def test_the_back_off_doubles_from_10_seconds_to_300(attempt: int, delay: float) -> None:
    run = ended(1, attempt)
    assert restart_delay(run, 0) == delay
    decision = decide(pod(), seen(a=run), NOW)
    if delay:
        assert decision == Decision(wake=NOW + delay)
        assert decide(pod(), seen(a=run), NOW + delay).actions == (
            StartContainer("a", attempt + 1),
        )
    else:
        assert decision.actions == (StartContainer("a", 1),)


def test_a_clock_that_was_set_back_keeps_no_container_waiting() -> None:
    assert decide(pod(), seen(a=ended(1, 3)), NOW - 3600).actions == (StartContainer("a", 4),)


def test_a_long_run_begins_the_back_off_anew() -> None:
    assert restart_delay(ended(1, 9, lasted=600), 0) == 0
    assert restart_delay(ended(1, 10), 10) == 0
    assert restart_delay(ended(1, 11), 10) == 10


def test_the_earliest_restart_wakes_the_worker() -> None:
    runs = seen(a=ended(1, 3), b=ended(1, 1))
    assert decide(pod("a", "b"), runs, NOW) == Decision(wake=NOW + 10)


def test_a_held_container_waits_while_the_others_start() -> None:
    held = replace(seen(), held={"a": Held(NOW + 5, "CreateContainerConfigError", "missing")})
    assert decide(pod("a", "b"), held, NOW) == Decision((StartContainer("b", 0),), NOW + 5)


def test_counting_goes_on_after_the_files_of_earlier_runs_are_lost() -> None:
    known = replace(seen(), calm={"a": 4})
    assert decide(pod(), known, NOW).actions == (StartContainer("a", 4),)


@pytest.mark.parametrize("wanted", [pod(), pod(**DELETED), None])
def test_what_is_left_of_a_lost_sandbox_is_removed(wanted: Object | None) -> None:
    assert decide(wanted, seen(Sandbox.LOST, a=up()), NOW).actions[0] == RemoveSandbox()


def test_a_refused_pod_never_gets_a_sandbox() -> None:
    assert decide(pod(), Seen(refusal="hostNetwork"), NOW) == Decision()
    assert decide(pod(**DELETED), Seen(refusal="hostNetwork"), NOW).actions == (Forget(),)


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
def test_a_pod_that_has_ended_is_not_begun_again(phase: str) -> None:
    assert decide({**pod(), "status": {"phase": phase}}, Seen(), NOW) == Decision()


def stop(name: str, grace: int = 30) -> StopContainer:
    return StopContainer(name, grace, f"Stopping container {name}")


def test_deletion_asks_every_container_once_to_end() -> None:
    wanted, runs = pod("a", "b", **DELETED), seen(a=up(), b=up())
    assert decide(wanted, runs, NOW).actions == (stop("a"), stop("b"))
    asked = replace(runs, stopping_since=NOW, stopping={"a": 30, "b": 30})
    assert decide(wanted, asked, NOW + 1) == Decision()


def test_less_grace_than_was_given_is_told_again_and_none_ends_all() -> None:
    asked = replace(seen(a=up()), stopping_since=NOW, stopping={"a": 30})
    wanted = pod(deletionTimestamp="x", deletionGracePeriodSeconds=5)
    assert decide(wanted, asked, NOW + 1).actions == (stop("a", 4),)
    wanted["metadata"]["deletionGracePeriodSeconds"] = 0
    assert decide(wanted, asked, NOW + 1).actions == (RemoveSandbox(), Forget())


def sidecar_pod(**meta: Any) -> Object:
    wanted = pod("a", init=("s", "t"), **meta)
    for container in wanted["spec"]["initContainers"]:
        container["restartPolicy"] = "Always"
    return wanted


def test_sidecars_are_stopped_after_the_others_last_first_with_the_time_left() -> None:
    wanted = sidecar_pod(**DELETED)
    asked = replace(seen(s=up(), t=up(), a=up()), stopping_since=NOW)
    assert decide(wanted, asked, NOW).actions == (stop("a"),)
    asked = replace(asked, runs={**asked.runs, "a": (ended(143),)})
    assert decide(wanted, asked, NOW + 10).actions == (stop("t", 20),)
    asked = replace(asked, runs={**asked.runs, "t": (ended(143),)})
    assert decide(wanted, asked, NOW + 29).actions == (stop("s", 2),)


def failing(what: str) -> Seen:
    return replace(seen(a=up()), health={"a": Health(failed=what)})


@pytest.mark.parametrize(
    ("what", "field"), [(LIVENESS, "livenessProbe"), (STARTUP, "startupProbe")]
)
@pytest.mark.parametrize(("policy", "end"), [("Always", ", will be restarted"), ("Never", "")])
def test_a_container_that_fails_its_probe_is_stopped_with_the_probes_grace(
    what: str, field: str, policy: str, end: str
) -> None:
    wanted = pod(policy=policy)
    wanted["spec"]["containers"][0][field] = {"terminationGracePeriodSeconds": 7}
    (action,) = decide(wanted, failing(what), NOW).actions
    assert action == StopContainer("a", 7, f"Container a failed {what}{end}")
    assert decide(wanted, replace(failing(what), stopping={"a": 7}), NOW) == Decision()


@pytest.mark.parametrize("policy", ["Always", "OnFailure", "Never"])
def test_what_was_stopped_for_its_health_is_restarted_whatever_it_exited_with(policy: str) -> None:
    run = replace(ended(0), unhealthy=True)
    again = () if policy == "Never" else (StartContainer("a", 1),)
    assert decide(pod(policy=policy), seen(a=run), NOW).actions == (again or (RemoveSandbox(),))


def test_a_container_with_another_image_is_restarted() -> None:
    changed = replace(seen(a=up()), changed=frozenset("a"))
    (action,) = decide(pod(), changed, NOW).actions
    assert action == StopContainer("a", 30, "Container a definition changed, will be restarted")
    assert decide(pod(policy="Never"), changed, NOW) == Decision()


def test_a_container_waits_for_the_post_start_hook_of_the_one_before_it() -> None:
    hooked = replace(seen(a=up()), health={"a": Health(started=False, starting=True)})
    assert decide(pod("a", "b"), hooked, NOW) == Decision()
    assert decide(pod("a", "b"), seen(a=up()), NOW).actions == (StartContainer("b", 0),)


def test_containers_wait_for_the_startup_probe_of_a_sidecar() -> None:
    begun = replace(seen(s=up()), health={"s": Health(started=False)})
    assert decide(sidecar_pod(), begun, NOW) == Decision()


def test_deletion_goes_on_as_soon_as_everything_has_ended() -> None:
    stopped = replace(seen(a=ended(143)), stopping_since=NOW)
    assert decide(pod(**DELETED), stopped, NOW).actions == (RemoveSandbox(), Forget())
    gone = replace(stopped, sandbox=Sandbox.NONE)
    assert decide(pod(**DELETED), gone, NOW).actions == (Forget(),)


def test_grace_zero_kills_at_once() -> None:
    wanted = pod(deletionTimestamp="x", deletionGracePeriodSeconds=0)
    assert decide(wanted, seen(a=up()), NOW).actions == (RemoveSandbox(), Forget())


def test_a_pod_without_object_is_ended_at_once() -> None:
    assert decide(None, seen(a=up()), NOW).actions == (RemoveSandbox(), Forget())
    assert decide(None, Seen(), NOW).actions == (Forget(),)


def test_no_container_is_started_in_a_pod_that_is_to_end() -> None:
    assert decide(pod("a", "b", **DELETED), seen(a=ended(1)), NOW).actions == (
        RemoveSandbox(),
        Forget(),
    )


@pytest.mark.parametrize(
    ("meta", "spec", "grace"), [(7, 3, 7), (None, 3, 3), (None, None, 30), (-5, None, 0)]
)
def test_the_grace_period(meta: int | None, spec: int | None, grace: int) -> None:
    wanted = pod(deletionGracePeriodSeconds=meta)
    wanted["spec"]["terminationGracePeriodSeconds"] = spec
    assert grace_seconds(wanted) == grace


def test_a_pod_is_active_only_until_its_deadline() -> None:
    wanted = pod(policy="Never")
    wanted["spec"]["activeDeadlineSeconds"] = 60
    begun = replace(seen(a=up()), started=stamp(NOW))
    assert decide(wanted, begun, NOW) == Decision(wake=NOW + 60)
    assert not expired(wanted, begun, NOW + 59) and expired(wanted, begun, NOW + 60)
    assert not expired(wanted, replace(begun, runs={"a": (ended(),)}), NOW + 60)
    ending = replace(begun, failure=DEADLINE_EXCEEDED)
    assert decide(wanted, ending, NOW + 61).actions == (stop("a"),)
    stopped = replace(ending, runs={"a": (ended(),)})
    assert decide(wanted, stopped, NOW + 61).actions == (RemoveSandbox(),)
    assert not expired(wanted, stopped, NOW + 61)


class World:
    """Carries decisions out at once; the test says what happens by itself."""

    def __init__(self, wanted: Object) -> None:
        self.pod: Object | None = wanted
        self.seen = Seen()
        self.now = NOW
        self.forgotten = False

    def act(self, action: Action) -> None:
        match action:
            case MakeSandbox():
                assert self.seen.sandbox is Sandbox.NONE
                self.seen = replace(self.seen, sandbox=Sandbox.READY)
            case StartContainer(name, attempt):
                assert self.seen.sandbox is Sandbox.READY
                assert name not in self.seen.running()
                runs = self.seen.runs.get(name, ())
                assert attempt == (runs[-1].attempt + 1 if runs else 0)
                self._put(name, up(attempt, self.now))
            case StopContainer(name, grace, _):
                assert self.seen.stopping.get(name, 99) > grace
                self.seen = replace(self.seen, stopping={**self.seen.stopping, name: grace})
            case RemoveSandbox():
                for name in self.seen.running():
                    self.end(name, 137)
                self.seen = replace(self.seen, sandbox=Sandbox.NONE)
            case Forget():
                assert self.seen.sandbox is Sandbox.NONE
                self.forgotten = True

    def _put(self, name: str, run: Run) -> None:
        self.seen = replace(self.seen, runs={**self.seen.runs, name: (run,)})

    def end(self, name: str, code: int) -> None:
        run = self.seen.last(name)
        assert run is not None
        self._put(name, replace(run, finished=stamp(self.now), exit_code=code))
        left = {other: grace for other, grace in self.seen.stopping.items() if other != name}
        self.seen = replace(self.seen, stopping=left)

    def settle(self) -> None:
        """Until there is nothing to do but wait."""
        for _ in range(50):
            decision = decide(self.pod, self.seen, self.now)
            if not decision.actions or self.forgotten:
                return
            self.act(decision.actions[0])
        raise AssertionError("never settles")


EVENTS = st.sampled_from(["end0", "end1", "lose", "tick", "delete", "gone"])


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(EVENTS, st.integers(0, 3)), max_size=12),
    st.sampled_from(["Always", "OnFailure", "Never"]),
    st.integers(0, 2),
)
def test_whatever_happens_a_deleted_pod_is_forgotten(
    events: list[tuple[str, int]], policy: str, inits: int
) -> None:
    wanted = pod("a", "b", init=tuple(f"i{n}" for n in range(inits)), policy=policy)
    world = World(wanted)
    for event, which in events:
        world.settle()
        running = world.seen.running()
        if event.startswith("end") and running:
            world.end(running[which % len(running)], int(event[3]))
        elif event == "lose" and world.seen.sandbox is Sandbox.READY:
            for name in running:
                world.end(name, 137)
            world.seen = replace(world.seen, sandbox=Sandbox.LOST)
        elif event == "tick":
            world.now += 100
        elif event == "delete" and world.pod is not None:
            world.pod = pod("a", "b", policy=policy, **DELETED)
            world.seen = replace(world.seen, stopping_since=world.now)
        elif event == "gone":
            world.pod = None
    world.pod = None
    world.settle()
    assert world.forgotten
