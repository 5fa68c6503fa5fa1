"""`cn2 supervise`: the daemon behind `cn2 up`."""

from __future__ import annotations

import argparse
import asyncio
import fcntl
import os
import signal
import sys
from pathlib import Path

import msgspec

from cn2.main.process import configure_logs
from cn2.supervisor import control
from cn2.supervisor.layout import Layout
from cn2.supervisor.process import write_pid
from cn2.supervisor.settings import Settings
from cn2.supervisor.system import System


async def _supervise(layout: Layout, settings: Settings, native: Path) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    system = System(layout, settings, native)
    layout.run.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_pid(layout.pid_file("supervisor"), os.getpid())
    runner = await control.serve(layout.socket, system.describe)
    starting = asyncio.create_task(system.start())
    waiting = asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait({starting, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            starting.result()
            await waiting
    finally:
        for task in (starting, waiting):
            task.cancel()
        await asyncio.wait({starting, waiting})
        await system.stop()
        await runner.cleanup()
        layout.pid_file("supervisor").unlink(missing_ok=True)


def main(arguments: list[str]) -> int:
    """Run one system in the foreground until SIGTERM."""
    parser = argparse.ArgumentParser(prog="cn2 supervise", description=__doc__)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--native-dir", type=Path, required=True)
    parser.add_argument("--settings", required=True, help="the options of `cn2 up`, as JSON")
    options = parser.parse_args(arguments)
    configure_logs("supervisor", "info")
    layout = Layout(options.data_dir)
    layout.run.mkdir(mode=0o700, parents=True, exist_ok=True)
    with layout.lock.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"another system runs in {layout.root}", file=sys.stderr)
            return 1
        settings = msgspec.json.decode(options.settings, type=Settings)
        asyncio.run(_supervise(layout, settings, options.native_dir))
    return 0
