"""A data directory is a system's own, or it is left alone."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from cn2.supervisor.down import down
from cn2.supervisor.layout import Layout
from cn2.supervisor.pids import read_pid, write_pid
from cn2.supervisor.preflight.check import findings
from cn2.supervisor.settings import Settings


@pytest.fixture
def somebodys() -> Iterator[Path]:
    """With a short path: sockets will have to fit in."""
    with tempfile.TemporaryDirectory(prefix="cn2-") as directory:
        root = Path(directory)
        for name in ("run", "pods", "netns"):
            (root / name).mkdir()
            (root / name / "precious").touch()
        yield root


def in_the_way(root: Path) -> list[str]:
    found = map(str, findings(Layout(root), Settings(port=0), root))
    return [line for line in found if "--data-dir" in line]


def test_down_leaves_a_directory_alone_that_no_system_was_started_in(somebodys: Path) -> None:
    down(Layout(somebodys), purge=True)
    assert all((somebodys / name / "precious").exists() for name in ("run", "pods", "netns"))


def test_purge_takes_an_empty_directory_too(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    down(Layout(tmp_path / "new"), purge=True)
    assert not (tmp_path / "new").exists()


def test_down_clears_what_a_system_left(somebodys: Path) -> None:
    log = Layout(somebodys).log_file("supervisor")
    log.parent.mkdir()
    log.touch()
    down(Layout(somebodys))
    assert sorted(path.name for path in somebodys.iterdir()) == ["log", "netns"]
    assert not list((somebodys / "netns").iterdir())


def test_up_does_not_take_a_directory_with_other_things_in_it(somebodys: Path) -> None:
    assert in_the_way(somebodys)
    assert not in_the_way(somebodys / "new")
    log = Layout(somebodys).log_file("supervisor")
    log.parent.mkdir()
    log.touch()
    assert not in_the_way(somebodys)


def test_a_pid_file_counts_only_for_the_process_that_it_was_written_for(tmp_path: Path) -> None:
    """Neither for one that got the same pid later, nor after a reboot."""
    path = tmp_path / "x.pid"
    write_pid(path, os.getpid())
    assert read_pid(path) == os.getpid()
    pid, began, boot = path.read_text().split()
    for text in (f"{pid} 1 {boot}", f"{pid} {began} x", f"{pid} {began}", f"{pid} None {boot}", ""):
        path.write_text(text)
        assert read_pid(path) is None


def test_a_system_that_was_killed_at_its_first_step_is_not_in_the_way(somebodys: Path) -> None:
    """A kill -9 between the directory of logs and the first log in it."""
    layout = Layout(somebodys / "new")
    layout.log.mkdir(parents=True)
    assert not in_the_way(layout.root)
    down(layout, purge=True)
    assert not layout.root.exists()
