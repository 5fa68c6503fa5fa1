"""What each controller has to do, seen from what the API's watches tell."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from history import History, Told

POD_UID = "kube-manager.juniper.net/pod-uid"


def is_waiting(process: str, history: History) -> bool:
    """Whether something that `process` makes of something else is not there yet."""
    live = {kind: dict(objects) for kind, objects in history.live.items()}
    pods = [pod for pod in live["Pod"].values() if "deletionTimestamp" not in pod["metadata"]]
    match process:
        case "localkube":
            return any(not pod["spec"].get("nodeName") for pod in pods)
        case "controller":
            found = [*live["VirtualNetwork"].values(), *live["InstanceIP"].values()]
            return any(not succeeded(one) for one in found)
    plugged = {pod_uid(address) for address in live["InstanceIP"].values()}
    return not live["NetworkAttachmentDefinition"].keys() <= live["VirtualNetwork"].keys() or any(
        pod["spec"].get("nodeName") and pod["metadata"]["uid"] not in plugged for pod in pods
    )


def intervals(process: str, history: History) -> Iterator[tuple[int, int]]:
    """Revisions (cause, effect) of every piece of work of a process that is seen to be done."""
    match process:
        case "localkube":
            yield from _until(history.told("Pod"), lambda pod: bool(pod["spec"].get("nodeName")))
        case "controller":
            yield from _until(history.told("VirtualNetwork"), succeeded)
            yield from _until(history.told("InstanceIP"), succeeded)
        case "kubemanager":
            yield from _made(history)


def _until(told: list[Told], done: Any) -> Iterator[tuple[int, int]]:
    """From each object's first sight until it is `done`, or gone."""
    began: dict[str, int] = {}
    ended: dict[str, int] = {}
    for one in told:
        began.setdefault(one.uid, one.revision)
        if one.deleted or done(one.object):
            ended.setdefault(one.uid, one.revision)
    return ((began[uid], end) for uid, end in ended.items())


def _made(history: History) -> Iterator[tuple[int, int]]:
    """From a pod's node until its first address; from a definition until its network."""
    addressed: dict[str, int] = {}
    for one in history.told("InstanceIP"):
        addressed.setdefault(pod_uid(one.object), one.revision)
    placed: dict[str, int] = {}
    for one in history.told("Pod"):
        if one.object["spec"].get("nodeName"):
            placed.setdefault(one.uid, one.revision)
        if one.deleted:
            addressed.setdefault(one.uid, one.revision)
    yield from ((placed[uid], at) for uid, at in addressed.items() if uid in placed)
    defined: dict[tuple[str, str], int] = {}
    for one in history.told("NetworkAttachmentDefinition", "VirtualNetwork"):
        if one.kind == "NetworkAttachmentDefinition":
            defined.setdefault(one.key, one.revision)
        elif one.key in defined:
            yield defined.pop(one.key), one.revision


def succeeded(obj: Any) -> bool:
    return bool(obj.get("status", {}).get("state") == "Success")


def pod_uid(obj: Any) -> str:
    """The pod that something was made for."""
    return str(obj["metadata"].get("annotations", {}).get(POD_UID, ""))
