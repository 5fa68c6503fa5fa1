"""How the commands for people speak."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

import typer
from rich.console import Console
from rich.markup import escape

from cn2.supervisor.layout import DEFAULT_DATA_DIR, Layout
from cn2.supervisor.preflight.finding import Finding

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def say(line: str) -> None:
    """One line, however long: what is in it can be copied."""
    out.print(escape(line), soft_wrap=True)


def fail(lines: Iterable[str]) -> typer.Exit:
    """Say what went wrong; to be raised."""
    for line in lines:
        err.print(f"[red]✗[/red] {escape(line)}", soft_wrap=True)
    return typer.Exit(1)


def warn(finding: Finding) -> None:
    """Say what is not good, and goes on nevertheless."""
    err.print(f"[yellow]![/yellow] {escape(str(finding))}", soft_wrap=True)


def command(verb: str, layout: Layout) -> str:
    """The command line of a verb for this system, as this user has to type it."""
    words = [*_program(), *verb.split()]
    if layout.root != DEFAULT_DATA_DIR:
        words += ["--data-dir", str(layout.root)]
    return shlex.join(words)


def _program() -> list[str]:
    typed = Path(sys.argv[0])
    if typed.name != "cn2":
        return [sys.executable, "-m", "cn2.main"]
    found = shutil.which("cn2")
    return ["cn2"] if found and typed.exists() and typed.samefile(found) else [str(typed)]
