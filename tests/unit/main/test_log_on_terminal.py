"""What a process that runs in a terminal writes there."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

FAILS = """
import structlog
from cn2.main.process import configure_logs

configure_logs("agent", "info")
token = "hunter" * 2
try:
    token.nothing
except AttributeError:
    structlog.get_logger().exception("failed")
"""


def test_a_traceback_shows_no_values() -> None:
    here, there = pty.openpty()
    try:
        subprocess.run([sys.executable, "-c", FAILS], stderr=there, check=True)
        shown = os.read(here, 1 << 16).decode()
    finally:
        os.close(here)
        os.close(there)

    assert "AttributeError" in shown
    assert "hunterhunter" not in shown
