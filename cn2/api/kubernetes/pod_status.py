"""PodStatus (core/v1)."""

from __future__ import annotations

from cn2.api import schema as s
from cn2.api.kind import Schema
from cn2.api.shared_types import conditions

_RUNNING = s.object("Details about a running container.", {"startedAt": s.time()})
_TERMINATED = s.object(
    "Details about a terminated container.",
    {
        "containerID": s.string("Container's ID."),
        "exitCode": s.integer("Exit status from the last termination of the container."),
        "finishedAt": s.time("Time at which the container last terminated."),
        "message": s.string("Message regarding the last termination of the container."),
        "reason": s.string("(brief) reason from the last termination of the container."),
        "signal": s.integer("Signal from the last termination of the container."),
        "startedAt": s.time("Time at which previous execution of the container started."),
    },
)
_WAITING = s.object(
    "Details about a waiting container.",
    {
        "message": s.string("Message regarding why the container is not yet running."),
        "reason": s.string("(brief) reason the container is not yet running."),
    },
)
_STATE = {"running": _RUNNING, "terminated": _TERMINATED, "waiting": _WAITING}

_CONTAINER_STATUS = s.object(
    "Details for the current status of this container.",
    {
        "allocatedResources": s.map_of(s.quantity(), "Compute resources allocated."),
        "containerID": s.string("Container's ID in the format 'type://container_id'."),
        "image": s.string("Name of container image that the container is running."),
        "imageID": s.string("Image ID of the container's image."),
        "lastState": s.object("The last termination state of the container.", _STATE),
        "name": s.string("Name of the container."),
        "ready": s.boolean("Whether the container is currently passing its readiness check."),
        "resources": s.any_object("Compute resources enacted on the running container."),
        "restartCount": s.integer("Number of times the container has been restarted."),
        "started": s.boolean("Whether the container has finished its startup."),
        "state": s.object("Details about the container's current condition.", _STATE),
        "user": s.any_object("User identity of the first process of the container."),
        "volumeMounts": s.array(s.any_object(), "Status of volume mounts."),
    },
)


def _ips(description: str) -> Schema:
    return s.list_map(
        s.object("", {"ip": s.string("The IP address.")}, required=("ip",)), ("ip",), description
    )


def _containers(description: str) -> Schema:
    return s.array(_CONTAINER_STATUS, description)


POD_STATUS: Schema = s.object(
    "Most recently observed status of the pod.",
    {
        "conditions": conditions(
            "Current service state of pod.", lastProbeTime=s.time("Last time it was probed.")
        ),
        "containerStatuses": _containers("Statuses of containers in this pod."),
        "ephemeralContainerStatuses": _containers("Statuses of ephemeral containers."),
        "hostIP": s.string("The IP address of the host to which the pod is assigned."),
        "hostIPs": s.array(s.object("", {"ip": s.string()}), "The IP addresses of the host."),
        "initContainerStatuses": _containers("Statuses of init containers in this pod."),
        "message": s.string("Why the pod is in this condition."),
        "nominatedNodeName": s.string("Where the pod may go once others are gone."),
        "observedGeneration": s.integer("Generation that was observed.", bits=64),
        "phase": s.string(
            "Where the pod is in its lifecycle.",
            enum=("", "Pending", "Running", "Succeeded", "Failed", "Unknown"),
        ),
        "podIP": s.string("IP address allocated to the pod."),
        "podIPs": _ips("The IP addresses allocated to the pod."),
        "qosClass": s.string("The Quality of Service classification assigned to the pod."),
        "reason": s.string("(brief) why the pod is in this state."),
        "resize": s.string("Status of resources resize."),
        "startTime": s.time("Time at which the object was acknowledged by the Kubelet."),
    },
)
