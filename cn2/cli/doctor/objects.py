"""What the API says is not well: objects, pods, Warnings. And the Secrets, to keep them out."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
from collections import Counter
from typing import Any

from cn2.api.kind import Family, Kind, Object
from cn2.api.kinds import KINDS, by_name
from cn2.client.errors import ApiError
from cn2.client.http import Client

_PATIENCE = 10.0
_MOST = 100
"""Entries of a list; what is more is only counted."""
_GOOD = ("Success", "")
_PASSING = ("Unhealthy", "BackOff", "FailedMount", "FailedCreatePodSandBox", "NetworkNotReady")
"""Reasons of Warnings that say nothing of a pod which is well now."""


async def describe(client: Client) -> dict[str, Any]:
    """Counts of all kinds of CN2 and of pods, and what of them is not well; `error` says why
    nothing more is known."""
    found: dict[str, Any] = {"counts": {}, "notWell": [], "pods": [], "warnings": [], "error": ""}
    try:
        async with asyncio.timeout(_PATIENCE):
            for kind in KINDS:
                if kind.family is not Family.KUBERNETES and "list" in kind.verbs:
                    objects = (await client.list(kind)).items
                    found["counts"][kind.kind] = len(objects)
                    found["notWell"] += [_state(kind, one) for one in objects if not _good(one)]
            pods = (await client.list(by_name("Pod"))).items
            found["counts"]["Pod"] = len(pods)
            found["pods"] = [_pod(pod) for pod in pods if not _settled(pod)]
            found["warnings"] = warnings((await client.list(by_name("Event"))).items, pods)
    except (ApiError, OSError) as error:  # TimeoutError is one
        found["error"] = str(error) or "the API server does not answer"
    for name in ("notWell", "pods", "warnings"):
        found["counts"][name] = len(found[name])
        found[name] = found[name][:_MOST]
    return found


def secret_values(secrets: list[Object]) -> set[str]:
    """The values of Secrets, as stored and as meant, also word by word and as JSON writes them."""
    values = set[str]()
    for secret in secrets:
        data = secret.get("data") or {}
        if secret.get("type") == "kubernetes.io/service-account-token":
            data = {"token": data["token"]} if "token" in data else {}  # the rest is public
        for encoded in data.values():
            values.add(encoded)
            try:
                text = base64.b64decode(encoded).decode()
            except (binascii.Error, UnicodeDecodeError):
                continue
            values |= {text, *text.split()}
    return values | {json.dumps(value)[1:-1] for value in values}


def _state(kind: Kind, one: Object) -> dict[str, Any]:
    metadata, status = one["metadata"], one.get("status") or {}
    return {
        "kind": kind.kind,
        "namespace": metadata.get("namespace", ""),
        "name": metadata["name"],
        "state": status.get("state", ""),
        "observation": status.get("observation", ""),
        "terminating": "deletionTimestamp" in metadata,
    }


def _good(one: Object) -> bool:
    status = one.get("status") or {}
    return status.get("state", "") in _GOOD and "deletionTimestamp" not in one["metadata"]


def _settled(pod: Object) -> bool:
    status = pod.get("status") or {}
    if status.get("phase") == "Succeeded":
        return True
    conditions = {one["type"]: one["status"] for one in status.get("conditions") or []}
    return status.get("phase") == "Running" and conditions.get("Ready") == "True"


def _pod(pod: Object) -> dict[str, Any]:
    """Why a pod is not Ready, in the words of its status; nothing of what it runs."""
    status = pod.get("status") or {}
    containers = status.get("containerStatuses") or []
    return {
        "namespace": pod["metadata"]["namespace"],
        "name": pod["metadata"]["name"],
        "phase": status.get("phase", "Pending"),
        "terminating": "deletionTimestamp" in pod["metadata"],
        "conditions": list(
            dict.fromkeys(
                one.get("message") or f"not {one['type']}"
                for one in status.get("conditions") or []
                if one["status"] != "True"
            )
        ),
        "containers": {one["name"]: one.get("state", {}) for one in containers},
    }


def warnings(events: list[Object], pods: list[Object]) -> list[dict[str, Any]]:
    """Warnings by object, reason and message, the newest first, with how often they came.

    Those that are `over` come last: about a pod that is gone, or what passes
    of one that is well.
    """
    well = {pod["metadata"]["uid"]: _settled(pod) for pod in pods}
    times, last = Counter[tuple[str, ...]](), dict[tuple[str, ...], str]()
    lasting = set[tuple[str, ...]]()
    for event in events:
        if event.get("type") != "Warning":
            continue
        on = event.get("involvedObject") or {}
        where = "/".join(filter(None, (on.get("namespace"), on.get("name"))))
        key = (on.get("kind", ""), where, event.get("reason", ""), event.get("message", ""))
        series = event.get("series") or {}
        times[key] += int(series.get("count") or event.get("count") or 1)
        when = series.get("lastObservedTime") or event.get("lastTimestamp") or event["eventTime"]
        last[key] = max(last.get(key, ""), when or "")
        uid, passing = on.get("uid"), event.get("reason") in _PASSING
        if on.get("kind") != "Pod" or (uid in well and not (well[uid] and passing)):
            lasting.add(key)
    return [
        {"kind": kind, "object": where, "reason": reason, "message": message}
        | {"count": times[key], "last": when, "over": key not in lasting}
        for key, when in sorted(
            last.items(), key=lambda one: (one[0] in lasting, one[1]), reverse=True
        )
        for kind, where, reason, message in [key]
    ]
