"""The objects that show a supervised process: Deployment or DaemonSet, ReplicaSet and Pod. Pure."""

from __future__ import annotations

import datetime
import hashlib
from dataclasses import dataclass
from typing import Any

from cn2.api.kind import Object
from cn2.api.kubernetes.mirror import CONFIG_MIRROR, LOG_FILE, MIRROR
from cn2.supervisor.planes import Workload, template_hash
from cn2.supervisor.process import Command, Run


@dataclass(frozen=True, slots=True)
class Shown:
    """What there is to show of one process at one moment."""

    workload: Workload
    command: Command
    node: str
    node_address: str
    log_file: str
    version: str
    current: Run | None
    previous: Run | None
    restarts: int
    ready: bool
    crashing: str = ""
    """Why it ends each time that it is started, "" when it does not."""


def _time(moment: datetime.datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def container(shown: Shown) -> Object:
    """The process as a container of a pod."""
    described: Object = {
        "name": shown.workload.name,
        "image": f"cn2/{shown.workload.name}:{shown.version}",
        "imagePullPolicy": "IfNotPresent",
        "command": list(shown.command.arguments),
    }
    if shown.command.environment:
        described["env"] = [
            {"name": name, "value": value} for name, value in shown.command.environment
        ]
    return described


def pod_spec(shown: Shown) -> Object:
    return {
        "hostNetwork": True,
        "automountServiceAccountToken": False,
        "nodeName": shown.node,
        "nodeSelector": {"node-role.kubernetes.io/master": ""},
        "tolerations": [
            {"effect": "NoSchedule", "operator": "Exists"},
            {"effect": "NoExecute", "operator": "Exists"},
        ],
        "containers": [container(shown)],
    }


def hash_of(shown: Shown) -> str:
    """The pod-template-hash of this process's pod."""
    return template_hash(pod_spec(shown))


def labels(shown: Shown) -> dict[str, str]:
    return {"app": shown.workload.name}


def workload_object(shown: Shown) -> Object | None:
    """The Deployment or DaemonSet, None for a process that is a pod of its own."""
    if not shown.workload.owner:
        return None
    spec: Object = {
        "selector": {"matchLabels": labels(shown)},
        "template": {"metadata": {"labels": labels(shown)}, "spec": pod_spec(shown)},
    }
    if shown.workload.owner == "Deployment":
        spec["replicas"] = 1
    return {
        "apiVersion": "apps/v1",
        "kind": shown.workload.owner,
        "metadata": {
            "name": shown.workload.name,
            "namespace": shown.workload.namespace,
            "labels": labels(shown),
            "annotations": {MIRROR: "true"},
        },
        "spec": spec,
    }


def workload_status(shown: Shown, generation: int) -> Object:
    """Status of the Deployment or DaemonSet at this moment."""
    ready = int(shown.ready)
    if shown.workload.owner == "DaemonSet":
        return {
            "observedGeneration": generation,
            "currentNumberScheduled": 1,
            "desiredNumberScheduled": 1,
            "numberMisscheduled": 0,
            "numberReady": ready,
            "numberAvailable": ready,
            "updatedNumberScheduled": 1,
        }
    return {
        "observedGeneration": generation,
        "replicas": 1,
        "updatedReplicas": 1,
        "readyReplicas": ready,
        "availableReplicas": ready,
        "unavailableReplicas": 1 - ready,
    }


def _owner(owner: Object) -> Object:
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def replica_set(shown: Shown, deployment: Object) -> Object:
    """The ReplicaSet between a Deployment and its pod."""
    marked = {**labels(shown), "pod-template-hash": hash_of(shown)}
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": f"{shown.workload.name}-{hash_of(shown)}",
            "namespace": shown.workload.namespace,
            "labels": marked,
            "annotations": {MIRROR: "true"},
            "ownerReferences": [_owner(deployment)],
        },
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": marked},
            "template": {"metadata": {"labels": marked}, "spec": pod_spec(shown)},
        },
    }


def pod(shown: Shown, owner: Object | None, suffix: str) -> Object:
    """The pod; `suffix` ends the name of a pod that has an owner."""
    marked = labels(shown)
    metadata: Object = {
        "namespace": shown.workload.namespace,
        "annotations": {
            MIRROR: "true",
            LOG_FILE: shown.log_file,
            CONFIG_MIRROR: hash_of(shown),
        },
    }
    if owner is None:
        metadata["name"] = f"{shown.workload.name}-{shown.node}"
    else:
        key = "pod-template-hash" if owner["kind"] == "ReplicaSet" else "controller-revision-hash"
        marked[key] = hash_of(shown)
        metadata["name"] = f"{owner['metadata']['name']}-{suffix}"
        metadata["ownerReferences"] = [_owner(owner)]
    metadata["labels"] = marked
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": pod_spec(shown)}


def _present(shown: Shown) -> Object:
    """As the kubelet says it of a container that keeps ending."""
    run = shown.current
    if run is not None and run.finished is not None and shown.crashing:
        return {"waiting": {"reason": "CrashLoopBackOff", "message": shown.crashing}}
    return _state(run)


def _state(run: Run | None) -> Object:
    if run is None:
        return {"waiting": {"reason": "ContainerCreating"}}
    if run.finished is None:
        return {"running": {"startedAt": _time(run.started)}}
    return {
        "terminated": {
            "exitCode": run.exit_code or 0,
            "reason": "Completed" if run.exit_code == 0 else "Error",
            "startedAt": _time(run.started),
            "finishedAt": _time(run.finished),
            "containerID": container_id(run),
        }
    }


def container_id(run: Run) -> str:
    """An id for one life of a process, made of its pid and its start."""
    digest = hashlib.sha256(f"{run.pid} {run.started.isoformat()}".encode()).hexdigest()
    return f"cn2://{digest}"


def pod_status(shown: Shown, since: str) -> Object:
    """Status of the pod at this moment; `since` is when its conditions last changed (RFC 3339)."""
    run = shown.current
    alive = run is not None and run.finished is None
    status: dict[str, Any] = {
        "name": shown.workload.name,
        "image": f"cn2/{shown.workload.name}:{shown.version}",
        "imageID": "",
        "ready": shown.ready,
        "started": alive,
        "restartCount": shown.restarts,
        "state": (state := _present(shown)),
        "lastState": _state(shown.previous) if shown.previous and "terminated" not in state else {},
    }
    if run is not None:
        status["containerID"] = container_id(run)
    verdict = "True" if shown.ready else "False"
    return {
        "phase": "Running" if run is not None else "Pending",
        "qosClass": "BestEffort",
        "hostIP": shown.node_address,
        "hostIPs": [{"ip": shown.node_address}],
        "podIP": shown.node_address,
        "podIPs": [{"ip": shown.node_address}],
        "startTime": _time(run.started) if run else None,
        "containerStatuses": [status],
        "conditions": [
            {"type": "Initialized", "status": "True", "lastTransitionTime": since},
            {"type": "Ready", "status": verdict, "lastTransitionTime": since},
            {"type": "ContainersReady", "status": verdict, "lastTransitionTime": since},
            {"type": "PodScheduled", "status": "True", "lastTransitionTime": since},
        ],
    }
