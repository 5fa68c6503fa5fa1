"""The command line for people.

A command imports what only it needs when it runs: `cn2 up` starts sooner.
"""

from __future__ import annotations

import asyncio
import json
import os
import shlex
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

import cn2
from cn2.main import interrupts
from cn2.main.console import command, fail, out, say
from cn2.supervisor.layout import DEFAULT_DATA_DIR, Layout
from cn2.supervisor.settings import Settings

app = typer.Typer(
    name="cn2",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    help="""Kubernetes pods with several interfaces on isolated virtual networks.

    \b
    On one machine:
      sudo cn2 up --detach
      eval "$(cn2 env)"
      kubectl get nodes
    """,
)


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


def _layout(data_dir: Path) -> Layout:
    """The system in a data directory that this user may enter."""
    root = data_dir.resolve()
    if root.exists() and not root.is_dir():
        raise fail([f"{root} is not a directory: choose another --data-dir."])
    if not os.access(root, os.X_OK) and os.access(root, os.F_OK):
        raise fail([f"{root} belongs to another user: run as that user, or as root (sudo)."])
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
    """Start a whole system on this machine and wait until it is ready.

    Says first what is in the way of one. A system that was here before comes back with its objects
    and its options; Ctrl-C, or `cn2 down` from elsewhere, takes it down.

    \b
    Examples:
      sudo cn2 up                        in this terminal, until Ctrl-C
      sudo cn2 up --detach               until `cn2 down`
      sudo cn2 up --detach --port 0 --data-dir /var/lib/cn2-two
                                         a second one beside it
      sudo cn2 up --pod-v6-subnet fd00:244::/64
                                         pods with IPv6, too
    """
    given = {
        "cluster_name": cluster_name,
        "port": port,
        "node_name": node_name,
        "node_address": node_address,
        "pod_v6_subnet": pod_v6_subnet,
    }
    from cn2.main.up import run

    run(
        Layout(data_dir.resolve()),
        {option: value for option, value in given.items() if value is not None},
        detach=detach,
    )


@app.command()
def down(
    data_dir: DataDir = DEFAULT_DATA_DIR,
    purge: Annotated[
        bool, typer.Option("--purge", help="Delete the data directory too: objects, keys, logs.")
    ] = False,
) -> None:
    """Take a system off this machine, whatever state it is in.

    Works also after a crash, a reboot or a kill -9 of everything, and as often as you like. Objects
    and keys stay for the next `cn2 up`, unless --purge is given.

    \b
    Examples:
      sudo cn2 down                      objects stay
      sudo cn2 down --purge              nothing stays
      sudo cn2 down --data-dir /var/lib/cn2-two
    """
    if os.geteuid() != 0:
        raise fail(["cn2 down removes network namespaces: run it with sudo."])
    layout = _layout(data_dir)
    if not layout.used:
        say(f"No system in {layout.root}.")
    from cn2.supervisor.down import down as take_down

    with interrupts.told("It is being taken down: this is soon over.", say):
        left = take_down(layout, purge=purge, say=say)
    if left:
        raise fail([f"{what}." for what in left])


@app.command()
def env(data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """Print what a shell needs, so that kubectl finds the system.

    \b
    Examples:
      eval "$(cn2 env)"
      eval "$(cn2 env --data-dir /var/lib/cn2-two)"
    """
    layout = _layout(data_dir)
    if not layout.kubeconfig.exists():
        raise fail([f"No system in {layout.root}: start one with `{command('up', layout)}`."])
    print(f"export KUBECONFIG={shlex.quote(str(layout.kubeconfig))}")


@app.command()
def status(data_dir: DataDir = DEFAULT_DATA_DIR, output: Format = Output.TEXT) -> None:
    """Show every process, node and network of a system that runs.

    Ends with 1 when something is wrong, and says what. `cn2 doctor` looks closer, also at a system
    that does not run.

    \b
    Examples:
      sudo cn2 status
      sudo cn2 status -o json | jq .problems
    """
    from cn2.cli import status as view
    from cn2.main.status import report, running

    layout = _layout(data_dir)
    found = asyncio.run(report(layout, running(layout)))
    if output is Output.JSON:
        print(json.dumps({**found, "problems": view.problems(found)}, indent=2))
    else:
        view.show(out, found)
    if view.problems(found):
        raise typer.Exit(1)


@app.command()
def doctor(
    data_dir: DataDir = DEFAULT_DATA_DIR,
    output: Format = Output.TEXT,
    bundle: Annotated[
        Path | None,
        typer.Option(help="Write the whole report with the logs to this file (.tar.gz)."),
    ] = None,
) -> None:
    """Find out what is wrong, and collect what a bug report needs.

    Works also when the system is half dead or down. Ends with 1 when something severe was found.
    Keys, tokens and the contents of Secrets are never in it.

    \b
    Examples:
      sudo cn2 doctor
      sudo cn2 doctor --bundle cn2-bug.tar.gz
      sudo cn2 doctor -o json | jq .troubles
    """
    from cn2.main.doctor import run

    root = Layout(data_dir.resolve())
    if not run(root, as_json=output is Output.JSON, file=bundle):
        raise typer.Exit(1)


@app.command()
def crds(output: Format = Output.TEXT) -> None:
    """Print the CustomResourceDefinitions of every kind.

    \b
    Examples:
      cn2 crds > crds.yaml               as YAML
      cn2 crds -o json                   as JSON
    """
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
