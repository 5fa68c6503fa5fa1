"""What `cn2 up` does: from its options to a system that is ready."""

from __future__ import annotations

import os
import subprocess
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import typer

import cn2
from cn2.cli.progress import Progress
from cn2.main import interrupts
from cn2.main.console import command, fail, out, say, warn
from cn2.supervisor import control
from cn2.supervisor.down import down
from cn2.supervisor.launch import TAKEN, launch
from cn2.supervisor.layout import Layout
from cn2.supervisor.ownership import Owner
from cn2.supervisor.pids import read_pid
from cn2.supervisor.preflight import ports
from cn2.supervisor.preflight.check import findings
from cn2.supervisor.preflight.finding import Finding
from cn2.supervisor.preflight.options import differing
from cn2.supervisor.settings import Settings

NATIVE = Path(cn2.__file__).parent / "native"

_POLL = 0.02
"""Seconds between two looks at a system that is coming up."""
_LONG = 30.0
"""Seconds after which a system that is not ready gets people wondering."""
_HOPELESS = 6
"""Times that a process ends without ever having been ready before nobody waits for it."""


class Ended(Exception):
    """The system is not there any more, or never will be; the lines say why."""

    def __init__(self, *lines: str, ours: bool = False) -> None:
        super().__init__(*lines)
        self.lines = lines
        self.ours = ours
        """Whether what is left of it is ours to take down."""


def run(layout: Layout, given: dict[str, Any], *, detach: bool) -> None:
    """Start a system, with what is `given` in place of the settings that it had before."""
    known = _known(layout)
    settings = replace(known or Settings(), **given)
    pid = read_pid(layout.pid_file("supervisor"))
    if pid is not None:
        _join(layout, known, settings, pid)
        return
    settings = _checked(layout, settings, known)
    owner = Owner.of(layout.kubeconfig, os.environ)
    supervisor: subprocess.Popen[bytes] | None = None
    try:
        with interrupts.also_by_terminating():
            with interrupts.held_back():
                supervisor = launch(layout, settings, NATIVE)
            _follow(layout, supervisor)
            owner.give(layout.kubeconfig)
            _say_next(layout)
            if not detach:
                _stay(layout, supervisor)
    except KeyboardInterrupt:
        _undo(layout, supervisor)
        raise typer.Exit(130) from None
    except Ended as error:
        if error.ours:
            _undo(layout, supervisor)
        raise fail(error.lines) from None


def _known(layout: Layout) -> Settings | None:
    """What the system was made with, if there is one that this user may look at."""
    try:
        return Settings.load(layout)
    except PermissionError:
        return None
    except msgspec.MsgspecError as error:
        raise fail([str(_damaged(layout, error))]) from None


def _damaged(layout: Layout, error: Exception) -> Finding:
    return Finding(
        f"{layout.settings} is damaged ({error})",
        f"mend it, or delete the system with `{command('down --purge', layout)}`",
    )


def _checked(layout: Layout, settings: Settings, known: Settings | None) -> Settings:
    """The settings with a port that is free, if nothing is in the way. Warnings are said."""
    found = [*findings(layout, settings, NATIVE), *_store_findings(layout)]
    for finding in found:
        if not finding.stops:
            warn(finding)
    if any(finding.stops for finding in found):
        raise fail(str(finding) for finding in found if finding.stops)
    if settings.port == 0:
        before = replace(settings, port=known.port if known else ports.free_port())
        free = not [*ports.findings(layout, before, root=True)]
        settings = before if free else replace(settings, port=ports.free_port())
    return settings


def _store_findings(layout: Layout) -> list[Finding]:
    """What keeps this release from opening what an earlier or later one has stored."""
    from cn2.api.stored.history import SCHEMAS
    from cn2.store.inspection import obstacle
    from cn2.store.schema import Known

    found = obstacle(layout.store, Known(SCHEMAS, cn2.__version__))
    cause, _, remedy = found.rstrip(".").partition(": ")
    return [Finding(cause, remedy)] if found else []


def _join(layout: Layout, known: Settings | None, settings: Settings, pid: int) -> None:
    """A system runs, or is coming up: wait with whoever started it."""
    found = differing(known, settings)
    if known is not None and settings.port not in (0, known.port):
        found.append(
            Finding(
                f"It has port {known.port}, not {settings.port}",
                f"leave the option out, or end it first with `{command('down', layout)}`",
            )
        )
    already = f"A system runs in {layout.root} already (pid {pid})."
    if found:
        raise fail([already, *map(str, found)])
    say(already)
    while (report := control.status(layout.socket)) is None or not report["ready"]:
        if read_pid(layout.pid_file("supervisor")) != pid:
            raise fail([f"It has ended meanwhile, its log: {layout.log_file('supervisor')}"])
        time.sleep(_POLL)
    if report["version"] != cn2.__version__:
        warn(
            Finding(
                f"It is version {report['version']}, and this command {cn2.__version__}",
                f"`{command('down', layout)}` and `{command('up', layout)}` change to this one",
                stops=False,
            )
        )
    _say_next(layout)


def _say_next(layout: Layout) -> None:
    """The one line to type next."""
    out.print("Ready. Next: ", end="")
    out.print(
        f'eval "$({command("env", layout)})" && kubectl get nodes',
        style="bold",
        markup=False,
        soft_wrap=True,
    )


def _follow(layout: Layout, supervisor: subprocess.Popen[bytes]) -> None:
    """Show the steps of a system that is coming up until it is ready. Raises Ended."""
    progress = Progress(out)
    remind = time.monotonic() + _LONG
    while True:
        if (code := supervisor.poll()) is not None:
            raise _early_end(layout, code)
        report = control.status(layout.socket)
        if report is not None:
            progress.show(report["steps"])
            if report["ready"]:
                return
            for process in report["processes"]:
                if process["failures"] >= _HOPELESS:
                    said = f"{process['name']} ends each time it is started: {process['reason']}"
                    raise Ended(said, f"Its log: {process['log']}", ours=True)
        if time.monotonic() > remind:
            say(f"Still waiting; `{command('status', layout)}` says for what.")
            remind += _LONG
        time.sleep(_POLL)


def _early_end(layout: Layout, code: int) -> Ended:
    if code == TAKEN:
        return Ended(f"Another `cn2 up` is just starting a system in {layout.root}: wait for it.")
    if code == 0:
        return Ended("The system was taken down while it came up.")
    log = layout.log_file("supervisor")
    tail = log.read_text(errors="replace").splitlines()[-8:]
    return Ended(f"The system did not come up, the end of {log}:", *tail, ours=True)


def _stay(layout: Layout, supervisor: subprocess.Popen[bytes]) -> None:
    say("Ctrl-C takes it down.")
    if supervisor.wait() != 0:
        raise Ended(
            f"The supervisor ended ({supervisor.returncode}), pods and processes go on: "
            f"`{command('up', layout)}` starts another one, `{command('down', layout)}` ends all."
        )
    say("It was taken down.")


def _undo(layout: Layout, supervisor: subprocess.Popen[bytes] | None) -> None:
    """Take down what was started; it may not have written down yet that it runs."""
    if supervisor is None:
        return
    with interrupts.told("It is being taken down already.", say):
        supervisor.terminate()
        if supervisor.wait() != TAKEN:
            down(layout)
