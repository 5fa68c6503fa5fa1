"""The status of a pod, as kubelet would write it. Pure."""

from __future__ import annotations

import hashlib
import signal
from datetime import UTC, datetime
from typing import Any

from cn2.api.kind import Object
from cn2.podrunner.decide import initialized, over, restart_delay, restarts
from cn2.podrunner.runs import (
    DEADLINE_EXCEEDED,
    Run,
    Sandbox,
    Seen,
    containers,
    epoch,
    init_containers,
    is_sidecar,
)

RUNTIME = "cn2"
IMAGE_ID = "cn2://host-files"
"""No image is pulled: a container's files are the host's."""


CONDITIONS = ("Initialized", "Ready", "ContainersReady", "PodScheduled")
"""The types that are written here; those of others stay as they are."""


_FAILURES = {DEADLINE_EXCEEDED: "Pod was active on the node longer than the specified deadline"}


def pod_status(pod: Object, seen: Seen, *, host_address: str, now: float) -> Object:
    """The whole status; conditions keep their transition times from the pod's present status."""
    status: Object = {
        "phase": phase(pod, seen),
        "hostIP": host_address,
        "hostIPs": [{"ip": host_address}],
        "startTime": seen.started,
        "conditions": _conditions(pod, seen, now),
        "containerStatuses": [
            container_status(pod, container, seen, now) for container in containers(pod)
        ],
    }
    if seen.failure:
        status |= {"reason": seen.failure, "message": _FAILURES.get(seen.failure, "")}
    if seen.addresses:
        status["podIP"] = seen.addresses[0]
        status["podIPs"] = [{"ip": address} for address in seen.addresses]
    if init_containers(pod):
        status["initContainerStatuses"] = [
            container_status(pod, container, seen, now, init=True)
            for container in init_containers(pod)
        ]
    return status


def phase(pod: Object, seen: Seen) -> str:
    """Pending, Running, Succeeded or Failed, by kubelet's rules."""
    stopping = bool(pod["metadata"].get("deletionTimestamp"))
    runs = [seen.last(container["name"]) for container in containers(pod)]
    if seen.failure and not seen.running():
        return "Failed"
    if (over(pod, seen) and not seen.running()) or (stopping and any(runs) and not seen.running()):
        failed = any(run is None or run.exit_code for run in runs)
        return "Failed" if failed else "Succeeded"
    if not initialized(pod, seen) or any(run is None or run.error for run in runs):
        return "Pending" if not any(run and run.running for run in runs) else "Running"
    return "Running"


def container_status(
    pod: Object, container: Object, seen: Seen, now: float, *, init: bool = False
) -> Object:
    """One entry of containerStatuses."""
    name = container["name"]
    runs = seen.runs.get(name, ())
    run = runs[-1] if runs else None
    state = _state(pod, container, seen, now)
    waits = "waiting" in state
    # A container that waits for its next run tells the end of the last one in lastState.
    ended = run if run and waits and not run.running else (runs[-2] if len(runs) > 1 else None)
    health = seen.health_of(name)
    started = run is not None and run.running and health.started and not health.starting
    status: Object = {
        "name": name,
        "state": state,
        "lastState": {"terminated": _terminated(pod, name, ended)} if ended else {},
        "ready": _is_ready(container, seen)
        if not init or is_sidecar(container)
        else _succeeded(run),
        "started": started,
        "restartCount": run.attempt if run else seen.calm.get(name, 0),
        "image": container.get("image", ""),
        "imageID": IMAGE_ID if run else "",
    }
    if run:
        status["containerID"] = container_id(pod, name, run.attempt)
    return status


def container_id(pod: Object, name: str, attempt: int) -> str:
    """The id of one run, made of what makes it unique: `cn2://` and 64 hexadecimal digits."""
    text = f"{pod['metadata']['uid']}/{name}/{attempt}"
    return f"{RUNTIME}://{hashlib.sha256(text.encode()).hexdigest()}"


def end_reason(run: Run) -> str:
    if run.error:
        return "StartError"
    if run.out_of_memory:
        return "OOMKilled"
    return "Error" if run.exit_code else "Completed"


def _is_ready(container: Object, seen: Seen) -> bool:
    run, health = seen.last(container["name"]), seen.health_of(container["name"])
    return bool(run and run.running and health.started and health.ready)


def _succeeded(run: Run | None) -> bool:
    return run is not None and not run.running and run.exit_code == 0


def _state(pod: Object, container: Object, seen: Seen, now: float) -> Object:
    name = container["name"]
    run = seen.last(name)
    stopping = bool(pod["metadata"].get("deletionTimestamp"))
    if seen.refusal and run is None:
        # It waits and has not failed: a ReplicaSet would make another in its place for ever.
        return {"waiting": {"reason": "NotSupported", "message": seen.refusal}}
    if name in seen.held and (run is None or not run.running):
        held = seen.held[name]
        return {"waiting": {"reason": held.reason, "message": held.message}}
    if run is None:
        main = container in containers(pod)
        initializing = main and bool(init_containers(pod)) and not initialized(pod, seen)
        reason = "PodInitializing" if initializing else "ContainerCreating"
        return {"waiting": {"reason": reason}}
    if run.running and seen.health_of(name).starting:
        return {"waiting": {"reason": "ContainerCreating"}}
    if run.running:
        return {"running": {"startedAt": seconds(run.started)}}
    if stopping or over(pod, seen) or not restarts(pod, container, run):
        return {"terminated": _terminated(pod, name, run)}
    delay = restart_delay(run, seen.calm.get(name, 0))
    if not delay or epoch(run.finished) + delay <= now:
        if seen.sandbox is not Sandbox.READY:
            return {"waiting": {"reason": "ContainerCreating"}}
        return {"terminated": _terminated(pod, name, run)}
    return {"waiting": {"reason": "CrashLoopBackOff", "message": backoff_message(pod, name, delay)}}


def backoff_message(pod: Object, name: str, delay: float) -> str:
    metadata = pod["metadata"]
    who = f"{metadata['name']}_{metadata['namespace']}({metadata['uid']})"
    return f"back-off {_duration(delay)} restarting failed container={name} pod={who}"


def _duration(delay: float) -> str:
    minutes, rest = divmod(int(delay), 60)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"


def _terminated(pod: Object, name: str, run: Run) -> Object:
    ended: Object = {
        "exitCode": run.exit_code,
        "reason": end_reason(run),
        "startedAt": seconds(run.started),
        "finishedAt": seconds(run.finished),
        "containerID": container_id(pod, name, run.attempt),
    }
    if run.error or run.message:
        ended["message"] = run.error or run.message
    if run.signal and run.signal != signal.SIGKILL:
        ended["signal"] = run.signal
    return ended


def seconds(stamp: str) -> str:
    """A time as the API has it: whole seconds."""
    return stamp.partition(".")[0].rstrip("Z") + "Z"


def _conditions(pod: Object, seen: Seen, now: float) -> list[Object]:
    """In the order in which `kubectl describe pod` shows them in the walkthrough."""
    moment = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    waiting = _names(init_containers(pod), lambda c: not _init_ready(c, seen))
    lasting = [*filter(is_sidecar, init_containers(pod)), *containers(pod)]
    unready = _names(lasting, lambda c: not _is_ready(c, seen))
    done = phase(pod, seen) == "Succeeded"
    ready = _verdict("containers with unready status", "ContainersNotReady", unready, done)
    wanted = [
        {
            "type": "Initialized",
            **_verdict("containers with incomplete status", "ContainersNotInitialized", waiting),
        },
        {"type": "Ready", **(ready if ready["status"] == "False" else _gates(pod))},
        {"type": "ContainersReady", **ready},
    ]
    return [*(_kept(pod, condition, moment) for condition in wanted), _scheduled(pod, moment)]


def _gates(pod: Object) -> Object:
    """Whether the conditions that readiness gates name, which others set, let the pod be ready."""
    texts = []
    for gate in pod["spec"].get("readinessGates") or []:
        type_ = gate["conditionType"]
        condition = _present(pod, type_)
        if condition is None:
            texts.append(f'corresponding condition of pod readiness gate "{type_}" does not exist.')
        elif condition.get("status") != "True":
            status = condition.get("status")
            text = f'the status of pod readiness gate "{type_}" is not "True", but {status}'
            texts.append(text)
    if not texts:
        return {"status": "True"}
    return {"status": "False", "reason": "ReadinessGatesNotReady", "message": ", ".join(texts)}


def _init_ready(container: Object, seen: Seen) -> bool:
    run = seen.last(container["name"])
    return bool(run and (run.running if is_sidecar(container) else _succeeded(run)))


def _names(group: list[Object], wanted: Any) -> list[str]:
    return [container["name"] for container in group if wanted(container)]


def _verdict(text: str, reason: str, names: list[str], done: bool = False) -> Object:
    if done:
        return {"status": "False", "reason": "PodCompleted"}
    if not names:
        return {"status": "True"}
    return {"status": "False", "reason": reason, "message": f"{text}: [{' '.join(names)}]"}


def _present(pod: Object, type_: str) -> Object | None:
    for condition in (pod.get("status") or {}).get("conditions") or []:
        if condition.get("type") == type_:
            return dict(condition)
    return None


def _kept(pod: Object, condition: Object, moment: str) -> Object:
    """With the time of its last change, which is now when the status differs."""
    before = _present(pod, condition["type"])
    if before and before.get("status") == condition["status"]:
        moment = before.get("lastTransitionTime") or moment
    return {**condition, "lastTransitionTime": moment}


def _scheduled(pod: Object, moment: str) -> Object:
    """The scheduler's condition stays as it is."""
    return _present(pod, "PodScheduled") or {
        "type": "PodScheduled",
        "status": "True",
        "lastTransitionTime": moment,
    }
