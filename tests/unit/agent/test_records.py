"""Records of ports on disk: an older boot's go, an older agent's are read, a newer one's stay."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from cn2.agent.records import FORMAT, NewerRecord, Record, Records
from cn2.drivers.processes import boot_id


def written(directory: Path, record: Record, **changes: object) -> Path:
    """The record on disk, with other values, or without those that are None."""
    fields = {**msgspec.to_builtins(record), **changes}
    path = directory / f"{record.container}.json"
    path.write_bytes(msgspec.json.encode({k: v for k, v in fields.items() if v is not None}))
    return path


def record(container: str) -> Record:
    return Record(container, "/netns", "eth0", {}, {}, (), boot_id())


def test_a_record_from_before_there_were_formats_is_read(tmp_path: Path) -> None:
    written(tmp_path, record("c1"), format=None)
    assert list(Records(tmp_path).all()) == [record("c1")]


def test_a_newer_record_is_refused_and_stays(tmp_path: Path) -> None:
    path = written(tmp_path, record("c1"), format=FORMAT + 1, ports="in another form")
    before = path.read_bytes()
    with pytest.raises(NewerRecord, match="cn2 down"):
        list(Records(tmp_path).all())
    assert path.read_bytes() == before


def test_what_an_earlier_boot_left_goes_whatever_its_form(tmp_path: Path) -> None:
    gone = written(tmp_path, record("c1"), format=FORMAT + 1, boot_id="another")
    cut = tmp_path / "c2.json"
    cut.write_bytes(b'{"contain')
    assert list(Records(tmp_path).all()) == []
    assert not gone.exists()
    assert not cut.exists()
