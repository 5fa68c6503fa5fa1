"""A process's log is turned over by the process itself, and readers go on."""

from __future__ import annotations

import asyncio
import os
import resource
import sys
from contextlib import aclosing
from pathlib import Path

from cn2.main.log_file import LogFile
from cn2.podrunner.crilog import LogOptions
from cn2.podrunner.logs import read

WRITER = """
import sys
from cn2.main.log_file import LogFile
log = LogFile(2, limit=20_000)
for number in range(int(sys.argv[1])):
    log.msg(f"line {number}")
"""


async def written(log: Path, lines: int) -> None:
    with log.open("ab") as output:
        writer = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", WRITER, str(lines)), stdout=output, stderr=output
        )
    assert await writer.wait() == 0


def numbers(*logs: Path) -> list[int]:
    return [int(line.split()[1]) for log in logs for line in log.read_text().splitlines()]


async def test_a_log_stays_bounded_and_what_is_kept_has_no_gap(tmp_path: Path) -> None:
    log, older = tmp_path / "x.log", tmp_path / "x.log.1"
    await written(log, 10_000)
    kept = numbers(older, log)
    assert kept == list(range(kept[0], 10_000))
    assert sorted(tmp_path.iterdir()) == [log, older]
    assert older.stat().st_size < 21_000 and log.stat().st_size < 21_000


async def test_who_follows_a_log_misses_nothing_when_it_is_turned_over(tmp_path: Path) -> None:
    """Also when it is turned over between two looks of the reader."""
    log = tmp_path / "x.log"
    log.touch()
    seen = list[int]()
    writing = asyncio.create_task(written(log, 4_000))
    following = read(log, LogOptions(follow=True), ended=lambda: False, cri=False)
    async with aclosing(following):
        async for chunk in following:
            seen.append(int(chunk.split()[1]))
            if seen[-1] == 3_999:
                break
    await writing
    assert seen == list(range(4_000))


def test_a_log_without_room_costs_lines_not_the_process(tmp_path: Path) -> None:
    """As on a full disk: the kernel refuses the write."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    descriptor = os.open(tmp_path / "x.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    log = LogFile(descriptor)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4, before[1]))
        log.msg("as much as fits")
        log.msg("nothing of this")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        os.close(descriptor)
    assert (tmp_path / "x.log").read_text() == "as m"


def test_a_log_that_was_moved_away_is_left_where_it_is(tmp_path: Path) -> None:
    descriptor = os.open(tmp_path / "x.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    log = LogFile(descriptor, limit=1)
    (tmp_path / "x.log").rename(tmp_path / "moved")
    (tmp_path / "x.log").write_text("another's")
    log.msg("on")
    os.close(descriptor)
    assert (tmp_path / "moved").read_text() == "on\n"
    assert (tmp_path / "x.log").read_text() == "another's"
