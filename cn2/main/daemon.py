"""What `cn2 supervise` does once it holds its data directory."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import msgspec

from cn2.main.process import configure_logs
from cn2.supervisor import control
from cn2.supervisor.layout import Layout
from cn2.supervisor.settings import Settings
from cn2.supervisor.spawner import Spawner
from cn2.supervisor.system import System


def run(layout: Layout, settings: str, native: Path, spawner: Spawner) -> int:
    """Keep one system up until SIGTERM; `settings` are the options of `cn2 up`, as JSON."""
    configure_logs("supervisor", "info")
    asyncio.run(_supervise(layout, msgspec.json.decode(settings, type=Settings), native, spawner))
    return 0


async def _supervise(layout: Layout, settings: Settings, native: Path, spawner: Spawner) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    system = System(layout, settings, native, spawner)
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
