"""Reading a log that is rotated meanwhile, as cn2-init does it."""

from __future__ import annotations

import asyncio
from pathlib import Path

from cn2.podrunner.crilog import LogOptions
from cn2.podrunner.logs import LogReader, plain, read


def rotate(path: Path) -> None:
    for number in range(3, -1, -1):
        newer = path.with_name(f"{path.name}.{number}") if number else path
        if newer.exists():
            newer.replace(path.with_name(f"{path.name}.{number + 1}"))
    path.touch()


def write(path: Path, *lines: str) -> None:
    with path.open("a") as file:
        file.write("".join(f"{line}\n" for line in lines))


def told(reader: LogReader) -> list[str]:
    return [entry.text.decode().strip() for entry in reader.entries()]


def test_what_was_set_aside_comes_first(tmp_path: Path) -> None:
    path = tmp_path / "0.log"
    for line in "abcd":
        write(path, line)
        rotate(path)
    write(path, "e")
    reader = LogReader(path, plain)
    assert told(reader) == ["a", "b", "c", "d", "e"]
    assert told(reader) == []
    reader.close()


def test_a_reader_misses_nothing_over_several_rotations(tmp_path: Path) -> None:
    path = tmp_path / "0.log"
    write(path, "a")
    reader = LogReader(path, plain)
    assert told(reader) == ["a"]
    write(path, "b")
    rotate(path)
    write(path, "c")
    rotate(path)
    rotate(path)
    write(path, "d")
    assert told(reader) == ["b", "c", "d"]
    write(path, "e")
    assert told(reader) == ["e"]
    reader.close()


def test_a_log_that_is_not_there_yet_is_empty(tmp_path: Path) -> None:
    reader = LogReader(tmp_path / "0.log", plain)
    assert told(reader) == []
    write(tmp_path / "0.log", "a")
    assert told(reader) == ["a"]
    reader.close()


async def test_following_goes_on_after_a_rotation_until_the_end(tmp_path: Path) -> None:
    path = tmp_path / "0.log"
    write(path, "a")
    over = False
    found: list[bytes] = []

    async def follow() -> None:
        async for data in read(path, LogOptions(follow=True), ended=lambda: over, cri=False):
            found.append(data)

    following = asyncio.create_task(follow())
    async with asyncio.timeout(10):
        while not found:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
    rotate(path)
    over = True
    write(path, "b")
    async with asyncio.timeout(10):
        await following
    assert found == [b"a\n", b"b\n"]
