"""JobSpec (batch/v1): its schema, defaults and checks, in a Job and in a CronJob's template."""

from __future__ import annotations

from cn2.api import schema as s
from cn2.api.access import mapping
from cn2.api.kind import FieldError, Object, Schema
from cn2.api.kubernetes.pod_checks import check_pod_spec
from cn2.api.kubernetes.pod_defaults import complete_pod_spec
from cn2.api.kubernetes.pod_spec import POD_TEMPLATE
from cn2.api.shared_types import label_selector

INDEXED = "Indexed"
_BACKOFF_LIMIT = 6

JOB_FIELDS: dict[str, Schema] = {
    "activeDeadlineSeconds": s.integer(
        "Seconds that the job may be active before the system tries to terminate it.",
        bits=64,
        minimum=0,
    ),
    "backoffLimit": s.integer("Number of retries before the job is marked failed.", minimum=0),
    "completionMode": s.string("How pod completions are tracked.", enum=("Indexed", "NonIndexed")),
    "completions": s.integer("Desired number of successfully finished pods.", minimum=0),
    "manualSelector": s.boolean("Whether labels and selector are the user's own."),
    "parallelism": s.integer("Most pods that run at any given time.", minimum=0),
    "podReplacementPolicy": s.string(
        "When replacement pods are created.", enum=("Failed", "TerminatingOrFailed")
    ),
    "selector": label_selector("Label query over pods. Normally set by the system."),
    "suspend": s.boolean("Whether the job controller should create pods or not."),
    "template": POD_TEMPLATE,
    "ttlSecondsAfterFinished": s.integer(
        "Seconds after its end at which the job is deleted.", minimum=0
    ),
}


def job_spec(description: str) -> Schema:
    return s.object(description, JOB_FIELDS, required=("template",))


def complete_job_spec(spec: Object) -> None:
    """Kubernetes' defaults of a Job's spec."""
    if spec.get("completions") is None and spec.get("parallelism") is None:
        spec["completions"] = 1
    if spec.get("parallelism") is None:
        spec["parallelism"] = 1
    spec.setdefault("backoffLimit", _BACKOFF_LIMIT)
    spec.setdefault("completionMode", "NonIndexed")
    spec.setdefault("suspend", False)
    spec.setdefault("podReplacementPolicy", "TerminatingOrFailed")
    complete_job_template(spec)


def complete_job_template(spec: Object) -> None:
    """Defaults of the pods that a Job makes."""
    complete_pod_spec(mapping(spec, "template", "spec"))


def check_job_spec(path: str, spec: Object) -> list[FieldError]:
    """What no schema can say of a Job's spec; `path` is where it stands."""
    pod = mapping(spec, "template", "spec")
    errors = check_pod_spec(f"{path}.template.spec", pod)
    if pod.get("restartPolicy") not in ("OnFailure", "Never"):
        errors.append(_required(f"{path}.template.spec.restartPolicy", _POLICIES))
    if spec.get("completionMode") == INDEXED and spec.get("completions") is None:
        detail = "when completion mode is Indexed"
        errors.append(_required(f"{path}.completions", detail))
    return errors


_POLICIES = 'valid values: "OnFailure", "Never"'


def _required(path: str, detail: str) -> FieldError:
    return FieldError(path, f"Required value: {detail}", "FieldValueRequired")
