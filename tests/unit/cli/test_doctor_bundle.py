"""The file that people send with a bug report."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from cn2.cli.doctor import bundle
from cn2.cli.doctor.objects import secret_values
from cn2.cli.doctor.secrets import REMOVED


def test_a_file_that_others_could_read_is_the_owners_alone(tmp_path: Path) -> None:
    path, log = tmp_path / "bug.tar.gz", tmp_path / "agent.log"
    path.write_bytes(b"x" * 100_000)
    path.chmod(0o666)
    log.write_text('{"event": "got q\\"uo\\\\ted"}\n')
    values = secret_values([{"data": {"password": "cSJ1b1x0ZWQ="}}])
    bundle.write(path, {"report.json": "{}"}, [log], values)

    assert path.stat().st_mode & 0o777 == 0o600
    with tarfile.open(path) as archive:
        told = archive.extractfile("cn2-doctor/log/agent.log")
        assert told is not None
        assert told.read().decode() == f'{{"event": "got {REMOVED}"}}\n'


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("kept")
    (tmp_path / "bug.tar.gz").symlink_to(tmp_path / "mine")

    with pytest.raises(OSError, match="symbolic"):
        bundle.write(tmp_path / "bug.tar.gz", {}, [], set())
    assert (tmp_path / "mine").read_text() == "kept"
