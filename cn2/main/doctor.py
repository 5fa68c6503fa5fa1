"""What `cn2 doctor` does: gathers what can be had, whatever state the system is in."""

from __future__ import annotations

import asyncio
import datetime
import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec
import yaml

from cn2.cli.doctor import bundle, machine, objects, processes, secrets, verdict
from cn2.cli.doctor.show import show
from cn2.client.health import ask
from cn2.client.http import Client
from cn2.client.kubeconfig import KubeconfigError
from cn2.drivers import mounts
from cn2.main import stored
from cn2.main.console import command, fail, out, say
from cn2.main.up import NATIVE
from cn2.supervisor import census, control
from cn2.supervisor.layout import Layout
from cn2.supervisor.pids import read_pid
from cn2.supervisor.preflight.check import findings
from cn2.supervisor.settings import Settings

_NOTHING: dict[str, Any] = {"counts": {}, "notWell": [], "pods": [], "warnings": [], "error": ""}


def run(layout: Layout, *, as_json: bool, file: Path | None) -> bool:
    """Print the verdict, and write the file if one is wanted; whether nothing severe was found."""
    report, values = asyncio.run(_gathered(layout))
    found = verdict.troubles(report)
    whole = secrets.cleaned({"troubles": [asdict(one) for one in found], **report}, values)
    text = json.dumps(whole, indent=2)
    if as_json:
        print(text)
    else:
        show(out, secrets.cleaned(report, values), [_clean(one, values) for one in found])
    if file is not None:
        told = not report["hidden"] and not report["unread"]
        logs = sorted(layout.log.glob("*.log*")) if told else []
        try:
            bundle.write(file, {"report.json": text}, logs, values)
        except OSError as error:
            raise fail([f"{file} can't be written: {error.strerror}."]) from None
        if not as_json:
            say(f"\nWritten without keys, tokens and Secrets, look through it and send it: {file}")
    return not any(one.severe for one in found)


def _clean(trouble: verdict.Trouble, values: set[str]) -> verdict.Trouble:
    cause, remedy = (secrets.clean(text, values) for text in (trouble.cause, trouble.remedy))
    return verdict.Trouble(cause, remedy, trouble.severe)


async def _gathered(layout: Layout) -> tuple[dict[str, Any], set[str]]:
    """The report, and the values of Secrets that must not be in it."""
    hidden = layout.root.exists() and not os.access(layout.root, os.R_OK | os.X_OK)
    system = None if hidden else control.status(layout.socket)
    settings = _settings(layout)
    said = dict(_NOTHING) if system is None else await _asked(layout)
    values, unread = (set[str](), "") if hidden else _secret_values(layout)
    agent = layout.health_socket("agent")
    return {
        "time": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "dataDir": str(layout.root),
        "hidden": hidden,
        "unread": unread,
        "commands": {verb: command(verb, layout) for verb in ("up", "down")},
        "machine": machine.describe(layout.root),
        "settings": asdict(settings),
        "preflight": [asdict(one) for one in findings(layout, settings, NATIVE)],
        "system": system,
        "left": [] if hidden or system else _left(layout),
        "processes": [] if hidden else await _processes(layout, logs=not unread),
        "agent": {
            "drops": await _page(agent, "drops") or {},
            "ports": await _page(agent, "ports") or [],
            "rows": len(await _page(agent, "rows") or []),
        },
        "objects": said,
        "sizes": {} if hidden else _sizes(layout),
    }, values


def _secret_values(layout: Layout) -> tuple[set[str], str]:
    """What must not be told, and why it is not known ("" when it is): logs are left out then."""
    try:
        return objects.secret_values(stored.secrets(layout.store)), ""
    except ValueError as error:
        return set(), str(error)


def _settings(layout: Layout) -> Settings:
    try:
        return Settings.load(layout) or Settings()
    except (OSError, msgspec.MsgspecError):
        return Settings()


async def _asked(layout: Layout) -> dict[str, Any]:
    try:
        client = Client.from_kubeconfig(layout.kubeconfig, manager="cn2")
    except (OSError, KubeconfigError, yaml.YAMLError) as error:
        return {**_NOTHING, "error": f"{layout.kubeconfig} can't be used: {error}"}
    try:
        return await objects.describe(client)
    finally:
        await client.close()


async def _processes(layout: Layout, *, logs: bool) -> list[dict[str, Any]]:
    """Each process that has ever written a log, whether it runs or not."""
    names = sorted({path.stem for path in layout.log.glob("*.log")} - {"template"})
    found = [
        await processes.describe(
            name,
            read_pid(layout.pid_file(name)),
            layout.health_socket(name),
            layout.log_file(name),
        )
        for name in names
    ]
    return found if logs else [{**one, "log": []} for one in found]


async def _page(socket: Path, name: str) -> Any:
    code, text = await ask(socket, f"/introspect/{name}", seconds=3.0)
    return msgspec.json.decode(text) if code == 200 else None


def _left(layout: Layout) -> list[str]:
    """What a system that has no supervisor still has on this machine."""
    if not layout.used:
        return []
    ours, others = census.inside(layout)
    counted = {
        "processes": len({*census.components(layout), *ours}),
        "strangers in its namespaces": len(others),
        "mounts": len(mounts.below(layout.root)),
    }
    return [f"{count} {what}" for what, count in counted.items() if count]


def _sizes(layout: Layout) -> dict[str, int]:
    """KiB of the parts of the data directory that grow."""
    return {
        directory.name: sum(p.stat().st_size for p in directory.rglob("*") if p.is_file()) >> 10
        for directory in (layout.store, layout.log, layout.pods)
        if directory.exists()
    }
