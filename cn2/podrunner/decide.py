"""What to do next for one pod. Pure: the pod as wanted, what has been seen, the time.

The worker carries the actions out in order, looks again, and asks again; so a decision never needs
to remember what an earlier one said.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from cn2.api.kind import Object
from cn2.podrunner.runs import (
    LIVENESS,
    POST_START,
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
CLOCK_SET = 5.0
"""Seconds by which a clock that was set differs at least from where it would be."""
CALM_SECONDS = 600.0
"""A run of this length begins the back-off anew."""
DEFAULT_GRACE = 30
LEAST_GRACE = 2
"""Seconds that a container gets at least between SIGTERM and SIGKILL, when it gets any."""


@dataclass(frozen=True, slots=True)
class MakeSandbox:
    """Namespaces, network, volumes."""


@dataclass(frozen=True, slots=True)
class StartContainer:
    name: str
    attempt: int


@dataclass(frozen=True, slots=True)
class StopContainer:
    """The preStop hook, SIGTERM, and SIGKILL when the seconds of grace are over."""

    name: str
    grace: int
    message: str
    """Of the event."""


@dataclass(frozen=True, slots=True)
class RemoveSandbox:
    """Every process, the network, namespaces, mounts and control groups. Logs stay."""


@dataclass(frozen=True, slots=True)
class Forget:
    """Nothing of the pod is left on this node: its directory and its object may go."""


Action = MakeSandbox | StartContainer | StopContainer | RemoveSandbox | Forget


@dataclass(frozen=True, slots=True)
class Decision:
    actions: tuple[Action, ...] = ()
    wake: float | None = None
    """Epoch seconds at which to ask again when nothing else happens."""


def decide(pod: Object | None, seen: Seen, now: float) -> Decision:
    """The next actions for a pod; `pod` is None when its object is gone or is another's by now."""
    if pod is None:
        return _end(None, seen, grace=0, now=now)
    if pod["metadata"].get("deletionTimestamp"):
        return _end(pod, seen, grace=grace_seconds(pod), now=now)
    if seen.sandbox is Sandbox.LOST:
        return Decision((RemoveSandbox(),))
    if seen.refusal or is_terminal(pod) or seen.failure or over(pod, seen):
        # The addresses go back; the logs stay until the pod is deleted.
        return _wind_down(pod, seen, grace_seconds(pod))
    wanted = _wanted(pod, seen, now)
    if seen.sandbox is Sandbox.NONE and wanted.actions:
        if seen.sandbox_retry_at > now:
            return Decision(wake=seen.sandbox_retry_at)
        return Decision((MakeSandbox(),))
    at = deadline(pod, seen)
    return wanted if at is None else replace(wanted, wake=min(at, wanted.wake or at))


def deadline(pod: Object, seen: Seen) -> float | None:
    """Epoch seconds until which the pod may be active (activeDeadlineSeconds)."""
    seconds = pod["spec"].get("activeDeadlineSeconds")
    return epoch(seen.started) + seconds if seconds is not None and seen.started else None


def expired(pod: Object, seen: Seen, now: float) -> bool:
    """Whether it is active for longer than it may; not when it had done its work before."""
    at = deadline(pod, seen)
    if at is None or now < at or seen.failure or seen.refusal:
        return False
    return not (is_terminal(pod) or over(pod, seen) or pod["metadata"].get("deletionTimestamp"))


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


def restart_at(run: Run, calm: int, now: float) -> float:
    """When a container that has ended is started again, epoch seconds. An end that lies in the
    future is of a clock that was set back since: nobody knows how long ago it was, so at once."""
    ended = epoch(run.finished)
    return now if ended > now + CLOCK_SET else ended + restart_delay(run, calm)


def restarts(pod: Object, container: Object, run: Run) -> bool:
    """Whether a container that ended this way is started again."""
    if is_sidecar(container):
        return True
    if run.unhealthy:
        return bool(pod["spec"].get("restartPolicy") != "Never")
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
    if is_sidecar(container):
        return not run.running or seen.health_of(container["name"]).started
    return not run.running and run.exit_code == 0


def _wanted(pod: Object, seen: Seen, now: float) -> Decision:
    """Starts of containers, as if there were a sandbox."""
    steps = []
    for container in init_containers(pod):
        if is_sidecar(container) or not _init_done(container, seen):
            steps.append(_step(pod, container, seen, now))
        if not _init_done(container, seen):
            return _merged(steps)
    for container in containers(pod):
        steps.append(_step(pod, container, seen, now))
        if seen.health_of(container["name"]).starting:
            break  # the next one waits for its postStart hook
    return _merged(steps)


def _merged(steps: list[Decision]) -> Decision:
    wakes = [step.wake for step in steps if step.wake is not None]
    actions = tuple(action for step in steps for action in step.actions)
    return Decision(actions, min(wakes, default=None))


def _step(pod: Object, container: Object, seen: Seen, now: float) -> Decision:
    name = container["name"]
    run, calm = seen.last(name), seen.calm.get(name, 0)
    if run and run.running:
        return _kept_well(pod, container, seen)
    if run and not restarts(pod, container, run):
        return Decision()
    at = restart_at(run, calm, now) if run else now
    if name in seen.held:
        at = max(at, seen.held[name].until)
    if at > now:
        return Decision(wake=at)
    return Decision((StartContainer(name, run.attempt + 1 if run else calm),))


def _kept_well(pod: Object, container: Object, seen: Seen) -> Decision:
    """A running container is stopped when a probe or its postStart hook has failed, or when its
    image, which alone can change, is another."""
    name = container["name"]
    failed = seen.health_of(name).failed
    if name in seen.stopping:
        return Decision()
    again = is_sidecar(container) or pod["spec"].get("restartPolicy") != "Never"
    if name in seen.changed and again:
        text = f"Container {name} definition changed, will be restarted"
        return Decision((StopContainer(name, grace_seconds(pod), text),))
    if not failed:
        return Decision()
    if failed == POST_START:
        return Decision((StopContainer(name, grace_seconds(pod), "FailedPostStartHook"),))
    probe = container.get("livenessProbe" if failed == LIVENESS else "startupProbe") or {}
    grace = probe.get("terminationGracePeriodSeconds")
    text = f"Container {name} failed {failed}{', will be restarted' if again else ''}"
    return Decision(
        (StopContainer(name, grace_seconds(pod) if grace is None else max(1, grace), text),)
    )


def _end(pod: Object | None, seen: Seen, *, grace: int, now: float) -> Decision:
    """The pod is to go: as `_wind_down`, and then nothing of it stays."""
    if pod is None or grace == 0:
        # Process 1 of the sandbox takes every process with it.
        removed: tuple[Action, ...] = () if seen.sandbox is Sandbox.NONE else (RemoveSandbox(),)
        return Decision((*removed, Forget()))
    since = now if seen.stopping_since is None else seen.stopping_since
    left = int(min(grace, max(LEAST_GRACE, since + grace - now)))
    steps = _wind_down(pod, seen, grace, left)
    running = seen.running() if seen.sandbox is Sandbox.READY else []
    return steps if running else Decision((*steps.actions, Forget()))


def _wind_down(pod: Object, seen: Seen, grace: int, left: int | None = None) -> Decision:
    """Stops what runs: first the containers, then the sidecars, last first. Then the sandbox goes.

    A container that is being stopped with more grace than there is now is told again.
    """
    if seen.sandbox is Sandbox.NONE:
        return Decision()
    running = seen.running() if seen.sandbox is Sandbox.READY else []
    if not running:
        return Decision((RemoveSandbox(),))
    sidecars = [c["name"] for c in init_containers(pod) if is_sidecar(c) and c["name"] in running]
    first = [name for name in running if name not in sidecars]
    return Decision(
        tuple(
            StopContainer(name, grace if left is None else left, f"Stopping container {name}")
            for name in first or sidecars[-1:]
            if name not in seen.stopping or seen.stopping[name] > grace
        )
    )
