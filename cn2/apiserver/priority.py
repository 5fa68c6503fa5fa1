"""Priority admission: a pod's class, or the default one, decides its priority."""

from __future__ import annotations

from cn2.api.access import text
from cn2.api.kind import Kind, Object
from cn2.api.kinds import POD, PRIORITY_CLASS
from cn2.api.kubernetes.priority_class import PREEMPT_LOWER
from cn2.apiserver import codec, keys
from cn2.apiserver.backend import Backend
from cn2.apiserver.errors import forbidden


def admit(backend: Backend, kind: Kind, new: Object, old: Object | None) -> None:
    """Sets a new pod's priority; keeps the default class the only one. Raises Forbidden."""
    if kind is POD and old is None:
        _resolve(backend, new)
    elif kind is PRIORITY_CLASS and new.get("globalDefault"):
        default = _default(backend)
        name = new["metadata"]["name"]
        if default is not None and default["metadata"]["name"] != name:
            why = (
                f"PriorityClass {default['metadata']['name']} is already marked as default."
                " Only one default can exist"
            )
            raise forbidden(kind, name, why)


def _resolve(backend: Backend, pod: Object) -> None:
    spec = pod.setdefault("spec", {})
    name = text(spec, "priorityClassName")
    found = backend.latest_object(PRIORITY_CLASS, "", name) if name else _default(backend)
    if name and found is None:
        why = f"no PriorityClass with name {name} was found"
        raise forbidden(POD, pod["metadata"]["name"], why)
    priority = found["value"] if found else 0
    if spec.get("priority") not in (None, priority):
        why = (
            f"the integer value of priority ({spec['priority']}) must not be provided in pod spec;"
            f" priority admission controller computed {priority} from the given PriorityClass name"
        )
        raise forbidden(POD, pod["metadata"]["name"], why)
    spec["priority"] = priority
    if found:
        spec["priorityClassName"] = found["metadata"]["name"]
    policy = text(found, "preemptionPolicy") or PREEMPT_LOWER
    if spec.get("preemptionPolicy") not in (None, policy):
        why = (
            f"the string value of PreemptionPolicy ({spec['preemptionPolicy']}) must not be"
            " provided in pod spec; priority admission controller computed"
            f" {policy} from the given PriorityClass name"
        )
        raise forbidden(POD, pod["metadata"]["name"], why)
    spec["preemptionPolicy"] = policy


def _default(backend: Backend) -> Object | None:
    for entry in backend.store.latest_under(keys.under(PRIORITY_CLASS)):
        found = codec.decode(entry)
        if found.get("globalDefault"):
            return found
    return None
