"""What to do next for one pod. Pure: the pod as wanted, what has been seen, the time.

The worker carries the actions out in order, looks again, and asks again; so a decision never needs
to remember what an earlier one said.
"""

from __future__ import annotations

import signal
from dataclasses import dataclass

from cn2.api.kind import Object
from cn2.podrunner.runs import (
    Run,
    Sandbox,
    Seen,
    containers,
    epoch,
    init_containers,
    is_sidecar,
)

FIRST_DELAY, LAST_DELAY = 10.0, 300.0
"""Seconds between restarts of a container that keeps ending: doubled from first to last."""
CALM_SECONDS = 600.0
"""A run of this length begins the back-off anew."""
DEFAULT_GRACE = 30


@dataclass(frozen=True, slots=True)
class MakeSandbox:
    """Namespaces, network, volumes."""


@dataclass(frozen=True, slots=True)
class StartContainer:
    name: str
    attempt: int


@dataclass(frozen=True, slots=True)
class SendSignal:
    name: str
    signal: int


@dataclass(frozen=True, slots=True)
class RemoveSandbox:
    """Every process, the network, namespaces, mounts and control groups. Logs stay."""


@dataclass(frozen=True, slots=True)
class Forget:
    """Nothing of the pod is left on this node: its directory and its object may go."""


Action = MakeSandbox | StartContainer | SendSignal | RemoveSandbox | Forget


@dataclass(frozen=True, slots=True)
class Decision:
    actions: tuple[Action, ...] = ()
    wake: float | None = None
    """Epoch seconds at which to ask again when nothing else happens."""


def decide(pod: Object | None, seen: Seen, now: float) -> Decision:
    """The next actions for a pod; `pod` is None when its object is gone or is another's by now."""
    if pod is None:
        return _end(seen, grace=0, now=now)
    if pod["metadata"].get("deletionTimestamp"):
        return _end(seen, grace=grace_seconds(pod), now=now)
    if seen.sandbox is Sandbox.LOST:
        return Decision((RemoveSandbox(),))
    if seen.refusal or is_terminal(pod) or over(pod, seen):
        # The addresses go back; the logs stay until the pod is deleted.
        gone = seen.sandbox is Sandbox.NONE
        return Decision(() if gone else (RemoveSandbox(),))
    wanted = _wanted(pod, seen, now)
    if seen.sandbox is Sandbox.NONE and wanted.actions:
        if seen.sandbox_retry_at > now:
            return Decision(wake=seen.sandbox_retry_at)
        return Decision((MakeSandbox(),))
    return wanted


def is_terminal(pod: Object) -> bool:
    """Whether its status says already that it has ended for good."""
    return (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")


def grace_seconds(pod: Object) -> int:
    """Seconds between SIGTERM and SIGKILL: what the deletion asked for, else the pod's own."""
    for value in (
        pod["metadata"].get("deletionGracePeriodSeconds"),
        pod["spec"].get("terminationGracePeriodSeconds"),
    ):
        if isinstance(value, int):
            return max(0, value)
    return DEFAULT_GRACE


def restart_delay(run: Run, calm: int) -> float:
    """Seconds from the end of `run` to the next: none at first, then 10 doubling to 300.

    `calm` is the attempt from which on the back-off counts.
    """
    if run.seconds >= CALM_SECONDS:
        return 0.0
    level = run.attempt - calm
    return 0.0 if level <= 0 else min(LAST_DELAY, FIRST_DELAY * 2.0 ** min(level - 1, 16))


def restarts(pod: Object, container: Object, run: Run) -> bool:
    """Whether a container that ended this way is started again."""
    if is_sidecar(container):
        return True
    policy = pod["spec"].get("restartPolicy", "Always")
    if policy == "Always" and container in init_containers(pod):
        return run.exit_code != 0
    return policy == "Always" or (policy == "OnFailure" and run.exit_code != 0)


def initialized(pod: Object, seen: Seen) -> bool:
    """Whether every init container has done its work (a sidecar: has been started)."""
    return all(_init_done(container, seen) for container in init_containers(pod))


def over(pod: Object, seen: Seen) -> bool:
    """Whether nothing of the pod runs or will run again (sidecars do not count)."""
    for container in init_containers(pod):
        run = seen.last(container["name"])
        if run and not run.running and run.exit_code and not restarts(pod, container, run):
            return True
    ends = [(container, seen.last(container["name"])) for container in containers(pod)]
    return all(run and not run.running and not restarts(pod, c, run) for c, run in ends)


def _init_done(container: Object, seen: Seen) -> bool:
    run = seen.last(container["name"])
    if run is None or run.error:
        return False
    return is_sidecar(container) or (not run.running and run.exit_code == 0)


def _wanted(pod: Object, seen: Seen, now: float) -> Decision:
    """Starts of containers, as if there were a sandbox."""
    steps = []
    for container in init_containers(pod):
        if is_sidecar(container) or not _init_done(container, seen):
            steps.append(_step(pod, container, seen, now))
        if not _init_done(container, seen):
            return _merged(steps)
    steps += [_step(pod, container, seen, now) for container in containers(pod)]
    return _merged(steps)


def _merged(steps: list[Decision]) -> Decision:
    wakes = [step.wake for step in steps if step.wake is not None]
    actions = tuple(action for step in steps for action in step.actions)
    return Decision(actions, min(wakes, default=None))


def _step(pod: Object, container: Object, seen: Seen, now: float) -> Decision:
    name = container["name"]
    run, calm = seen.last(name), seen.calm.get(name, 0)
    if run and (run.running or not restarts(pod, container, run)):
        return Decision()
    at = epoch(run.finished) + restart_delay(run, calm) if run else now
    if name in seen.held:
        at = max(at, seen.held[name].until)
    if at > now:
        return Decision(wake=at)
    return Decision((StartContainer(name, run.attempt + 1 if run else calm),))


def _end(seen: Seen, *, grace: int, now: float) -> Decision:
    running = seen.running() if seen.sandbox is Sandbox.READY else []
    if not running:
        ending: tuple[Action, ...] = () if seen.sandbox is Sandbox.NONE else (RemoveSandbox(),)
        return Decision((*ending, Forget()))
    since = now if seen.stopping_since is None else seen.stopping_since
    kill_at = since + grace
    if now >= kill_at:
        # Process 1 of the sandbox takes every process with it.
        return Decision((RemoveSandbox(), Forget()))
    fresh = [name for name in running if name not in seen.signalled]
    return Decision(tuple(SendSignal(name, signal.SIGTERM) for name in fresh), wake=kill_at)
