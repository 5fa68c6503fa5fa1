"""Real pods: namespaces, files, network by a CNI plugin, restarts, their end."""

from __future__ import annotations

import asyncio
import ctypes
import os
import platform
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pod_lab import NATIVE, PodLab, a_pod, deleted, pod_lab, until

from cn2.api.kind import Object
from cn2.drivers.processes import boot_id, start_time
from cn2.podrunner.sandbox import is_alive, pidfd

pytestmark = pytest.mark.root

FOREVER = "trap 'exit 0' TERM; while true; do sleep 0.05; done"


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[PodLab]:
    directory = tmp_path / "lab"
    directory.mkdir()
    async with pod_lab(directory) as made:
        yield made


def state(lab: PodLab, index: int = 0) -> Object:
    statuses = lab.api.status.get("containerStatuses") or [{}] * (index + 1)
    found: Object = statuses[index].get("state") or {}
    return found


def log_text(lab: PodLab, name: str = "c0", attempt: int = 0, uid: str = "uid-1") -> str:
    path = lab.place(uid).log(name, attempt)
    return path.read_text() if path.exists() else ""


async def test_a_pod_runs_with_its_own_name_network_and_files(lab: PodLab) -> None:
    script = "hostname; id -u; ip -br a; cat /etc/hosts /etc/hostname; ls /root /home; echo done"
    lab.start(a_pod("uid-1", f"{script}; {FOREVER}"))
    await until(lambda: "done" in log_text(lab))
    text = log_text(lab)
    assert "F vn1-pod" in text
    assert "10.9.0.5/16" in text
    assert "10.9.0.5\tvn1-pod" in text
    await until(lambda: "running" in state(lab))
    assert lab.api.status["phase"] == "Running"
    assert lab.api.status["podIP"] == "10.9.0.5"
    ready = {c["type"]: c["status"] for c in lab.api.status["conditions"]}
    assert ready["Ready"] == ready["ContainersReady"] == ready["Initialized"] == "True"
    assert len(lab.api.patches) <= 2, "what follows quickly goes out in one write"
    await until(lambda: len(lab.api.events) == 2)
    assert lab.api.events == [
        ("Normal", "Created", "Created container c0"),
        ("Normal", "Started", "Started container c0"),
    ]


async def test_the_plugin_is_called_as_a_container_runtime_calls_it(lab: PodLab) -> None:
    worker = lab.start(a_pod("uid-1", FOREVER))
    await until(lambda: "running" in state(lab))
    worker.update(deleted(a_pod("uid-1", FOREVER)))
    await lab.finished("uid-1")
    add, delete = (call.split() for call in lab.calls())
    assert add[0] == "ADD" and delete[0] == "DEL"
    assert add[1:] == delete[1:]
    assert add[1] == "eth0"
    assert len(add[3]) == 64
    assert add[2].split(";") == [
        "IgnoreUnknown=1",
        "K8S_POD_NAMESPACE=default",
        "K8S_POD_NAME=vn1-pod",
        f"K8S_POD_INFRA_CONTAINER_ID={add[3]}",
        "K8S_POD_UID=uid-1",
    ]


async def test_the_host_is_out_of_reach(lab: PodLab) -> None:
    secret = lab.directory / "secret"
    secret.write_text("s3cret")
    script = f"""
        cat {secret}; cat /etc/shadow; ls /proc/1/root/; ls -l /proc/1/fd
        mount -t tmpfs x /mnt; mknod /tmp/disk b 254 0; echo x > /proc/sys/kernel/core_pattern
        echo b > /proc/sysrq-trigger; kill -9 1; echo still here
        echo changed > /etc/hostname.new && cat /etc/hostname.new
    """
    lab.start(a_pod("uid-1", f"{script}\necho end; {FOREVER}"))
    await until(lambda: "F end" in log_text(lab))
    text = log_text(lab)
    assert "s3cret" not in text
    assert "root:" not in text
    assert "ls: cannot" in text or "Permission denied" in text
    assert "mknod: /tmp/disk: Operation not permitted" in text
    assert "core_pattern: Read-only file system" in text
    assert "still here" in text
    assert "F changed" in text
    assert not Path("/etc/hostname.new").exists()


async def test_the_keys_of_who_started_it_stay_out_of_a_pod(lab: PodLab) -> None:
    """The session keyring is handed down from process to process, through all namespaces."""
    number, session = {"x86_64": 250, "aarch64": 219}[platform.machine()], -3
    ask = f"import ctypes; print(ctypes.CDLL(None).syscall({number}, 0, {session}, 0))"
    outside = ctypes.CDLL(None).syscall(number, 0, session, 0)
    lab.start(a_pod("uid-1", f"echo keyring $(/usr/bin/python3 -c '{ask}'); {FOREVER}"))
    await until(lambda: "F keyring" in log_text(lab))
    # A host that lets nobody ask has nothing to hide.
    assert outside < 0 or f"F keyring {outside}\n" not in log_text(lab)


async def test_a_link_in_a_volume_is_no_way_out(lab: PodLab) -> None:
    """Neither to the view that process 1 has of the host, nor by a sub-path of the next run."""
    links = "ln -s /.cn2-host/host /v/s; ln -s ../../host /v/r; mkdir /v/d; ln -s / /v/d/t"
    reads = "ls -A /new /given; ls -d /.cn2-host; echo x > /new/x && echo end"
    pod = a_pod("uid-1", FOREVER, FOREVER, FOREVER, f"{reads}; {FOREVER}")
    pod["spec"]["volumes"] = [{"name": "v", "emptyDir": {}}]
    pod["spec"]["initContainers"] = [
        {
            "name": "first",
            "command": ["bash", "-c", links],
            "volumeMounts": [{"name": "v", "mountPath": "/v"}],
        }
    ]
    for container, sub in zip(pod["spec"]["containers"], ("s", "r/etc", "d/t"), strict=False):
        container["volumeMounts"] = [{"name": "v", "mountPath": "/h", "subPath": sub}]
    pod["spec"]["containers"][3]["volumeMounts"] = [
        {"name": "v", "mountPath": "/new", "subPath": "a/b"},
        {"name": "v", "mountPath": "/given/deep", "subPath": "d"},
    ]
    lab.start(pod)
    await until(lambda: "F end" in log_text(lab, "c3"))
    await until(lambda: len(lab.api.status.get("containerStatuses", ())) == 4)
    for index in range(3):
        ended = await until(lambda at=index: ended_state(lab, at))
        assert ended["reason"] == "StartError" and "mount at /h" in ended["message"]
    text = log_text(lab, "c3")
    assert "F deep" in text
    assert "cannot access '/.cn2-host'" in text


def ended_state(lab: PodLab, index: int) -> Object:
    """How the last finished run of a container ended; {} when none has."""
    status = lab.api.status["containerStatuses"][index]
    found: Object = {**status["lastState"], **status["state"]}.get("terminated") or {}
    return found


async def test_the_program_of_a_container_without_command_belongs_to_the_host(
    lab: PodLab,
) -> None:
    """Root of the pod can reach it by /proc, and cannot change it."""
    wait = "until grep -qsxz pause /proc/[0-9]*/cmdline; do sleep 0.01; done"
    change = "for p in /proc/[0-9]*; do chmod 4777 $p/exe; done; echo end"
    pod = a_pod("uid-1", f"{wait}; {change}; {FOREVER}")
    pod["spec"]["containers"].append({"name": "idle", "image": "toolbox"})
    before = (NATIVE / "cn2-init").stat().st_mode
    lab.start(pod)
    await until(lambda: "F end" in log_text(lab))
    assert (NATIVE / "cn2-init").stat().st_mode == before
    assert "Read-only file system" in log_text(lab)


async def test_a_volumes_name_is_no_path_of_the_host(lab: PodLab, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    lab.objects.put("ConfigMap", "c", data={"x": "y"})
    pod = a_pod("uid-1", FOREVER)
    pod["spec"]["volumes"] = [{"name": str(outside), "configMap": {"name": "c"}}]
    lab.start(pod)
    await until(lambda: state(lab).get("waiting", {}).get("reason") == "NotSupported")
    assert list(outside.iterdir()) == []


async def test_termination_is_graceful_and_leaves_nothing(lab: PodLab) -> None:
    pod = a_pod("uid-1", "trap 'echo asked; exit 3' TERM; echo up; while true; do sleep 0.05; done")
    worker = lab.start(pod)
    await until(lambda: "F up" in log_text(lab))
    init = lab.place("uid-1").identity.read_text().split()[0]
    worker.update(deleted(pod))
    await lab.finished("uid-1")
    assert state(lab)["terminated"]["exitCode"] == 3
    assert lab.api.deleted == [
        {"name": "vn1-pod", "namespace": "default", "uid": "uid-1", "grace": 0}
    ]
    assert not lab.place("uid-1").directory.exists()
    assert not lab.place("uid-1").netns.exists()
    assert start_time(int(init)) is None
    for controller in lab.node.cgroups.controllers:
        assert not (lab.node.cgroups.root / controller / "cn2" / "uid-1").exists()


async def test_what_ignores_sigterm_is_killed_after_the_grace_period(lab: PodLab) -> None:
    pod = a_pod("uid-1", "trap '' TERM; echo up; while true; do sleep 0.05; done")
    worker = lab.start(pod)
    await until(lambda: "F up" in log_text(lab))
    worker.update(deleted(pod, grace=1))
    await lab.finished("uid-1")
    assert state(lab)["terminated"]["exitCode"] == 137
    assert ("Normal", "Killing", "Stopping container c0") in lab.api.events


async def test_a_failing_container_is_restarted_and_then_backed_off(lab: PodLab) -> None:
    lab.start(a_pod("uid-1", "echo run; exit 4"))
    await until(lambda: state(lab).get("waiting", {}).get("reason") == "CrashLoopBackOff")
    status = lab.api.status["containerStatuses"][0]
    assert status["restartCount"] == 1
    assert status["lastState"]["terminated"]["exitCode"] == 4
    assert "back-off 10s" in status["state"]["waiting"]["message"]
    assert "F run" in log_text(lab, attempt=0) and "F run" in log_text(lab, attempt=1)
    assert ("Warning", "BackOff") in {event[:2] for event in lab.api.events}


async def test_a_pod_that_is_done_gives_its_network_back_and_keeps_its_logs(lab: PodLab) -> None:
    lab.start(a_pod("uid-1", "echo result", restartPolicy="Never"))
    await until(lambda: lab.api.status.get("phase") == "Succeeded")
    await until(lambda: [call.split()[0] for call in lab.calls()] == ["ADD", "DEL"])
    assert state(lab)["terminated"]["reason"] == "Completed"
    assert "F result" in log_text(lab)


async def test_what_a_container_leaves_running_ends_with_it(lab: PodLab) -> None:
    lab.start(a_pod("uid-1", "sleep 987 & disown; exit 0", FOREVER, restartPolicy="Never"))
    await until(lambda: "terminated" in state(lab, 0))
    root = Path(f"/proc/{lab.place('uid-1').identity.read_text().split()[0]}/root/proc")
    await until(lambda: not _has_argument(root, b"987"))


def _has_argument(processes: Path, argument: bytes) -> bool:
    for path in processes.glob("[0-9]*/cmdline"):
        try:
            if argument in path.read_bytes().split(b"\0"):
                return True
        except OSError:
            continue
    return False


async def test_init_containers_run_one_after_the_other_and_first(lab: PodLab) -> None:
    pod = a_pod("uid-1", FOREVER)
    pod["spec"]["initContainers"] = [
        {"name": f"i{n}", "command": ["bash", "-c", "date +%s%N"]} for n in range(2)
    ]
    lab.start(pod)
    await until(lambda: "running" in state(lab))
    ends = [s["state"]["terminated"] for s in lab.api.status["initContainerStatuses"]]
    assert [end["exitCode"] for end in ends] == [0, 0]
    first, second = (log_text(lab, f"i{n}").split()[3] for n in range(2))
    assert int(first) < int(second)


async def test_a_container_without_a_command_waits_and_says_so(lab: PodLab) -> None:
    pod = a_pod("uid-1")
    pod["spec"]["containers"] = [{"name": "web", "image": "nginx"}]
    worker = lab.start(pod)
    await until(lambda: "running" in state(lab))
    await until(lambda: ("Warning", "NoCommand") in {event[:2] for event in lab.api.events})
    worker.update(deleted(pod))
    await lab.finished("uid-1")
    assert state(lab)["terminated"]["exitCode"] == 0


async def test_a_command_that_is_not_there_is_a_start_error(lab: PodLab) -> None:
    pod = a_pod("uid-1", restartPolicy="Never")
    pod["spec"]["containers"] = [{"name": "web", "command": ["/no/such"]}]
    lab.start(pod)
    end = await until(lambda: state(lab).get("terminated"))
    assert end["reason"] == "StartError"
    assert "/no/such" in end["message"]


async def test_a_network_that_fails_is_an_event_and_is_tried_again(lab: PodLab) -> None:
    (lab.diary / "fail").touch()
    lab.start(a_pod("uid-1", FOREVER))
    event = await until(lambda: lab.api.events and lab.api.events[0])
    assert event[:2] == ("Warning", "FailedCreatePodSandBox")
    assert "network vn1 is missing: tried" in event[2]
    await until(lambda: state(lab).get("waiting", {}).get("reason") == "ContainerCreating")
    (lab.diary / "fail").unlink()
    await until(lambda: "running" in state(lab))
    assert {call.split()[0] for call in lab.calls()} == {"ADD", "DEL"}


async def test_what_reaches_for_the_host_is_refused(lab: PodLab) -> None:
    pod = a_pod("uid-1", FOREVER, hostNetwork=True)
    lab.start(pod)
    await until(lambda: "waiting" in state(lab))
    assert "hostNetwork" in state(lab)["waiting"]["message"]
    assert lab.api.status["phase"] == "Pending"
    await until(lambda: lab.api.events)
    assert lab.api.events[0][:2] == ("Warning", "NotSupported")
    assert not lab.calls()


async def test_pods_live_on_without_a_pod_runner_and_are_taken_over(lab: PodLab) -> None:
    pod = a_pod("uid-1", "echo up; n=0; while true; do n=$((n+1)); echo $n; sleep 0.02; done")
    lab.start(pod)
    await until(lambda: "running" in state(lab))
    init = lab.place("uid-1").identity.read_text()
    await lab.leave("uid-1")
    written = len(log_text(lab))
    await until(lambda: len(log_text(lab)) > written)
    lab.api.status.clear()
    worker = lab.start(pod)
    await until(lambda: "running" in state(lab))
    assert lab.place("uid-1").identity.read_text() == init
    assert [call.split()[0] for call in lab.calls()] == ["ADD"]
    assert lab.api.status["containerStatuses"][0]["restartCount"] == 0
    assert lab.api.status["podIP"] == "10.9.0.5"
    worker.update(None)
    await lab.finished("uid-1")
    assert [call.split()[0] for call in lab.calls()] == ["ADD", "DEL"]


async def test_a_sandbox_that_dies_is_made_again(lab: PodLab) -> None:
    lab.start(a_pod("uid-1", FOREVER))
    await until(lambda: "running" in state(lab))
    await lab.node.sandboxes.kill(lab.place("uid-1"))
    await until(lambda: lab.api.status["containerStatuses"][0]["restartCount"] == 1)
    await until(lambda: "running" in state(lab))
    assert is_alive(lab.place("uid-1"))
    last = lab.api.status["containerStatuses"][0]["lastState"]["terminated"]
    assert last["exitCode"] == 137


async def test_a_pid_that_another_process_has_by_now_is_not_killed(lab: PodLab) -> None:
    place = lab.place("uid-1")
    place.directory.mkdir(parents=True)
    boot = boot_id()
    place.identity.write_text(f"{os.getpid()} 1 {boot}\n")
    assert pidfd(place) is None


async def test_volumes_and_tokens_are_files_of_the_pod(lab: PodLab) -> None:
    lab.objects.put("ConfigMap", "kube-root-ca.crt", data={"ca.crt": "CA"})
    mount = "/var/run/secrets/kubernetes.io/serviceaccount"
    pod = a_pod(
        "uid-1", f"cat {mount}/*; echo; touch {mount}/x; echo e > /scratch/f; cat /scratch/f"
    )
    pod["spec"] |= {
        "restartPolicy": "Never",
        "volumes": [
            {"name": "scratch", "emptyDir": {}},
            {
                "name": "kube-api-access-abcde",
                "projected": {
                    "sources": [
                        {"serviceAccountToken": {"path": "token", "expirationSeconds": 3607}},
                        {
                            "configMap": {
                                "name": "kube-root-ca.crt",
                                "items": [{"key": "ca.crt", "path": "ca.crt"}],
                            }
                        },
                        {
                            "downwardAPI": {
                                "items": [
                                    {
                                        "path": "namespace",
                                        "fieldRef": {"fieldPath": "metadata.namespace"},
                                    }
                                ]
                            }
                        },
                    ]
                },
            },
        ],
    }
    pod["spec"]["containers"][0]["volumeMounts"] = [
        {"name": "kube-api-access-abcde", "mountPath": mount, "readOnly": True},
        {"name": "scratch", "mountPath": "/scratch"},
    ]
    lab.start(pod)
    await until(lambda: lab.api.status.get("phase") == "Succeeded")
    text = log_text(lab)
    assert "CAdefaulttoken of default for vn1-pod" in text
    assert "Read-only file system" in text
    assert "F e" in text


async def test_an_environment_that_is_too_large_is_said(lab: PodLab) -> None:
    pod = a_pod("uid-1", FOREVER)
    pod["spec"]["containers"][0]["env"] = [{"name": "X", "value": "x" * (1 << 20)}]
    lab.start(pod)
    await until(lambda: "too many" in str(state(lab)))
    assert state(lab)["waiting"]["reason"] == "CreateContainerConfigError"


async def test_memory_and_processes_are_limited(lab: PodLab) -> None:
    if lab.node.cgroups.missing:
        pytest.skip("this host has no version 1 control groups for memory and pids")
    pod = a_pod(
        "uid-1", "x=$(head -c 200m /dev/zero | tr '\\0' a); echo ${#x}", restartPolicy="Never"
    )
    pod["spec"]["containers"][0]["resources"] = {"limits": {"memory": "32Mi"}}
    lab.start(pod)
    await until(lambda: lab.api.status.get("phase") == "Failed")
    assert state(lab)["terminated"]["reason"] in ("OOMKilled", "Error")


async def test_two_pods_do_not_see_each_others_processes(lab: PodLab) -> None:
    one = a_pod("uid-1", FOREVER)
    two = a_pod(
        "uid-2", "ps ax | grep -c '[t]rap'; ls /proc | grep -c '^[0-9]'", restartPolicy="Never"
    )
    two["metadata"]["name"] = "other"
    lab.start(one)
    await until(lambda: "running" in state(lab))
    lab.start(two)
    await until(lambda: log_text(lab, uid="uid-2").count("F") >= 2)
    await asyncio.sleep(0)
    assert "F 0" in log_text(lab, uid="uid-2")
