"""The indexes of an Indexed Job: which have completed, which are to be made. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from cn2.api.access import annotation
from cn2.api.kind import Object

INDEX = "batch.kubernetes.io/job-completion-index"
"""Annotation and label of a pod."""
VARIABLE = "JOB_COMPLETION_INDEX"
"""In the environment of every container."""


def index_of(pod: Object) -> int | None:
    text = annotation(pod, INDEX)
    return int(text) if text.isdigit() else None


def parse(text: str) -> set[int]:
    """The indexes in status.completedIndexes: `1,3-5,7`."""
    found: set[int] = set()
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        if first.isdigit() and (last.isdigit() or not last):
            found.update(range(int(first), int(last or first) + 1))
    return found


def shown(indexes: Iterable[int]) -> str:
    """Indexes as `1,3-5,7`; two in a row are not joined by a dash, as in Kubernetes."""
    runs: list[list[int]] = []
    for index in sorted(set(indexes)):
        if runs and index == runs[-1][-1] + 1:
            runs[-1].append(index)
        else:
            runs.append([index])
    parts = []
    for run in runs:
        if len(run) > 2:
            parts.append(f"{run[0]}-{run[-1]}")
        else:
            parts += [str(index) for index in run]
    return ",".join(parts)


def next_indexes(completions: int, taken: Iterable[int], number: int) -> list[int]:
    """The lowest indexes that nobody has."""
    have = set(taken)
    free = (index for index in range(completions) if index not in have)
    return [index for index, _ in zip(free, range(number), strict=False)]


def with_index(pod: Object, job: str, index: int) -> Object:
    """A new pod that knows its index: annotation, label, host name, environment, name."""
    metadata, spec = pod["metadata"], pod["spec"]
    metadata["generateName"] = f"{job}-{index}-"
    metadata.setdefault("annotations", {})[INDEX] = str(index)
    metadata.setdefault("labels", {})[INDEX] = str(index)
    spec["hostname"] = f"{job}-{index}"
    source = {"fieldRef": {"fieldPath": f"metadata.annotations['{INDEX}']"}}
    for field in ("initContainers", "containers"):
        for container in spec.get(field) or []:
            known = container.setdefault("env", [])
            if all(variable.get("name") != VARIABLE for variable in known):
                known.append({"name": VARIABLE, "valueFrom": source})
    return pod
