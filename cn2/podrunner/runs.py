"""What has happened to a pod on this node: its sandbox and the runs of its containers. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from cn2.api.kind import Object

UNKNOWN_END = 137
"""Exit code of a container whose end nobody saw (its sandbox died), as kubelet says it."""


LIVENESS, STARTUP, POST_START = "liveness probe", "startup probe", "postStart hook"
"""What can fail of a running container, so that it is stopped."""


DEADLINE_EXCEEDED = "DeadlineExceeded"


class Sandbox(Enum):
    NONE = "none"
    READY = "ready"
    LOST = "lost"
    """It was made, and its process 1 is gone: what is left must be cleaned up."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of one container. Times are RFC 3339 in UTC, "" for not yet."""

    attempt: int
    """0 for the first run; also the restart count while this is the latest."""
    started: str
    finished: str = ""
    exit_code: int = 0
    signal: int = 0
    error: str = ""
    """Why it could not be started at all."""
    out_of_memory: bool = False
    message: str = ""
    """What the container left as its last words."""
    noted: bool = field(default=False, compare=False)
    """What follows from its end has been done."""
    unhealthy: bool = False
    """It was stopped because a probe failed, or its postStart hook."""

    @property
    def running(self) -> bool:
        return not self.finished

    @property
    def seconds(self) -> float:
        """How long a finished run lasted."""
        return epoch(self.finished) - epoch(self.started)


@dataclass(frozen=True, slots=True)
class Held:
    """A container that cannot be started now, and why."""

    until: float
    """Epoch seconds at which it is tried again."""
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Health:
    """What hooks and probes say of a container's present run."""

    started: bool = True
    """Its postStart hook is done and its startup probe has succeeded."""
    ready: bool = True
    """By its readiness probe, if it has one."""
    failed: str = ""
    """Why it must be stopped: LIVENESS, STARTUP or POST_START."""
    starting: bool = False
    """Its postStart hook is running."""


HEALTHY = Health()


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything that the decision and the status of one pod depend on, besides the pod."""

    sandbox: Sandbox = Sandbox.NONE
    runs: Mapping[str, tuple[Run, ...]] = field(default_factory=dict)
    """By container name, oldest first; the last two are enough."""
    calm: Mapping[str, int] = field(default_factory=dict)
    """By container: the attempt from which on its back-off counts; also the number of its first
    run here, when an earlier life of the node has run it before."""
    held: Mapping[str, Held] = field(default_factory=dict)
    sandbox_retry_at: float = 0.0
    """Epoch seconds before which no sandbox is made again, after a failure."""
    stopping_since: float | None = None
    """Epoch seconds at which the termination began."""
    stopping: Mapping[str, int] = field(default_factory=dict)
    """Containers whose present run is being stopped, with the seconds of grace given to each."""
    health: Mapping[str, Health] = field(default_factory=dict)
    """Of running containers with probes or hooks; the others are well."""
    changed: frozenset[str] = frozenset()
    """Running containers whose definition has changed since they were started."""
    addresses: tuple[str, ...] = ()
    """The pod's own addresses, without prefix length, first the one that is podIP."""
    started: str = ""
    """When this node took the pod on (status.startTime)."""
    refusal: str = ""
    """Why this node does not run the pod at all."""
    failure: str = ""
    """Reason for which the pod was ended, e.g. DEADLINE_EXCEEDED."""

    def last(self, name: str) -> Run | None:
        runs = self.runs.get(name)
        return runs[-1] if runs else None

    def health_of(self, name: str) -> Health:
        return self.health.get(name, HEALTHY)

    def running(self) -> list[str]:
        return [name for name, runs in self.runs.items() if runs and runs[-1].running]


def epoch(stamp: str) -> float:
    """Epoch seconds of an RFC 3339 time in UTC; digits below the microsecond are cut."""
    body = stamp.rstrip("Z")
    whole, _, fraction = body.partition(".")
    moment = datetime.fromisoformat(whole + "+00:00").timestamp()
    return moment + (float(f"0.{fraction}") if fraction else 0.0)


def containers(pod: Object) -> list[Object]:
    found: list[Object] = pod["spec"].get("containers") or []
    return found


def init_containers(pod: Object) -> list[Object]:
    found: list[Object] = pod["spec"].get("initContainers") or []
    return found


def is_sidecar(container: Object) -> bool:
    """An init container that keeps running beside the others."""
    return bool(container.get("restartPolicy") == "Always")


def container_named(pod: Object, name: str) -> Object | None:
    for container in (*init_containers(pod), *containers(pod)):
        if container["name"] == name:
            return container
    return None
