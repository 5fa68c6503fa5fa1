"""What may differ between the transcript and a real answer, each with its reason.

Everything else is compared. A mask is a pattern and what stands for it, applied to both sides;
`only` limits it to commands that begin so. `drop` masks take whole lines (or blocks of lines that
are indented deeper) out of both sides.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Mask:
    reason: str
    pattern: str
    stands_for: str
    only: str = "kubectl"


@dataclass(frozen=True)
class Drop:
    """Lines that match are taken out, with the lines below that are indented deeper."""

    reason: str
    pattern: str
    only: str = "kubectl"


UID = r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"
AGE = r"\b(?:\d+d)?(?:\d+h)?(?:\d+m)?(?:\d+s)?\b"
DESCRIBE_POD = "kubectl describe pods vn1-pod"
DESCRIBE_KUBEMANAGER = "kubectl describe  pod "
EXEC = "kubectl exec"
PASTE_MARKS = "\x1b\\[\\?2004[hl]\r?"
"""Newer shells mark on a terminal where pasted text begins and ends."""

MASKS = (
    Mask("uids are random", UID, "<uid>"),
    Mask("resource versions count all writes", r"(?i)(resource version:) \d+", r"\1 <revision>"),
    Mask("times", r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "<time>"),
    Mask("times", r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4}", "<time>"),
    Mask("ages", r"(?m) (\d+[dhms]){1,2}(?= |$)", " <age>", only="kubectl get"),
    Mask("ages of events", r" (\d+[dhms]){1,2}(?= kubelet| default-)", " <age>"),
    Mask("MACs come from random uids", r"\b02(:[0-9a-f]{2}){5}\b", "<mac>"),
    Mask("link-local addresses come from MACs", r"\bfe80::[0-9a-f:]+", "<link-local>", only=EXEC),
    Mask("interface numbers", r"(?m)^\d+: (\w+)@if\d+:", r"<n>: \1@if<n>:", only=EXEC),
    Mask("container ids", r"Container ID: \S+", "Container ID: <id>"),
    Mask("image ids: there are no images", r"Image ID:.*", "Image ID: <id>"),
    Mask("names that end in random letters", r"kube-api-access-\w{5}", "kube-api-access-<x>"),
    Mask(
        "names that end in a hash of the template and random letters",
        r"contrail-k8s-kubemanager-(?!mk|lab)\w+(-\w{5})?",
        "contrail-k8s-kubemanager-<x>",
        only=DESCRIBE_KUBEMANAGER,
    ),
    Mask(
        "the hash of a pod template",
        r"pod-template-hash=\w+",
        "pod-template-hash=<hash>",
        only=DESCRIBE_KUBEMANAGER,
    ),
    Mask(
        "the generation counts edits of an old system",
        r"Generation: \d+",
        "Generation: <n>",
        only="kubectl describe vr ",
    ),
)

DROPS = (
    Drop("there are no images to pull", r"^  Normal (Pulling|Pulled) ", only=DESCRIBE_POD),
    Drop("the sit driver is not in every kernel", r"^\d+: sit0@NONE", only=EXEC),
)

KUBEMANAGER = (
    Drop("the process is ours: its command line", r"^    Command:", only=DESCRIBE_KUBEMANAGER),
    Drop("there is no image", r"^    Image:", only=DESCRIBE_KUBEMANAGER),
    Drop(
        "health and metrics are served on a unix socket",
        r"^    (Host )?Port:",
        only=DESCRIBE_KUBEMANAGER,
    ),
    Drop(
        "how often it died before", r"^    (Last State|Restart Count):", only=DESCRIBE_KUBEMANAGER
    ),
    Drop(
        "the process uses a client certificate, no token volume",
        r"^    Mounts:|^  kube-api-access-|^Volumes:",
        only=DESCRIBE_KUBEMANAGER,
    ),
    Drop("what happened to it", r"^Events:", only=DESCRIBE_KUBEMANAGER),
    Drop("mirror annotations", r"^Annotations:", only=DESCRIBE_KUBEMANAGER),
)

NEWER_KUBECTL = (
    Drop("kubectl 1.21 and later hide managed fields", r"^  Managed Fields:"),
    Drop("kubectl 1.24 and later show the service account", r"^Service Account:"),
    Drop("condition of Kubernetes 1.28 and later", r"^  PodReadyToStartContainers "),
    Drop("kubectl 1.33 words it differently", r"^    (ConfigMapOptional|Optional):"),
)


def normalise(command: str, text: str, *, newer: bool) -> list[str]:
    """The comparable lines of an answer; `newer` when kubectl is from after the transcript."""
    text = re.sub(PASTE_MARKS, "", text)
    lines = _labels_sorted([_spaces(line) for line in text.splitlines()])
    lines = _columns_flush(lines)
    drops = DROPS + KUBEMANAGER + (NEWER_KUBECTL if newer else ())
    for drop in drops:
        if command.startswith(drop.only):
            lines = _without(lines, drop.pattern)
    joined = "\n".join(lines)
    for mask in MASKS:
        if command.startswith(mask.only):
            joined = re.sub(mask.pattern, mask.stands_for, joined)
    return [line.rstrip() for line in joined.splitlines() if line.strip()]


def _spaces(line: str) -> str:
    """Column widths follow the longest value of a column: one space between words will do."""
    indent = line[: len(line) - len(line.lstrip())]
    return indent + " ".join(line.split())


def _labels_sorted(lines: list[str]) -> list[str]:
    """Labels one a line, sorted: their order follows from hashes, their layout from widths."""
    out: list[str] = []
    labels: list[str] | None = None
    for line in lines:
        if labels is not None and line.startswith(" "):
            labels.append(line.strip())
            continue
        if labels is not None:
            out += [f"  {label}" for label in sorted(labels)]
            labels = None
        if line.startswith("Labels:"):
            out.append("Labels:")
            labels = [line.removeprefix("Labels:").strip()]
            continue
        out.append(line)
    return out


def _columns_flush(lines: list[str]) -> list[str]:
    """How deep these are indented follows from the widest title of the page."""
    out: list[str] = []
    inside = False
    for line in lines:
        if line.startswith(("Annotations:", "Tolerations:")):
            inside = True
        elif not line.startswith(" "):
            inside = False
        elif inside:
            line = "  " + line.lstrip()
        out.append(line)
    return out


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _without(lines: list[str], pattern: str) -> list[str]:
    kept: list[str] = []
    below: int | None = None
    for line in lines:
        if below is not None and _indent(line) > below:
            continue
        below = None
        if re.search(pattern, line):
            below = _indent(line)
            continue
        kept.append(line)
    return kept


def words(text: str) -> list[str]:
    """The words of `kubectl explain`, whose lay-out changed after the transcript."""
    text = re.sub(
        r"GROUP:\s+(\S+)\nKIND:\s+(\S+)\nVERSION:\s+(\S+)", r"KIND: \2 VERSION: \1/\3", text
    )
    return text.replace("<no description>", "").replace("<ObjectMeta>", "<Object>").split()
