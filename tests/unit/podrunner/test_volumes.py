"""What is in the volumes of a pod, and how it gets there."""

from __future__ import annotations

import base64
import threading
from pathlib import Path
from typing import Any

import pytest

from cn2.api.kind import Object
from cn2.podrunner.atomic import File, present, write_files
from cn2.podrunner.environment import Facts, MissingSource
from cn2.podrunner.spec import mount_records
from cn2.podrunner.volumes import EmptyDir, contents

FACTS = Facts("n1", "192.0.2.1", ("10.244.0.5",), {"cpu": "2"})
SOURCES: dict[tuple[str, str], Object] = {
    ("ConfigMap", "cm"): {"data": {"a": "1"}, "binaryData": {"b": "Mg=="}},
    ("Secret", "s"): {"data": {"k": base64.b64encode(b"hush").decode()}},
}


def pod(container: Object | None = None, **context: Any) -> Object:
    return {
        "metadata": {
            "name": "p",
            "namespace": "default",
            "uid": "u",
            "labels": {"app": "web"},
        },
        "spec": {
            "securityContext": context,
            "containers": [{"name": "c", **(container or {})}],
        },
    }


def lookup(kind: str, name: str) -> Object | None:
    return SOURCES.get((kind, name))


def volume(wanted: Object | None = None, **source: Any) -> EmptyDir | dict[str, File]:
    tokens = {("", 3600): "TOKEN"}
    return contents(wanted or pod(), {"name": "v", **source}, FACTS, lookup, tokens)


def test_keys_become_files_with_the_modes_asked_for() -> None:
    assert volume(configMap={"name": "cm"}) == {"a": File(b"1"), "b": File(b"2")}
    assert volume(secret={"secretName": "s", "defaultMode": 0o400}) == {"k": File(b"hush", 0o400)}
    items = [{"key": "a", "path": "x/y", "mode": 0o600}]
    assert volume(configMap={"name": "cm", "items": items}) == {"x/y": File(b"1", 0o600)}


def test_the_downward_api_tells_fields_and_resources() -> None:
    labels = {"path": "l", "fieldRef": {"fieldPath": "metadata.labels"}}
    cpu = {"path": "c", "resourceFieldRef": {"containerName": "c", "resource": "limits.cpu"}}
    assert volume(downwardAPI={"items": [labels, cpu]}) == {
        "l": File(b'app="web"\n'),
        "c": File(b"2"),
    }


def test_a_projected_volume_joins_its_sources() -> None:
    sources = [
        {"configMap": {"name": "cm", "items": [{"key": "a", "path": "a"}]}},
        {"secret": {"name": "s"}},
        {"serviceAccountToken": {"path": "token"}},
    ]
    assert volume(projected={"sources": sources, "defaultMode": 0o444}) == {
        "a": File(b"1", 0o444),
        "k": File(b"hush", 0o444),
        "token": File(b"TOKEN", 0o444),
    }


def test_a_token_is_for_the_user_who_is_known_to_read_it() -> None:
    source = {"sources": [{"serviceAccountToken": {"path": "t"}}]}
    mine = volume(pod(runAsUser=1000), projected=source)
    assert mine == {"t": File(b"TOKEN", 0o600, owner=1000)}
    groups = volume(pod(fsGroup=2000), projected=source)
    assert groups == {"t": File(b"TOKEN", 0o640, group=2000)}


def test_fs_group_may_read_everything_and_write_where_one_may() -> None:
    files = volume(pod(fsGroup=2000), secret={"secretName": "s", "defaultMode": 0o400})
    assert files == {"k": File(b"hush", 0o440, group=2000)}
    assert volume(pod(fsGroup=2000), emptyDir={}) == EmptyDir(0o2777, 2000)


def test_an_empty_dir_may_be_limited() -> None:
    assert volume(emptyDir={}) == EmptyDir()
    assert volume() == EmptyDir()
    assert volume(emptyDir={"medium": "Memory", "sizeLimit": "64Mi"}) == EmptyDir(size=64 << 20)


BEGIN = 'MountVolume.SetUp failed for volume "v" : '


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ({"configMap": {"name": "no"}}, 'configmap "no" not found'),
        ({"secret": {"secretName": "no"}}, 'secret "no" not found'),
        (
            {"configMap": {"name": "cm", "items": [{"key": "z", "path": "z"}]}},
            "configmap references non-existent config key: z",
        ),
        (
            {"secret": {"secretName": "s", "items": [{"key": "z", "path": "z"}]}},
            "references non-existent secret key: z",
        ),
    ],
)
def test_what_is_missing_is_said_as_kubelet_says_it(source: Object, text: str) -> None:
    with pytest.raises(MissingSource) as raised:
        volume(**source)
    assert str(raised.value) == BEGIN + text


@pytest.mark.parametrize(
    "source",
    [
        {"configMap": {"name": "no", "optional": True}},
        {"configMap": {"name": "cm", "optional": True, "items": [{"key": "z", "path": "z"}]}},
    ],
)
def test_what_is_optional_may_be_missing(source: Object) -> None:
    assert volume(**source) == {}


@pytest.mark.parametrize("kind", ["persistentVolumeClaim", "nfs", "csi", "ephemeral", "image"])
def test_what_cannot_be_here_says_what_to_use(kind: str) -> None:
    with pytest.raises(MissingSource, match=f"{kind} is not available here.*emptyDir"):
        volume(**{kind: {}})


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "a/../../b", "a//b"])
def test_no_path_leads_out_of_a_volume(path: str) -> None:
    with pytest.raises(MissingSource, match="leads out"):
        volume(configMap={"name": "cm", "items": [{"key": "a", "path": path}]})


def read(directory: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file() and not str(path.relative_to(directory)).startswith("..")
    }


def test_files_come_change_and_go(tmp_path: Path) -> None:
    assert write_files(tmp_path, {"a": File(b"1"), "d/e": File(b"2", 0o600)})
    assert (tmp_path / "d/e").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "a").is_symlink()
    assert not write_files(tmp_path, {"a": File(b"1"), "d/e": File(b"2", 0o600)})
    assert write_files(tmp_path, {"a": File(b"3"), "f": File(b"4")})
    assert {path.name: path.read_bytes() for path in (tmp_path / "..data").iterdir()} == {
        "a": b"3",
        "f": b"4",
    }
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"..data", present(tmp_path), "a", "f"}
    assert write_files(tmp_path, {}) and not write_files(tmp_path, {})


def test_a_reader_sees_one_version_whole(tmp_path: Path) -> None:
    """Both files are read through one link, again and again, while the versions change."""
    write_files(tmp_path, {"a": File(b"0"), "b": File(b"0")})
    done = threading.Event()

    def write() -> None:
        for number in range(200):
            content = str(number).encode()
            write_files(tmp_path, {"a": File(content), "b": File(content)})
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    while not done.is_set():
        version = tmp_path / present(tmp_path)
        try:
            a, b = (version / "a").read_bytes(), (version / "b").read_bytes()
        except FileNotFoundError:
            continue  # this version went in between
        assert a == b
    writer.join()


_EMPTY: Object = {"emptyDir": {}}


def mounts(
    mount: Object,
    values: dict[str, str],
    versions: dict[str, str],
    source: Object = _EMPTY,
) -> str:
    wanted = pod({"volumeMounts": [{"name": "v", "mountPath": "/m", **mount}]})
    wanted["spec"]["volumes"] = [{"name": "v", **source}]
    return mount_records(wanted, wanted["spec"]["containers"][0], values, versions)[-1][1]


def test_a_sub_path_may_name_variables_and_stays_in_one_version() -> None:
    assert mounts({"subPath": "a/"}, {}, {}) == "v/a:rw:/m"
    assert mounts({"subPathExpr": "log/$(POD)"}, {"POD": "p-1"}, {}) == "v/log/p-1:rw:/m"
    files = {"configMap": {"name": "cm"}}
    assert mounts({"subPath": "a"}, {}, {"v": "..ff"}, files) == "v/..ff/a:ro:/m"
    assert mounts({}, {}, {"v": "..ff"}, files) == "v:ro:/m"
    # What a container has made in its own directory names no version.
    assert mounts({"subPath": "a"}, {}, {"v": "..ff"}) == "v/a:rw:/m"
    with pytest.raises(MissingSource, match='missing value for "POD"'):
        mounts({"subPathExpr": "$(POD)"}, {}, {})
    for sub in ("../x", "/etc", "$(UP)"):
        with pytest.raises(MissingSource, match="refused"):
            mounts({"subPathExpr": sub}, {"UP": "a/../.."}, {})


def test_files_that_cannot_be_written_leave_nothing_behind(tmp_path: Path) -> None:
    write_files(tmp_path, {"a": File(b"1")})
    before = sorted(path.name for path in tmp_path.iterdir())

    with pytest.raises(OSError):
        write_files(tmp_path, {"a": File(b"2"), "a/b": File(b"3")})

    assert sorted(path.name for path in tmp_path.iterdir()) == before
    assert (tmp_path / "a").read_bytes() == b"1"


@pytest.mark.parametrize("target", ["/etc", "../other", "..", "x"])
def test_only_a_version_of_its_own_is_ever_removed(tmp_path: Path, target: str) -> None:
    other, volume = tmp_path / "other", tmp_path / "volume"
    for directory in (other, volume, volume / "x"):
        directory.mkdir()
    (volume / "..data").symlink_to(target)

    assert present(volume) == ""
    write_files(volume, {"a": File(b"1")})

    assert other.is_dir() and (volume / "a").read_bytes() == b"1"
