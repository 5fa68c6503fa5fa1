"""The command line for people."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

import cn2
from cn2.cli.progress import Progress
from cn2.supervisor import control, preflight
from cn2.supervisor.down import down as take_down
from cn2.supervisor.layout import DEFAULT_DATA_DIR, Layout
from cn2.supervisor.settings import Settings

NATIVE = Path(cn2.__file__).parent / "native"

app = typer.Typer(
    name="cn2",
    no_args_is_help=True,
    add_completion=False,
    help="Kubernetes pods with several interfaces on isolated virtual networks.\n\n"
    'On one machine: `cn2 up --detach`, then `eval "$(cn2 env)"` and kubectl as usual.',
)
out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


class Output(StrEnum):
    TEXT = "text"
    JSON = "json"


DataDir = Annotated[
    Path,
    typer.Option(
        help="Where the system lives; several run side by side.",
        envvar="CN2_DATA_DIR",
        readable=False,
    ),
]
Format = Annotated[Output, typer.Option("-o", "--output", help="text, or json for scripts.")]

_DEFAULTS = Settings()
_POLL = 0.02
"""Seconds between two looks at a system that is coming up."""
_LONG = 30.0
"""Seconds after which a system that is not ready gets people wondering."""


def _fail(lines: list[str]) -> typer.Exit:
    for line in lines:
        err.print(f"[red]✗[/red] {line}", soft_wrap=True)
    return typer.Exit(1)


def _layout(data_dir: Path) -> Layout:
    """The system in a data directory that this user may enter."""
    root = data_dir.resolve()
    if root.exists() and not root.is_dir():
        raise _fail([f"{root} is not a directory: choose another --data-dir."])
    if not os.access(root, os.X_OK) and os.access(root, os.F_OK):
        raise _fail([f"{root} belongs to another user: run as that user, or as root (sudo)."])
    return Layout(root)


@app.command()
def up(
    data_dir: DataDir = DEFAULT_DATA_DIR,
    cluster_name: Annotated[
        str | None,
        typer.Option(
            help="Kubernetes cluster name; CN2's is contrail-k8s-kubemanager-NAME.",
            show_default=_DEFAULTS.cluster_name,
        ),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            help="API server's port on 127.0.0.1; 0 picks a free one.",
            show_default=str(_DEFAULTS.port),
        ),
    ] = None,
    node_name: Annotated[
        str | None, typer.Option(help="Name of the node.", show_default=_DEFAULTS.node_name)
    ] = None,
    node_address: Annotated[
        str | None,
        typer.Option(
            help="The node's IPv4 address on the underlay.", show_default=_DEFAULTS.node_address
        ),
    ] = None,
    pod_v6_subnet: Annotated[
        str | None,
        typer.Option(help="IPv6 subnet of the default pod network, e.g. fd00:244::/64."),
    ] = None,
    detach: Annotated[
        bool, typer.Option("--detach", help="Return when the system is ready and leave it running.")
    ] = False,
) -> None:
    """Start a whole system on this machine and wait until it is ready. A system that was here
    before comes back with the options that it had."""
    layout = _layout(data_dir)
    known = Settings.load(layout)
    given = {
        "cluster_name": cluster_name,
        "port": port,
        "node_name": node_name,
        "node_address": node_address,
        "pod_v6_subnet": pod_v6_subnet,
    }
    chosen: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    settings = replace(known or _DEFAULTS, **chosen)
    found = preflight.findings(layout, settings, NATIVE) or _store_findings(layout)
    if found:
        raise _fail(found)
    if port == 0:
        settings = replace(settings, port=known.port if known else preflight.free_port())
        if preflight.findings(layout, settings, NATIVE):
            settings = replace(settings, port=preflight.free_port())
    supervisor: subprocess.Popen[bytes] | None = None
    try:
        with _uninterrupted():
            supervisor = _spawn(layout, settings)
        _follow(layout, supervisor)
    except KeyboardInterrupt:
        if supervisor is not None:  # it may not have written down yet that it runs
            supervisor.terminate()
            supervisor.wait()
        take_down(layout)
        raise typer.Exit(130) from None
    _hand_over(layout.kubeconfig)
    option = "" if layout.root == DEFAULT_DATA_DIR else f" --data-dir {layout.root}"
    out.print(
        f'Ready. Next: [bold]eval "$(cn2 env{option})" && kubectl get nodes[/bold]', soft_wrap=True
    )
    if detach:
        return
    out.print("Ctrl-C takes it down.")
    try:
        supervisor.wait()
        raise _fail([f"the supervisor ended, its log: {layout.log_file('supervisor')}"])
    except KeyboardInterrupt:
        take_down(layout)


def _store_findings(layout: Layout) -> list[str]:
    """What keeps this release from opening what an earlier or later one has stored."""
    from cn2.api.stored.history import SCHEMAS
    from cn2.store.inspection import obstacle
    from cn2.store.schema import Known

    found = obstacle(layout.store, Known(SCHEMAS, cn2.__version__))
    return [found] if found else []


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Ctrl-C waits until the end: what is started here must be known to whoever cleans up."""
    pressed: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _frame: pressed.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if pressed:
        raise KeyboardInterrupt


def _spawn(layout: Layout, settings: Settings) -> subprocess.Popen[bytes]:
    layout.log.mkdir(mode=0o700, parents=True, exist_ok=True)
    arguments = [sys.executable, "-m", "cn2.main", "supervise"]
    arguments += ["--data-dir", str(layout.root), "--native-dir", str(NATIVE)]
    arguments += ["--settings", json.dumps(asdict(settings))]
    with layout.log_file("supervisor").open("ab") as log:
        return subprocess.Popen(
            arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )


def _follow(layout: Layout, supervisor: subprocess.Popen[bytes]) -> None:
    """Show the steps of a system that is coming up until it is ready."""
    progress = Progress(out)
    remind = time.monotonic() + _LONG
    while True:
        if supervisor.poll() is not None:
            tail = layout.log_file("supervisor").read_text().splitlines()[-8:]
            take_down(layout)
            raise _fail(["the system did not come up:", *tail])
        report = control.status(layout.socket)
        if report is not None:
            progress.show(report["steps"])
            if report["ready"]:
                return
        if time.monotonic() > remind:
            out.print(f"Still waiting; `cn2 status` and the logs in {layout.log} say for what.")
            remind += _LONG
        time.sleep(_POLL)


def _hand_over(kubeconfig: Path) -> None:
    """After sudo the kubeconfig belongs to the user who typed it."""
    user, group = os.environ.get("SUDO_UID"), os.environ.get("SUDO_GID")
    if user and group:
        os.chown(kubeconfig, int(user), int(group))
        kubeconfig.parent.chmod(0o711)


@app.command()
def down(
    data_dir: DataDir = DEFAULT_DATA_DIR,
    purge: Annotated[
        bool, typer.Option("--purge", help="Delete the data directory too: objects, keys, logs.")
    ] = False,
) -> None:
    """Take a system off this machine, whatever state it is in. Its objects stay unless --purge."""
    if os.geteuid() != 0:
        raise _fail(["cn2 down removes network namespaces: run it as root (sudo)."])
    layout = _layout(data_dir)
    if not layout.used:
        out.print(f"No system in {layout.root}.")
    take_down(layout, purge=purge)


@app.command()
def env(data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """Print what a shell needs: eval "$(cn2 env)"."""
    layout = _layout(data_dir)
    if not layout.kubeconfig.exists():
        raise _fail([f"No system in {layout.root}: start one with `cn2 up`."])
    print(f"export KUBECONFIG={layout.kubeconfig}")


@app.command()
def status(data_dir: DataDir = DEFAULT_DATA_DIR, output: Format = Output.TEXT) -> None:
    """Show every process, node and network; exits with 1 when something is wrong."""
    layout = _layout(data_dir)
    system = control.status(layout.socket)
    if system is None:
        raise _fail([f"No system runs in {layout.root}: start one with `cn2 up`."])
    # A command imports what only it needs when it runs: `cn2 up` starts sooner.
    from cn2.cli import status as status_view

    report = asyncio.run(_collect(layout, system))
    found = status_view.problems(report)
    if output is Output.JSON:
        print(json.dumps({**report, "problems": found}, indent=2))
    else:
        status_view.show(out, report)
    if found:
        raise typer.Exit(1)


async def _collect(layout: Layout, system: dict[str, Any]) -> dict[str, Any]:
    from cn2.cli import status as status_view
    from cn2.client.http import Client

    client = Client.from_kubeconfig(layout.kubeconfig, manager="cn2")
    dropped = {system["node"]: await status_view.drops(layout.health_socket("agent"))}
    system["refused"] = await status_view.refused(layout.health_socket("apiserver"))
    try:
        return await status_view.collect(client, system, dropped)
    finally:
        await client.close()


@app.command()
def crds(output: Format = Output.TEXT) -> None:
    """Print the CustomResourceDefinitions of every kind, as YAML (or JSON)."""
    import yaml

    from cn2.api.crds import custom_resource_definitions

    documents = custom_resource_definitions()
    if output is Output.JSON:
        print(json.dumps(documents, indent=2))
    else:
        print(yaml.safe_dump_all(documents, sort_keys=False), end="")


@app.command()
def version() -> None:
    """Print the version."""
    print(cn2.__version__)
