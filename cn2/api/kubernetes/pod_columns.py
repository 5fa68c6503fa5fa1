"""Printer columns of pods, by the rules of Kubernetes' own printer (printPod)."""

from __future__ import annotations

from cn2.api.access import at, items, mapping, text
from cn2.api.columns import AGE, NAME
from cn2.api.kind import Column, Object

NONE = "<none>"


def _condition(obj: Object, type_: str) -> str:
    for condition in items(obj, "status", "conditions"):
        if condition.get("type") == type_:
            return text(condition, "status")
    return ""


def _sidecars(obj: Object) -> set[str]:
    """Init containers that keep running beside the others."""
    return {
        text(container, "name")
        for container in items(obj, "spec", "initContainers")
        if container.get("restartPolicy") == "Always"
    }


def _ready(obj: Object) -> str:
    sidecars = _sidecars(obj)
    total = len(items(obj, "spec", "containers")) + len(sidecars)
    lasting = [
        *items(obj, "status", "containerStatuses"),
        *(s for s in items(obj, "status", "initContainerStatuses") if s.get("name") in sidecars),
    ]
    ready = sum(
        bool(status.get("ready")) and "running" in mapping(status, "state") for status in lasting
    )
    return f"{ready}/{total}"


def _ended(terminated: Object) -> str:
    if text(terminated, "reason"):
        return text(terminated, "reason")
    if terminated.get("signal"):
        return f"Signal:{terminated['signal']}"
    return f"ExitCode:{terminated.get('exitCode', 0)}"


def _initializing(obj: Object) -> str:
    """What STATUS says while an init container has not succeeded; "" when all have."""
    total, sidecars = len(items(obj, "spec", "initContainers")), _sidecars(obj)
    for index, status in enumerate(items(obj, "status", "initContainerStatuses")):
        state = mapping(status, "state")
        if status.get("name") in sidecars and status.get("started"):
            continue
        if "terminated" in state:
            if state["terminated"].get("exitCode", 0) == 0:
                continue
            return "Init:" + _ended(state["terminated"])
        reason = text(state, "waiting", "reason")
        if reason and reason != "PodInitializing":
            return "Init:" + reason
        return f"Init:{index}/{total}"
    return ""


def _running(obj: Object, reason: str) -> str:
    has_running = False
    for status in reversed(items(obj, "status", "containerStatuses")):
        state = mapping(status, "state")
        if text(state, "waiting", "reason"):
            reason = text(state, "waiting", "reason")
        elif "terminated" in state:
            reason = _ended(state["terminated"])
        elif status.get("ready") and "running" in state:
            has_running = True
    if reason == "Completed" and has_running:
        return "Running" if _condition(obj, "Ready") == "True" else "NotReady"
    return reason


def pod_status(obj: Object) -> str:
    """The STATUS column."""
    phase = text(obj, "status", "phase")
    reason = text(obj, "status", "reason") or phase
    if items(obj, "spec", "schedulingGates") and not text(obj, "spec", "nodeName"):
        reason = "SchedulingGated"
    reason = _initializing(obj) or _running(obj, reason)
    if at(obj, "metadata", "deletionTimestamp"):
        if text(obj, "status", "reason") == "NodeLost":
            return "Unknown"
        if phase not in ("Succeeded", "Failed"):
            return "Terminating"
    return reason


def _restarted(obj: Object) -> list[Object]:
    first = items(obj, "status", "initContainerStatuses")
    if not _initializing(obj):
        sidecars = _sidecars(obj)
        first = [status for status in first if status.get("name") in sidecars]
        first = [*first, *items(obj, "status", "containerStatuses")]
    return [status for status in first if status.get("restartCount")]


def _restarts(obj: Object) -> str:
    return str(sum(status["restartCount"] for status in _restarted(obj)))


def _last_restart(obj: Object) -> str:
    """When a container that was restarted last ended, "" when none was."""
    ends = (text(status, "lastState", "terminated", "finishedAt") for status in _restarted(obj))
    return max(ends, default="")


def _address(obj: Object) -> str:
    ips = items(obj, "status", "podIPs")
    return (text(ips[0], "ip") if ips else text(obj, "status", "podIP")) or NONE


def _gates(obj: Object) -> str:
    gates = items(obj, "spec", "readinessGates")
    if not gates:
        return NONE
    passed = sum(_condition(obj, text(gate, "conditionType")) == "True" for gate in gates)
    return f"{passed}/{len(gates)}"


POD_COLUMNS = (
    NAME,
    Column(name="Ready", cell=_ready, description="Containers that are ready, of all."),
    Column(name="Status", cell=pod_status, description="The aggregate status of the containers."),
    Column(
        name="Restarts",
        cell=_restarts,
        since=_last_restart,
        description="Number of restarts, and when the last one was.",
    ),
    AGE,
    Column(name="IP", cell=_address, description="Address of the pod.", priority=1),
    Column(
        name="Node",
        cell=lambda obj: text(obj, "spec", "nodeName") or NONE,
        description="The node that the pod is scheduled on.",
        priority=1,
    ),
    Column(
        name="Nominated Node",
        cell=lambda obj: text(obj, "status", "nominatedNodeName") or NONE,
        description="Where the pod may go once others are gone.",
        priority=1,
    ),
    Column(name="Readiness Gates", cell=_gates, description="Gates passed, of all.", priority=1),
)
