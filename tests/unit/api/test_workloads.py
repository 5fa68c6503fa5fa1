"""What workloads refuse, and what jobs are given."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from typing import Any

import pytest
from kind_examples import EXAMPLES, POD_SPEC, UID

from cn2.api import cron
from cn2.api.kind import Object
from cn2.api.kinds import by_name
from cn2.api.kubernetes.amount import check_amount
from cn2.api.validation import checker
from cn2.apiserver.table import table

NOW = datetime(2022, 8, 19, 20, 59, 39, tzinfo=UTC)


def completed(name: str, old: Object | None = None, **spec: Any) -> Object:
    kind = by_name(name)
    obj = copy.deepcopy(EXAMPLES[name])
    obj["spec"].update(copy.deepcopy(spec))
    obj["spec"] = {key: value for key, value in obj["spec"].items() if value is not None}
    checker(kind).default(obj)
    assert checker(kind).check(obj) == []
    assert kind.complete is not None
    kind.complete(obj, old)
    return obj


def refused(name: str, old: Object | None = None, **spec: Any) -> list[tuple[str, str]]:
    kind = by_name(name)
    obj = completed(name, old, **spec)
    assert kind.validate is not None
    return [(error.field, error.message) for error in kind.validate(obj, old)]


def rolling(**values: Any) -> Object:
    return {"type": "RollingUpdate", "rollingUpdate": values}


@pytest.mark.parametrize(
    ("name", "spec", "field", "message"),
    [
        (
            "Deployment",
            {"strategy": rolling(maxSurge=0, maxUnavailable="0%")},
            "spec.strategy.rollingUpdate.maxUnavailable",
            'Invalid value: "0%": may not be 0 when `maxSurge` is 0',
        ),
        (
            "Deployment",
            {"strategy": rolling(maxUnavailable="101%")},
            "spec.strategy.rollingUpdate.maxUnavailable",
            'Invalid value: "101%": must not be greater than 100%',
        ),
        (
            "Deployment",
            {"strategy": {"type": "Recreate", "rollingUpdate": {"maxSurge": 1}}},
            "spec.strategy.rollingUpdate",
            "Forbidden: may not be specified when strategy `type` is 'Recreate'",
        ),
        (
            "Deployment",
            {"progressDeadlineSeconds": 5, "minReadySeconds": 5},
            "spec.progressDeadlineSeconds",
            "Invalid value: 5: must be greater than minReadySeconds",
        ),
        (
            "DaemonSet",
            {"updateStrategy": rolling(maxUnavailable=0)},
            "spec.updateStrategy.rollingUpdate.maxUnavailable",
            "Required value: cannot be 0 when maxSurge is 0",
        ),
        (
            "Job",
            {"template": {"spec": POD_SPEC}},
            "spec.template.spec.restartPolicy",
            'Required value: valid values: "OnFailure", "Never"',
        ),
        (
            "Job",
            {"completions": None},
            "spec.completions",
            "Required value: when completion mode is Indexed",
        ),
        (
            "CronJob",
            {"schedule": "every day"},
            "spec.schedule",
            'Invalid value: "every day": expected exactly 5 fields, found 2: [every day]',
        ),
        (
            "CronJob",
            {"timeZone": "Mars/Base"},
            "spec.timeZone",
            'Invalid value: "Mars/Base": unknown time zone Mars/Base',
        ),
    ],
)
def test_refusals_name_the_field_and_say_what_is_wrong(
    name: str, spec: Object, field: str, message: str
) -> None:
    assert refused(name, **spec) == [(field, message)]


def test_claims_are_refused_as_nothing_would_ever_bind_them() -> None:
    ((field, message),) = refused(
        "StatefulSet", volumeClaimTemplates=[{"metadata": {"name": "data"}, "spec": {}}]
    )

    assert field == "spec.volumeClaimTemplates"
    assert message.startswith("Forbidden: there is no storage here")


def test_a_stateful_set_keeps_its_identity() -> None:
    old = completed("StatefulSet")

    ((field, message),) = refused("StatefulSet", old, serviceName="other")

    assert (field, message[:59]) == (
        "spec",
        "Forbidden: updates to statefulset spec for fields other tha",
    )
    assert refused("StatefulSet", old, replicas=7) == []


def test_a_job_is_told_from_others_by_its_uid() -> None:
    job = completed("Job")

    assert job["spec"]["selector"] == {"matchLabels": {"batch.kubernetes.io/controller-uid": UID}}
    assert job["spec"]["template"]["metadata"]["labels"] == {
        "batch.kubernetes.io/controller-uid": UID,
        "batch.kubernetes.io/job-name": "pi",
        "controller-uid": UID,
        "job-name": "pi",
    }
    assert job["spec"]["backoffLimit"] == 6
    assert job["spec"]["podReplacementPolicy"] == "TerminatingOrFailed"


def test_a_jobs_template_changes_only_while_it_is_suspended() -> None:
    other = {"spec": {**POD_SPEC, "restartPolicy": "OnFailure"}}
    kind = by_name("Job")
    assert kind.validate is not None
    old = completed("Job")
    new = copy.deepcopy(old)
    new["spec"]["template"] = other

    assert [error.field for error in kind.validate(new, old)] == ["spec.template"]
    old["spec"]["suspend"] = True
    assert kind.validate(new, old) == []


def test_the_names_of_jobs_leave_room_for_labels_and_suffixes() -> None:
    for name, longest in (("Job", 63), ("CronJob", 52)):
        kind = by_name(name)
        assert kind.validate is not None
        obj = completed(name)
        obj["metadata"]["name"] = "x" * (longest + 1)
        (error,) = kind.validate(obj, None)
        assert error.message.endswith(f"must be no more than {longest} characters")


def cells(name: str, **more: Any) -> dict[str, Any]:
    shown = table(by_name(name), [{**EXAMPLES[name], **more}], now=NOW)
    names = [column["name"] for column in shown["columnDefinitions"]]
    return dict(zip(names, shown["rows"][0]["cells"], strict=True))


def test_jobs_are_shown_as_kubectl_shows_them() -> None:
    running = cells("Job")
    assert (running["Status"], running["Completions"], running["Duration"]) == (
        "Running",
        "1/3",
        "60s",
    )
    ended = {
        "startTime": "2022-08-19T20:58:39Z",
        "completionTime": "2022-08-19T20:58:44Z",
        "conditions": [{"type": "Complete", "status": "True"}],
    }
    done = cells("Job", status=ended)
    assert (done["Status"], done["Duration"]) == ("Complete", "5s")
    cron_job = cells("CronJob")
    assert [cron_job[name] for name in ("Schedule", "Timezone", "Suspend", "Active")] == [
        "0 3 * * *",
        "Europe/Berlin",
        "False",
        0,
    ]
    assert cron_job["Last Schedule"] == "60s"


@pytest.mark.parametrize(
    ("schedule", "fields"), [("@daily", "0 0 * * *"), ("*/5 ? * * MON", "*/5 * * * MON")]
)
def test_schedules_are_read_as_kubernetes_reads_them(schedule: str, fields: str) -> None:
    assert cron.expression(schedule) == fields


def test_a_schedule_keeps_its_zones_time_over_the_change_of_the_clock() -> None:
    berlin = cron.zone("Europe/Berlin")
    start = datetime(2026, 3, 28, 12, tzinfo=berlin)
    times = cron.times_after("30 8 * * *", start)

    found = [next(times).astimezone(UTC).isoformat() for _ in range(2)]

    assert found == ["2026-03-29T06:30:00+00:00", "2026-03-30T06:30:00+00:00"]


def test_a_percentage_beyond_all_numbers_is_refused() -> None:
    assert check_amount("p", "9" * 5000 + "%", whole=None)
