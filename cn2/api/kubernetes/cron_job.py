"""CronJob (batch/v1)."""

from __future__ import annotations

from collections.abc import Callable

from cn2.api import cron
from cn2.api import schema as s
from cn2.api.access import at, items, mapping, name_of, text
from cn2.api.columns import AGE, NAME
from cn2.api.kind import Column, FieldError, Kind, Object
from cn2.api.kubernetes.job_spec import check_job_spec, complete_job_template, job_spec
from cn2.api.network_annotations import warn_template
from cn2.api.object_meta import OBJECT_META
from cn2.api.schema_checks import invalid, required
from cn2.api.shared_types import object_reference

_LONGEST_NAME = 52
"""A Job's name is this and eleven characters more."""


def _complete(new: Object, old: Object | None) -> None:
    complete_job_template(mapping(new, "spec", "jobTemplate", "spec"))


def _validate(new: Object, old: Object | None) -> list[FieldError]:
    spec = mapping(new, "spec")
    errors = check_job_spec("spec.jobTemplate.spec", mapping(spec, "jobTemplate", "spec"))
    schedule = text(spec, "schedule")
    if not schedule:
        errors.append(required("spec.schedule"))
    elif "TZ" in schedule:
        detail = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"
        errors.append(invalid("spec.schedule", schedule, detail))
    else:
        errors += _refused("spec.schedule", schedule, cron.expression)
    if spec.get("timeZone") is not None:
        errors += _refused("spec.timeZone", text(spec, "timeZone"), cron.zone)
    if old is None and len(name_of(new)) > _LONGEST_NAME:
        detail = f"must be no more than {_LONGEST_NAME} characters"
        errors.append(invalid("metadata.name", name_of(new), detail))
    return errors


def _refused(path: str, value: str, parse: Callable[[str], object]) -> list[FieldError]:
    try:
        parse(value)
    except ValueError as error:
        return [invalid(path, value, str(error))]
    return []


def _containers(key: str) -> Callable[[Object], str]:
    path = ("spec", "jobTemplate", "spec", "template", "spec", "containers")
    return lambda obj: ",".join(str(container.get(key, "")) for container in items(obj, *path))


CRON_JOB = Kind(
    group="batch",
    version="v1",
    kind="CronJob",
    plural="cronjobs",
    short_names=("cj",),
    categories=("all",),
    namespaced=True,
    description="CronJob represents the configuration of a single cron job.",
    schema=s.whole(
        s.object(
            "Specification of the desired behavior of a cron job, including the schedule.",
            {
                "concurrencyPolicy": s.string(
                    "How to treat concurrent executions of a job.",
                    enum=("Allow", "Forbid", "Replace"),
                    default="Allow",
                ),
                "failedJobsHistoryLimit": s.integer(
                    "The number of failed finished jobs to retain.", minimum=0, default=1
                ),
                "jobTemplate": s.object(
                    "Specifies the job that will be created when executing a CronJob.",
                    {
                        "metadata": {**OBJECT_META, "default": {}},
                        "spec": job_spec("Specification of the desired behavior of the job."),
                    },
                ),
                "schedule": s.string("The schedule in Cron format."),
                "startingDeadlineSeconds": s.integer(
                    "Seconds after its time at which a job that missed it may still start.",
                    bits=64,
                    minimum=0,
                ),
                "successfulJobsHistoryLimit": s.integer(
                    "The number of successful finished jobs to retain.", minimum=0, default=3
                ),
                "suspend": s.boolean("Suspends subsequent executions.", default=False),
                "timeZone": s.string("The name of the time zone of the schedule."),
            },
            required=("schedule", "jobTemplate"),
        ),
        s.object(
            "Current status of a cron job.",
            {
                "active": s.array(
                    object_reference("A running job."), "Pointers to currently running jobs."
                ),
                "lastScheduleTime": s.time("The last time that the job was scheduled."),
                "lastSuccessfulTime": s.time("The last time that the job completed."),
            },
        ),
    ),
    columns=(
        NAME,
        Column(name="Schedule", path=".spec.schedule", description="The schedule in Cron format."),
        Column(
            name="Timezone",
            cell=lambda obj: text(obj, "spec", "timeZone") or "<none>",
            description="The time zone of the schedule.",
        ),
        Column(
            name="Suspend",
            cell=lambda obj: str(at(obj, "spec", "suspend", default=False)),
            description="Whether executions are suspended.",
        ),
        Column(
            name="Active",
            cell=lambda obj: len(items(obj, "status", "active")),
            type="integer",
            description="Number of running jobs.",
        ),
        Column(
            name="Last Schedule",
            path=".status.lastScheduleTime",
            type="date",
            description="Time since a job was scheduled.",
        ),
        AGE,
        Column(
            name="Containers",
            cell=_containers("name"),
            description="Names of containers.",
            priority=1,
        ),
        Column(
            name="Images",
            cell=_containers("image"),
            description="Images of containers.",
            priority=1,
        ),
        Column(
            name="Selector", cell=lambda _: "<none>", description="Labels of the pods.", priority=1
        ),
    ),
    status=True,
    complete=_complete,
    validate=_validate,
    warn=warn_template("spec", "jobTemplate", "spec", "template"),
)
