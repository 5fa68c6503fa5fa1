"""The report for people: what is wrong first, then what it was found in."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cn2.cli.doctor.verdict import Trouble


def show(console: Console, report: dict[str, Any], found: list[Trouble]) -> None:
    """Print a report."""
    for trouble in found:
        mark = "[red]✗[/red]" if trouble.severe else "[yellow]![/yellow]"
        console.print(f"{mark} {escape(str(trouble))}", soft_wrap=True)
    if not found:
        console.print("[green]✓[/green] Nothing is wrong.")
    machine, sizes = report["machine"], report["sizes"]
    console.print()
    for name, value in (
        ("cn2", f"{machine['cn2']}, Python {machine['python']}"),
        ("machine", f"{machine['system']}, Linux {machine['kernel']} {machine['architecture']}"),
        (
            "room",
            f"{machine['processors']} processors, {machine['memoryAvailable']} of "
            f"{machine['memory']} MiB memory and {machine['diskFree']} MiB of disk free",
        ),
        ("data", f"{report['dataDir']}: " + ", ".join(f"{k} {v} KiB" for k, v in sizes.items())),
        ("objects", ", ".join(f"{k} {v}" for k, v in report["objects"]["counts"].items() if v)),
        ("drops", ", ".join(f"{k} {v}" for k, v in report["agent"]["drops"].items() if v)),
    ):
        console.print(f"{name:<8} {escape(value or 'none')}", soft_wrap=True)
    console.print()
    processes = Table("PROCESS", "READY", "PID", "MEMORY", "PROCESSOR", "FILES", box=None)
    for process in report["processes"]:
        use = process["use"]
        processes.add_row(
            process["name"],
            "yes" if process["ready"] else "no",
            str(process["pid"] or "-"),
            f"{use['memory']} MiB" if use else "-",
            f"{use['processorSeconds']} s" if use else "-",
            str(use.get("files", "-")),
        )
    console.print(processes)
