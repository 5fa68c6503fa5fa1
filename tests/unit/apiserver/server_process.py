"""A real `cn2 apiserver` on a free port, with its own keys and data."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cn2.supervisor.layout import Layout
from cn2.supervisor.pki import Authority


@dataclass
class Server:
    root: Path
    process: subprocess.Popen[str]
    port: int

    @property
    def kubeconfig(self) -> Path:
        return self.root / "kubeconfig"

    def kubectl(self, *arguments: str, binary: str = "kubectl", stdin: str = "") -> str:
        """What kubectl printed; it must succeed."""
        done = self.try_kubectl(*arguments, binary=binary, stdin=stdin)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def try_kubectl(
        self, *arguments: str, binary: str = "kubectl", stdin: str = ""
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [binary, *arguments],
            input=stdin,
            text=True,
            capture_output=True,
            timeout=30,
            env=self.environment,
        )

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "KUBECONFIG": str(self.kubeconfig),
            "HOME": str(self.root),  # kubectl keeps what it discovers there
        }


@contextmanager
def serving(root: Path) -> Iterator[Server]:
    """Starts the server over `root`, which may hold what an earlier one left."""
    layout = Layout(root)
    layout.pki.mkdir(parents=True, exist_ok=True)
    authority = Authority(layout, datetime.now(UTC))
    authority.server("apiserver", ["127.0.0.1"])
    authority.signing_key("sa")
    command = [
        *(sys.executable, "-m", "cn2.main", "apiserver", "--listen", "127.0.0.1:0"),
        *("--data-dir", str(layout.store), "--pki", str(layout.pki)),
        *("--nodes-dir", str(layout.nodes), "--cluster-name", "test"),
    ]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        port = _port(process)
        authority.kubeconfig(
            layout.kubeconfig,
            server=f"https://127.0.0.1:{port}",
            user="admin",
            group="system:masters",
            cluster="test",
        )
        yield Server(root, process, port)
    finally:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=10)


def _port(process: subprocess.Popen[str]) -> int:
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        said.append(line)
        if '"event": "serving"' in line:
            return int(json.loads(line)["address"].rpartition(":")[2])
    raise AssertionError("the server did not start: " + "".join(said))
