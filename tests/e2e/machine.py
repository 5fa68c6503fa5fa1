"""One real system for a test: `cn2 up`, real kubectl, `cn2 down`."""

from __future__ import annotations

import json
import os
import pty
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

CN2 = (sys.executable, "-m", "cn2.main")
PATIENCE = 30.0
"""Seconds until a condition that does not come true is a failure."""


class Machine:
    """A system in a data directory of its own. Use as a context manager."""

    def __init__(self, *options: str, kubectl: str = "kubectl", purge: bool = True) -> None:
        self.data_dir = Path(tempfile.mkdtemp(prefix="cn2-"))
        self.options = options
        self.kubectl_path = kubectl
        self.purge = purge

    def __enter__(self) -> Machine:
        try:
            self.up()
        except BaseException:
            self.down()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.down()

    def cn2(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run([*CN2, *arguments], capture_output=True, text=True, check=False)
        if check and done.returncode != 0:
            raise AssertionError(f"cn2 {' '.join(arguments)}: {done.stdout}{done.stderr}")
        return done

    def up(self) -> str:
        where = ("--data-dir", str(self.data_dir), "--port", "0")
        return self.cn2("up", "--detach", *where, *self.options).stdout

    def down(self) -> None:
        self.cn2("down", "--data-dir", str(self.data_dir), *(["--purge"] if self.purge else []))
        shutil.rmtree(self.data_dir, ignore_errors=True)

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "KUBECONFIG": str(self.data_dir / "kubeconfig"),
            "PATH": f"{Path(self.kubectl_path).parent}:{os.environ['PATH']}"
            if "/" in self.kubectl_path
            else os.environ["PATH"],
            "HOME": str(self.data_dir),
        }

    def shell(self, command: str, *, cwd: Path | None = None) -> str:
        """Run a command line as a user would; both outputs together, as on a terminal."""
        done = subprocess.run(
            ["bash", "-c", command],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=self.environment,
            cwd=cwd,
            timeout=120,
            check=False,
        )
        return done.stdout

    def kubectl(self, *arguments: str, stdin: str = "", check: bool = True) -> str:
        done = subprocess.run(
            [self.kubectl_path, *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            env=self.environment,
            timeout=120,
            check=False,
        )
        if check and done.returncode != 0:
            raise AssertionError(f"kubectl {' '.join(arguments)}: {done.stdout}{done.stderr}")
        return done.stdout

    def apply(self, manifest: str) -> str:
        return self.kubectl("apply", "-f", "-", stdin=manifest)

    def get(self, *arguments: str) -> Any:
        """`kubectl get ... -o json`, None when there is none."""
        text = self.kubectl("get", *arguments, "-o", "json", "--ignore-not-found")
        return json.loads(text) if text.strip() else None

    def items(self, *arguments: str) -> list[Any]:
        """The objects of a `kubectl get` of several."""
        return list((self.get(*arguments) or {}).get("items", []))

    def until(self, condition: Callable[[], Any], what: str = "") -> Any:
        """Wait until `condition()` is true and return what it gave."""
        deadline = time.monotonic() + PATIENCE
        while True:
            value = condition()
            if value:
                return value
            if time.monotonic() > deadline:
                raise AssertionError(f"never came true: {what or condition}; last: {value!r}")
            time.sleep(0.02)

    def running(self, pod: str, namespace: str = "default") -> Any:
        """Wait until a pod is Ready and return it."""
        self.kubectl(
            "wait", "--for=condition=Ready", f"pod/{pod}", "-n", namespace, "--timeout=30s"
        )
        return self.get("pod", pod, "-n", namespace)

    def execute(self, pod: str, *command: str, namespace: str = "default") -> str:
        return self.kubectl("exec", "-n", namespace, pod, "--", *command)

    def pod_netns(self, pod: Any) -> Path:
        return self.data_dir / "netns" / f"pod-{pod['metadata']['uid']}"

    def type_at(self, command: str, lines: list[str], *, prompt: str) -> str:
        """Run a command on a terminal and type `lines`, each after the prompt appeared."""
        controller, terminal = pty.openpty()
        process = subprocess.Popen(
            ["bash", "-c", command],
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            env={**self.environment, "TERM": "xterm"},
            start_new_session=True,
        )
        os.close(terminal)
        seen, answered = "", 0
        deadline = time.monotonic() + PATIENCE
        try:
            while time.monotonic() < deadline:
                if not select.select([controller], [], [], 0.1)[0]:
                    continue
                try:
                    chunk = os.read(controller, 65536)
                except OSError:
                    break
                if not chunk:
                    break
                seen += chunk.decode(errors="replace")
                if answered < len(lines) and seen.count(prompt) > answered:
                    os.write(controller, lines[answered].encode() + b"\n")
                    answered += 1
            process.wait(timeout=10)
        finally:
            process.kill()
            os.close(controller)
        return seen.replace("\r\n", "\n")
