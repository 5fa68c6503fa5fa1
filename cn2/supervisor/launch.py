"""Starts the daemon behind `cn2 up`, which then belongs to nobody."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from cn2.supervisor.layout import Layout
from cn2.supervisor.log_size import bound
from cn2.supervisor.settings import Settings

TAKEN = 3
"""Exit code of a supervisor that finds another one in its data directory."""


def launch(layout: Layout, settings: Settings, native: Path) -> subprocess.Popen[bytes]:
    """A supervisor in a session of its own, which writes to its log. Raises OSError."""
    layout.log.mkdir(mode=0o700, parents=True, exist_ok=True)
    arguments = [sys.executable, "-m", "cn2.main", "supervise"]
    arguments += ["--data-dir", str(layout.root), "--native-dir", str(native)]
    arguments += ["--settings", json.dumps(asdict(settings))]
    bound(layout.log_file("supervisor"))
    with layout.log_file("supervisor").open("ab") as log:
        return subprocess.Popen(
            arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
