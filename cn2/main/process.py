"""What every process does alike: common flags, structured logs, signals, event loop, health.

A process module parses its flags with `arguments`, and hands `run` a coroutine function that works
until it is cancelled. SIGTERM and SIGINT cancel it: a clean stop ends with 0, anything raised
with 1 (the supervisor starts it again).
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import resource
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import structlog
import uvloop

from cn2 import __version__
from cn2.client.health import Health
from cn2.main.log_file import LogFile

log = structlog.get_logger(__name__)

_DESCRIPTORS = 1 << 16
"""Open files of one process at most; programs that pods run walk through all that they may have."""

Main = Callable[[Health], Awaitable[None]]


def arguments(name: str, description: str, *, client: bool = True) -> argparse.ArgumentParser:
    """A parser with the flags that every process takes; `client` is False for the API server."""
    parser = argparse.ArgumentParser(prog=f"cn2 {name}", description=description)
    if client:
        parser.add_argument("--kubeconfig", type=Path, required=True, help="how to reach the API")
    parser.add_argument("--health-socket", type=Path, help="unix socket for health and metrics")
    parser.add_argument(
        "--log-level", default="info", choices=["debug", "info", "warning", "error"]
    )
    return parser


def run(name: str, options: argparse.Namespace, main: Main) -> int:
    """Runs `main` in uvloop until it ends, fails, or a signal asks to stop; the exit code."""
    configure_logs(name, options.log_level)
    log.info("started", version=__version__)
    _allow_descriptors()
    # Informers hold many long-lived objects: the default thresholds walk them far too often.
    gc.set_threshold(50_000, 20, 50)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_supervise(main, options.health_socket))
    except Exception:
        log.exception("process failed")
        return 1
    return 0


def _allow_descriptors() -> None:
    """Shells give 1024 open files and let a process ask for more; a hundred pods need more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = _DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, _DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))


def configure_logs(name: str, level: str) -> None:
    """One JSON line per entry on stderr; on a terminal, lines for people."""
    render: list[structlog.typing.Processor]
    if sys.stderr.isatty():
        # Tracebacks without the values of variables, among which are keys and tokens.
        plain = structlog.dev.plain_traceback
        render = [structlog.dev.ConsoleRenderer(exception_formatter=plain)]
    else:
        render = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.StackInfoRenderer(),
            *render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=lambda *_: LogFile(),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(process=name)


async def _supervise(main: Main, socket: Path | None) -> None:
    task = asyncio.current_task()
    assert task is not None
    stopping = False

    def stop() -> None:
        nonlocal stopping
        if not stopping:
            stopping = True
            log.info("stopping")
            task.cancel()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    health = Health()
    try:
        if socket is None:
            await main(health)
        else:
            async with health.serve(socket):
                await main(health)
    except asyncio.CancelledError:
        if not stopping:
            raise
