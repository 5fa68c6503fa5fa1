"""What is wrong, why, and what to do about it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Report = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that is wrong; `severe` is what keeps a system from its work."""

    cause: str
    remedy: str
    severe: bool = True

    def __str__(self) -> str:
        return f"{self.cause}: {self.remedy}."


def troubles(report: Report) -> list[Trouble]:
    """Everything that is wrong in a report, severe ones first."""
    found = [
        *_system(report),
        *(Trouble(one["cause"], one["remedy"], one["stops"]) for one in report["preflight"]),
        *_processes(report),
        *_objects(report["objects"]),
    ]
    return sorted(found, key=lambda one: not one.severe)


def _system(report: Report) -> Iterator[Trouble]:
    commands = report["commands"]
    if report["unread"]:
        why = "logs are left out of this report, Secrets in them could not be told"
        yield Trouble(report["unread"], why)
    if report["hidden"]:
        yield Trouble("What root alone may see was not looked at", "run this with sudo", False)
    elif report["system"] is None and report["left"]:
        yield Trouble(
            f"No supervisor runs, and there is left of the system: {', '.join(report['left'])}",
            f"`{commands['up']}` goes on with it, `{commands['down']}` removes it",
        )
    elif report["system"] is None:
        yield Trouble("No system runs", f"start it with `{commands['up']}`", False)
    elif not report["system"]["ready"]:
        done = [step["step"] for step in report["system"]["steps"]]
        yield Trouble(
            f"The system is still coming up, after: {', '.join(done) or 'nothing yet'}",
            "see the processes that are not ready",
        )


def _processes(report: Report) -> Iterator[Trouble]:
    supervised = (report["system"] or {}).get("processes", [])
    health = {one["name"]: one["health"] for one in report["processes"]}
    for one in supervised:
        log = f"its log is {one['log']}"
        if one["failures"] > 1:
            cause = f"{one['name']} ended {one['failures']} times in a row ({one['reason']})"
            yield Trouble(cause, log)
        elif not one["ready"]:
            why = "; ".join(line for line in health.get(one["name"], []) if line.startswith("[-]"))
            yield Trouble(f"{one['name']} is not ready" + (f" ({why})" if why else ""), log)
        elif one["restarts"]:
            yield Trouble(f"{one['name']} was started again {_times(one['restarts'])}", log, False)


def _objects(objects: Report) -> Iterator[Trouble]:
    if objects["error"]:
        yield Trouble(f"The API can't be asked ({objects['error']})", "see the API server's log")
    for one in objects["notWell"]:
        where = "/".join(filter(None, (one["namespace"], one["name"])))
        state = "terminating" if one["terminating"] else one["state"]
        yield Trouble(
            f"{one['kind']} {where} is {state}",
            one["observation"] or "its events may say why",
            severe=False,
        )
    for one in objects["pods"]:
        state = "terminating" if one["terminating"] else one["phase"]
        yield Trouble(
            f"Pod {one['namespace']}/{one['name']} is {state} and not ready",
            "; ".join(one["conditions"]) or "its events may say why",
            severe=False,
        )
    for one in (one for one in objects["warnings"] if not one["over"]):
        yield Trouble(
            f"{one['kind']} {one['object']}: {one['reason']} {_times(one['count'])}",
            one["message"].rstrip("."),
            severe=False,
        )


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
