"""Job (batch/v1)."""

from __future__ import annotations

from cn2.api import schema as s
from cn2.api.access import at, items, mapping, name_of, text
from cn2.api.checks import immutable
from cn2.api.columns import AGE, NAME
from cn2.api.kind import Column, FieldError, Kind, Object
from cn2.api.kubernetes.job_spec import check_job_spec, complete_job_spec, job_spec
from cn2.api.kubernetes.workload import CONTAINERS, IMAGES, SELECTOR
from cn2.api.network_annotations import warn_template
from cn2.api.schema_checks import invalid
from cn2.api.shared_types import conditions

CONTROLLER_UID = "batch.kubernetes.io/controller-uid"
JOB_NAME = "batch.kubernetes.io/job-name"
_LABELS = {CONTROLLER_UID: "uid", "controller-uid": "uid", JOB_NAME: "name", "job-name": "name"}
_LONGEST_NAME = 63
_ENDS = (
    ("Complete", "Complete"),
    ("Failed", "Failed"),
    ("Suspended", "Suspended"),
    ("FailureTarget", "FailureTarget"),
    ("SuccessCriteriaMet", "SuccessCriteriaMet"),
)


def _complete(new: Object, old: Object | None) -> None:
    spec = new.setdefault("spec", {})
    complete_job_spec(spec)
    if old is None and spec.get("manualSelector") is not True:
        _select_own(new)


def _select_own(job: Object) -> None:
    """Labels that no other job's pods have, and a selector for them."""
    metadata, spec = job["metadata"], job["spec"]
    template = spec.setdefault("template", {}).setdefault("metadata", {})
    labels = {label: metadata[field] for label, field in _LABELS.items()}
    template["labels"] = {**mapping(template, "labels"), **labels}
    if not mapping(spec, "selector"):
        spec["selector"] = {"matchLabels": {CONTROLLER_UID: metadata["uid"]}}


def _validate(new: Object, old: Object | None) -> list[FieldError]:
    errors = check_job_spec("spec", mapping(new, "spec"))
    if len(name_of(new)) > _LONGEST_NAME:
        detail = f"must be no more than {_LONGEST_NAME} characters"
        errors.append(invalid("metadata.name", name_of(new), detail))
    fixed = ["spec.selector", "spec.completionMode"]
    if at(old, "spec", "suspend") is not True:
        fixed.append("spec.template")
    if at(new, "spec", "completionMode") != "Indexed":
        fixed.append("spec.completions")
    return errors + immutable(new, old, *fixed)


def _status(obj: Object) -> str:
    true = {
        text(entry, "type")
        for entry in items(obj, "status", "conditions")
        if text(entry, "status") == "True"
    }
    if "Complete" not in true and "Failed" not in true and _is_deleting(obj):
        return "Terminating"
    return next((word for type_, word in _ENDS if type_ in true), "Running")


def _is_deleting(obj: Object) -> bool:
    return bool(text(obj, "metadata", "deletionTimestamp"))


def _completions(obj: Object) -> str:
    succeeded = at(obj, "status", "succeeded", default=0)
    wanted = at(obj, "spec", "completions")
    if wanted is not None:
        return f"{succeeded}/{wanted}"
    parallelism = at(obj, "spec", "parallelism", default=0)
    return f"{succeeded}/1 of {parallelism}" if parallelism > 1 else f"{succeeded}/1"


JOB = Kind(
    group="batch",
    version="v1",
    kind="Job",
    plural="jobs",
    categories=("all",),
    namespaced=True,
    description="Job represents the configuration of a single job.",
    schema=s.whole(
        job_spec("Specification of the desired behavior of a job."),
        s.object(
            "Current status of a job.",
            {
                "active": s.integer("Number of pending and running pods."),
                "completedIndexes": s.string("Indexes that have completed, as 1,3-5,7."),
                "completionTime": s.time("Time when the job was completed."),
                "conditions": conditions(
                    "The latest available observations of an object's current state.",
                    lastProbeTime=s.time("Last time the condition was checked."),
                ),
                "failed": s.integer("Number of pods which reached phase Failed."),
                "ready": s.integer("Number of active pods which have a Ready condition."),
                "startTime": s.time("Time when the job controller started processing a job."),
                "succeeded": s.integer("Number of pods which reached phase Succeeded."),
                "terminating": s.integer("Number of pods which are terminating."),
                "uncountedTerminatedPods": s.object(
                    "UIDs of pods that have ended and are not counted yet.",
                    {
                        "failed": s.set_of(s.string(), "UIDs of failed pods."),
                        "succeeded": s.set_of(s.string(), "UIDs of succeeded pods."),
                    },
                ),
            },
        ),
    ),
    columns=(
        NAME,
        Column(name="Status", cell=_status, description="Status of the job."),
        Column(name="Completions", cell=_completions, description="Pods that succeeded, of all."),
        Column(
            name="Duration",
            path=".status.startTime",
            until=".status.completionTime",
            type="date",
            description="Time required to complete the job.",
        ),
        AGE,
        CONTAINERS,
        IMAGES,
        SELECTOR,
    ),
    status=True,
    selectable_fields=("status.successful",),
    complete=_complete,
    validate=_validate,
    warn=warn_template("spec", "template"),
)
