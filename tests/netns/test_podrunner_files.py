"""Volumes and logs of real pods: owners, limits, and what becomes of them over time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pod_lab import PodLab, a_pod, pod_lab, until

from cn2.api.kind import Object
from cn2.podrunner.crilog import parse
from cn2.podrunner.logs import LogReader

pytestmark = pytest.mark.root

FOREVER = "trap 'exit 0' TERM; while true; do sleep 0.05; done"


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[PodLab]:
    directory = tmp_path / "lab"
    directory.mkdir()
    async with pod_lab(directory) as made:
        yield made


def with_volume(pod: Object, source: Object, **mount: object) -> Object:
    pod["spec"].setdefault("volumes", []).append({"name": "v", **source})
    mounts = pod["spec"]["containers"][0].setdefault("volumeMounts", [])
    mounts.append({"name": "v", "mountPath": "/v", **mount})
    return pod


def log_text(lab: PodLab, attempt: int = 0) -> str:
    path = lab.place("uid-1").log("c0", attempt)
    return path.read_text() if path.exists() else ""


def events(lab: PodLab, reason: str) -> list[str]:
    return [message for _, was, message in lab.api.events if was == reason]


async def test_a_change_reaches_the_mounted_files_but_no_sub_path(lab: PodLab) -> None:
    lab.objects.put("ConfigMap", "cm", data={"k": "old", "gone": "x"})
    wait = "until grep -q new /v/k; do sleep 0.02; done"
    script = f"cat /v/k /sub; echo; {wait}; ls /v; cat /sub; echo; echo end; {FOREVER}"
    pod = with_volume(a_pod("uid-1", script), {"configMap": {"name": "cm"}})
    pod["spec"]["containers"][0]["volumeMounts"].append(
        {"name": "v", "mountPath": "/sub", "subPath": "k"}
    )
    lab.start(pod)
    await until(lambda: "F oldold" in log_text(lab))
    lab.objects.put("ConfigMap", "cm", data={"k": "new", "more": "y"})
    await until(lambda: "F end" in log_text(lab))
    text = log_text(lab)
    assert "F k\n" in text and "F more\n" in text and "gone" not in text
    assert "F old\n" in text


async def test_labels_reach_the_downward_api(lab: PodLab) -> None:
    item = {"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}
    pod = with_volume(a_pod("uid-1", FOREVER), {"downwardAPI": {"items": [item]}})
    worker = lab.start(pod)
    await until(lambda: lab.api.status.get("phase") == "Running")
    file = lab.volume("uid-1", "v") / "..data" / "labels"
    assert file.read_text() == ""
    worker.update({**pod, "metadata": {**pod["metadata"], "labels": {"a": "b"}}})
    await until(lambda: file.read_text() == 'a="b"\n')


async def test_a_pod_waits_for_what_its_volume_needs_without_a_sandbox(lab: PodLab) -> None:
    lab.start(with_volume(a_pod("uid-1", FOREVER), {"secret": {"secretName": "s"}}))
    await until(lambda: events(lab, "FailedMount"))
    text = 'MountVolume.SetUp failed for volume "v" : secret "s" not found'
    assert events(lab, "FailedMount")[0] == text
    assert lab.calls() == []
    lab.objects.put("Secret", "s", data={})
    await until(lambda: lab.api.status.get("phase") == "Running")


async def test_a_source_that_goes_leaves_the_files_and_is_said(lab: PodLab) -> None:
    lab.objects.put("ConfigMap", "cm", data={"k": "kept"})
    lab.start(with_volume(a_pod("uid-1", FOREVER), {"configMap": {"name": "cm"}}))
    await until(lambda: lab.api.status.get("phase") == "Running")
    lab.objects.drop("ConfigMap", "cm")
    await until(lambda: events(lab, "FailedMount"))
    assert (lab.volume("uid-1", "v") / "..data" / "k").read_text() == "kept"


async def test_an_environment_heals_when_its_source_comes(lab: PodLab) -> None:
    pod = a_pod("uid-1", f"echo $X; {FOREVER}")
    reference = {"name": "cm", "key": "x"}
    pod["spec"]["containers"][0]["env"] = [
        {"name": "X", "valueFrom": {"configMapKeyRef": reference}}
    ]
    lab.start(pod)
    await until(lambda: events(lab, "Failed"))
    assert events(lab, "Failed")[0] == 'Error: configmap "cm" not found'
    await until(lambda: "CreateContainerConfigError" in str(lab.api.status))
    lab.objects.put("ConfigMap", "cm", data={"y": ""})
    await until(lambda: len(events(lab, "Failed")) == 2)
    assert events(lab, "Failed")[1] == "Error: couldn't find key x in ConfigMap default/cm"
    lab.objects.put("ConfigMap", "cm", data={"x": "healed"})
    await until(lambda: "F healed" in log_text(lab))


async def test_an_empty_dir_is_shared_owned_and_limited(lab: PodLab) -> None:
    script = """id; stat -c '%a %u %g' /v; touch /v/mine; stat -c %g /v/mine
        head -c 2000000 /dev/zero > /v/big; df --output=size -B1 /v; echo end"""
    pod = with_volume(
        a_pod("uid-1", script, restartPolicy="Never"), {"emptyDir": {"sizeLimit": "1Mi"}}
    )
    pod["spec"]["securityContext"] = {"runAsUser": 1234, "runAsGroup": 5, "fsGroup": 2000}
    lab.start(pod)
    await until(lambda: "F end" in log_text(lab))
    text = log_text(lab)
    assert "uid=1234 gid=5" in text and "2000" in text
    assert "F 2777 0 2000" in text and "F 2000\n" in text
    assert "No space left on device" in text and " 1048576\n" in text


async def test_modes_and_groups_of_files_are_kept(lab: PodLab) -> None:
    lab.objects.put("Secret", "s", data={"k": "aHVzaA=="})
    script = "stat -L -c '%a %u %g' /v/k; cat /v/k; echo; echo x > /v/k; echo end"
    secret = {"secretName": "s", "defaultMode": 0o400}
    pod = with_volume(a_pod("uid-1", script, restartPolicy="Never"), {"secret": secret})
    pod["spec"]["securityContext"] = {"runAsUser": 1234, "fsGroup": 2000}
    lab.start(pod)
    await until(lambda: "F end" in log_text(lab))
    text = log_text(lab)
    assert "F 440 0 2000" in text and "F hush" in text and "Read-only file system" in text


async def test_five_files_of_a_log_are_kept_and_read_as_one(lab: PodLab) -> None:
    many = "head -c 66000000 /dev/zero | tr '\\0' x | fold -w 1000; echo; echo last"
    lab.start(a_pod("uid-1", many, restartPolicy="Never"))
    await until(lambda: lab.api.status.get("phase") == "Succeeded", 60)
    path = lab.place("uid-1").log("c0", 0)
    names = sorted(file.name for file in path.parent.glob("0.log*"))
    assert names == ["0.log", *(f"0.log.{number}" for number in range(1, 5))]
    assert all(file.stat().st_size >= 10 << 20 for file in path.parent.glob("0.log.*"))
    reader = LogReader(path, parse)
    entries = [entry.text for entry in reader.entries()]
    reader.close()
    assert entries[-1] == b"last\n" and len(entries) > 40_000
