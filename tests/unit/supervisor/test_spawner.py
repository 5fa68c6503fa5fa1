"""Processes forked by a real template, from modules made up for these tests."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cn2.supervisor.spawner import UNKNOWN, Child, Order, Spawner

_TEMPLATE = """
import sys, time, types

def teller(argv):
    import os
    print(argv, os.environ["SAID"], os.getsid(0) == os.getpid(), flush=True)
    return 3

def sleeper(argv):
    print("asleep", flush=True)
    time.sleep(60)

def broken(argv):
    raise RuntimeError("as meant")

for made_up in (teller, sleeper, broken):
    module = types.ModuleType(made_up.__name__)
    module.main = made_up
    sys.modules["cn2.main." + made_up.__name__] = module

from cn2.main.template import main
sys.exit(main([]))
"""


@pytest.fixture
async def spawner(tmp_path: Path) -> AsyncIterator[Spawner]:
    spawner = Spawner((sys.executable, "-c", _TEMPLATE, " " * 500), tmp_path / "template.log")
    yield spawner
    spawner.close()


async def _spawn(spawner: Spawner, name: str, log: Path) -> Child:
    words = ("python", "-m", "cn2.main", name, "--flag", "value")
    with log.open("ab") as output:
        return await spawner.spawn(Order(name, words, {"SAID": "hello"}), output.fileno())


async def test_a_process_has_its_own_arguments_environment_session_and_log(
    spawner: Spawner, tmp_path: Path
) -> None:
    child = await _spawn(spawner, "teller", tmp_path / "log")

    assert await child.wait() == 3
    assert (tmp_path / "log").read_text() == "['--flag', 'value'] hello True\n"


async def test_a_process_is_shown_under_its_own_command_line(
    spawner: Spawner, tmp_path: Path
) -> None:
    child = await _spawn(spawner, "sleeper", tmp_path / "log")
    while (tmp_path / "log").read_text() != "asleep\n":
        assert not child.ended.done()
    shown = Path(f"/proc/{child.pid}/cmdline").read_bytes().rstrip(b"\0").split(b"\0")
    os.kill(child.pid, signal.SIGKILL)

    assert await child.wait() == -signal.SIGKILL
    assert shown == [b"python", b"-m", b"cn2.main", b"sleeper", b"--flag", b"value"]


async def test_an_exception_is_in_the_log_of_the_process_that_raised_it(
    spawner: Spawner, tmp_path: Path
) -> None:
    child = await _spawn(spawner, "broken", tmp_path / "log")

    assert await child.wait() == 1
    assert "RuntimeError: as meant" in (tmp_path / "log").read_text()


async def test_a_module_that_is_not_there_ends_its_process_not_the_template(
    spawner: Spawner, tmp_path: Path
) -> None:
    missing = await _spawn(spawner, "missing", tmp_path / "missing")
    teller = await _spawn(spawner, "teller", tmp_path / "log")

    assert (await missing.wait(), await teller.wait()) == (1, 3)
    assert "ModuleNotFoundError" in (tmp_path / "missing").read_text()


async def test_processes_outlive_the_template_and_the_next_is_forked_by_a_new_one(
    spawner: Spawner, tmp_path: Path
) -> None:
    first = await _spawn(spawner, "sleeper", tmp_path / "first")
    template = spawner.template_pid
    assert template is not None
    os.kill(template, signal.SIGKILL)
    while spawner.template_pid is not None:  # noqa: ASYNC110 (nothing announces it)
        await asyncio.sleep(0.005)
    second = await _spawn(spawner, "teller", tmp_path / "second")

    assert await second.wait() == 3
    assert not first.ended.done()
    os.kill(first.pid, signal.SIGKILL)
    assert await first.wait() == UNKNOWN
