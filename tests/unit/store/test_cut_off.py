"""Power of the disk and of life taken away at every call that changes a file."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    built = tmp_path_factory.mktemp("shim") / "cut.so"
    flags = ["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror"]
    subprocess.run(["gcc", *flags, "-o", built, HERE / "cut.c", "-ldl"], check=True)
    return built


@pytest.mark.timeout(120)
@pytest.mark.parametrize(("first", "mode"), [*enumerate(["kill", "tear", "fail"])])
@pytest.mark.parametrize(("trial", "step", "least"), [("commits", 3, 30), ("migrating", 7, 90)])
def test_nothing_acknowledged_is_lost_and_nothing_is_half(
    shim: Path, tmp_path: Path, trial: str, step: int, least: int, first: int, mode: str
) -> None:
    """kill: dead before the call; tear: dead in the middle; fail: no space from there on.

    Each of the three takes other moments."""
    paths = [str(HERE), str(HERE.parent / "apiserver"), *sys.path]
    done = subprocess.run(
        [
            sys.executable,
            str(HERE / "cut_trials.py"),
            trial,
            mode,
            str(first),
            str(step),
            str(tmp_path),
        ],
        env={**os.environ, "LD_PRELOAD": str(shim), "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(done.stdout.split()[-1]) >= least
