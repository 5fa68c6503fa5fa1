"""`cn2 supervise`: the daemon behind `cn2 up`."""

from __future__ import annotations

import argparse
import fcntl
import os
import sys
from pathlib import Path

from cn2.main import title
from cn2.supervisor.launch import TAKEN
from cn2.supervisor.layout import Layout
from cn2.supervisor.pids import write_pid
from cn2.supervisor.spawner import Spawner

_TEMPLATE = (sys.executable, "-m", "cn2.main", "template", title.ROOM)


def main(arguments: list[str]) -> int:
    """Run one system in the foreground until SIGTERM."""
    parser = argparse.ArgumentParser(prog="cn2 supervise", description=__doc__)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--native-dir", type=Path, required=True)
    parser.add_argument("--settings", required=True, help="the options of `cn2 up`, as JSON")
    options = parser.parse_args(arguments)
    layout = Layout(options.data_dir)
    layout.run.mkdir(mode=0o700, parents=True, exist_ok=True)
    with layout.lock.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"another system runs in {layout.root}", file=sys.stderr)
            return TAKEN
        title.show("cn2-supervisor", sys.orig_argv)
        write_pid(layout.pid_file("supervisor"), os.getpid())
        spawner = Spawner(_TEMPLATE, layout.log_file("template"))
        spawner.launch()
        # Imported only now: the template reads its own modules meanwhile.
        from cn2.main.daemon import run
        from cn2.supervisor.down import end_processes

        end_processes(layout)
        return run(layout, options.settings, options.native_dir, spawner)
