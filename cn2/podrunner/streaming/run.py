"""Running a command for a session, until it ends or the client has been gone for a while."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from cn2.podrunner.streaming.session import ExitStatus, Session

Run = Callable[[Session], Awaitable[ExitStatus]]

_GRACE = 5.0
"""Seconds that a command has to end by itself after its client has gone."""


async def run_session(session: Session, run: Run) -> ExitStatus:
    """Run the command; when the client leaves first, cancel it after a grace period."""
    running = asyncio.ensure_future(run(session))
    leaving = asyncio.create_task(session.closed.wait())
    try:
        await asyncio.wait({running, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not running.done():
            await asyncio.wait({running}, timeout=_GRACE)
        if not running.done():
            return ExitStatus(message="the client has gone")
        return running.result()
    except OSError as error:
        return ExitStatus(message=str(error))
    finally:
        leaving.cancel()
        running.cancel()
