"""Texts that others read or write: init's records, CNI, CRI logs, quantities, the Node."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cn2.drivers.cgroups import Cgroups
from cn2.podrunner.cni_conf import (
    ConfError,
    addresses,
    error_text,
    first_of,
    parse,
    plugin_environment,
    plugin_input,
)
from cn2.podrunner.crilog import BadOption, Entry, LogOptions, Selection, options
from cn2.podrunner.crilog import parse as parse_line
from cn2.podrunner.host_view import Fresh, Host
from cn2.podrunner.initlink import run_of
from cn2.podrunner.limits import memory_limit
from cn2.podrunner.nodes import Machine, node_object, node_status
from cn2.podrunner.records import decode, decode_lines, encode
from cn2.podrunner.runs import Run, epoch
from cn2.podrunner.spec import capabilities, exec_records, run_records

TEXT = st.text(st.characters(blacklist_characters="\0", blacklist_categories=("Cs",)))
KEYS = st.text("abcdefghij-", min_size=1)


@given(st.lists(st.tuples(KEYS, TEXT)))
def test_records_come_back_as_they_were(records: list[tuple[str, str]]) -> None:
    assert decode(encode(records)) == records


def test_a_nul_byte_cannot_smuggle_a_record() -> None:
    with pytest.raises(ValueError, match="NUL"):
        encode([("env", "A=1\0caps=ffffffff")])


def test_a_state_file_is_a_run() -> None:
    text = (
        "op=state\nid=my-app/3\nstate=exited\nstarted=2026-01-01T00:00:00.5Z\n"
        "finished=2026-01-01T00:00:02Z\nexit=137\nsignal=9\nerror=\noom=1\n"
    )
    name, run = run_of(decode_lines(text))
    assert name == "my-app"
    assert run == Run(
        3, "2026-01-01T00:00:00.5Z", "2026-01-01T00:00:02Z", 137, 9, "", out_of_memory=True
    )
    assert run.seconds == 1.5


def test_times_have_nine_digits_or_none() -> None:
    assert epoch("1970-01-01T00:00:01.250000000Z") == 1.25
    assert epoch("1970-01-01T00:00:01Z") == 1.0


def container(**more: Any) -> Any:
    return {"name": "c", "command": ["bash", "-c", "echo $(X)"], "args": ["$(X)"], **more}


def run_request(**more: Any) -> list[tuple[str, str]]:
    pod = {"spec": {"containers": [], **more.pop("pod", {})}}
    return run_records(
        pod, container(**more), 2, {"X": "1"}, Host(("/data",), (Fresh("/tmp", 0o1777),))
    )


def test_a_run_says_everything_to_init() -> None:
    request = run_request(workingDir="/srv", tty=True)
    assert request[:2] == [("op", "run"), ("id", "c/2")]
    assert [value for key, value in request if key == "arg"] == ["bash", "-c", "echo 1", "1"]
    assert ("cwd", "/srv") in request
    assert ("env", "X=1") in request and ("env", "TERM=xterm") in request
    assert ("hide", "/data") in request and ("fresh", "1777:0:0:/tmp") in request
    assert ("mount", ".etc/hosts:rw:/etc/hosts") in request


@pytest.mark.parametrize(
    ("args", "run"),
    [
        (["sh", "-c", "echo $(X)"], ["sh", "-c", "echo 1"]),
        (["-conf", "/etc/coredns/Corefile"], []),
        ([], []),
        (None, []),
    ],
)
def test_arguments_without_a_command_run_unless_they_are_options(args: Any, run: Any) -> None:
    request = run_request(command=None, args=args)
    assert [value for key, value in request if key == "arg"] == run


def test_the_user_of_a_container_comes_before_the_pods() -> None:
    request = run_request(
        pod={"securityContext": {"runAsUser": 1, "runAsGroup": 2, "fsGroup": 3}},
        securityContext={"runAsUser": 7},
    )
    assert [item for item in request if item[0] in ("uid", "gid", "group")] == [
        ("uid", "7"),
        ("gid", "2"),
        ("group", "3"),
    ]


def test_volumes_are_read_only_but_for_scratch_space() -> None:
    request = run_request(
        pod={"volumes": [{"name": "e", "emptyDir": {}}, {"name": "s", "secret": {}}]},
        volumeMounts=[
            {"name": "s", "mountPath": "/s"},
            {"name": "e", "mountPath": "/e", "subPath": "x"},
        ],
    )
    assert [value for key, value in request if key == "mount"][3:5] == ["e/x:rw:/e", "s:ro:/s"]


def test_exec_takes_what_the_container_has_and_its_own_words() -> None:
    request = exec_records(run_request(), ["ls", "-l"], tty=True)
    assert request[0] == ("op", "exec")
    assert ("id", "c/2") in request and ("env", "X=1") in request
    assert ("env", "TERM=xterm") in request and ("tty", "1") in request
    assert [value for key, value in request if key == "arg"] == ["ls", "-l"]


def test_capabilities_are_the_usual_ones_without_mknod() -> None:
    mask = capabilities(container())
    assert mask >> 13 & 1, "NET_RAW: ping works"
    assert not mask >> 27 & 1, "MKNOD would open the host's disks"
    assert not mask >> 21 & 1, "SYS_ADMIN"
    dropped = container(securityContext={"capabilities": {"drop": ["ALL"], "add": ["NET_RAW"]}})
    assert capabilities(dropped) == 1 << 13


def test_a_single_plugin_and_a_list_are_read() -> None:
    single = parse("10-a.conf", b'{"name":"n","cniVersion":"0.3.1","type":"contrail-k8s-cni"}')
    assert (single.name, single.version, len(single.plugins)) == ("n", "0.3.1", 1)
    chain = parse(
        "a.conflist", b'{"name":"n","cniVersion":"1.0.0","plugins":[{"type":"a"},{"type":"b"}]}'
    )
    assert [plugin["type"] for plugin in chain.plugins] == ["a", "b"]
    sent = json.loads(plugin_input(chain, chain.plugins[1], {"ips": []}))
    assert sent == {"type": "b", "name": "n", "cniVersion": "1.0.0", "prevResult": {"ips": []}}


@pytest.mark.parametrize(
    "text",
    [
        b"{",
        b"[]",
        b'{"type":"x"}',
        b'{"name":"n"}',
        b'{"name":"n","type":"../sh"}',
        b'{"name":"n","type":""}',
    ],
)
def test_a_bad_configuration_is_refused(text: bytes) -> None:
    with pytest.raises(ConfError):
        parse("x.conf", text)


def test_the_first_configuration_counts() -> None:
    assert first_of(["20-b.conf", "10-a.conflist", "05-readme.txt"]) == "10-a.conflist"
    assert first_of([]) is None


def test_the_plugins_environment() -> None:
    pod = {"metadata": {"namespace": "default", "name": "vn1-pod", "uid": "u"}}
    env = plugin_environment("ADD", sandbox="ab12", netns="/n", path="/bin", pod=pod)
    assert env["CNI_ARGS"] == (
        "IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=vn1-pod;"
        "K8S_POD_INFRA_CONTAINER_ID=ab12;K8S_POD_UID=u"
    )
    assert (env["CNI_IFNAME"], env["CNI_NETNS"], env["CNI_CONTAINERID"]) == ("eth0", "/n", "ab12")


def test_a_plugins_error_is_told_in_its_own_words() -> None:
    said = b'{"code":11,"msg":"try again","details":"vn1 is missing"}'
    assert error_text("p", "ADD", said, b"", 1) == (
        'plugin type="p" failed (add): try again: vn1 is missing'
    )
    assert error_text("p", "DEL", b"", b"boom\n", 1).endswith("(del): boom")
    assert error_text("p", "ADD", b"", b"", 3).endswith("exit code 3")


def test_pod_addresses_come_from_the_result_ipv4_first() -> None:
    result = {"ips": [{"address": "fd00::5/64"}, {"address": "10.244.0.5/16"}]}
    assert addresses(result) == ("10.244.0.5", "fd00::5")
    assert addresses({}) == ()


def test_log_lines_are_parsed() -> None:
    assert parse_line(b"T stdout F a b") == Entry("T", b"a b\n")
    assert parse_line(b"T stderr P part") == Entry("T", b"part")
    assert parse_line(b"T stdout F ") == Entry("T", b"\n")
    assert parse_line(b"garbage") is None


LINES = [
    Entry("2026-01-01T00:00:01Z", b"one\n"),
    Entry("2026-01-01T00:00:02Z", b"tw"),
    Entry("2026-01-01T00:00:03Z", b"o\n"),
    Entry("2026-01-01T00:00:04Z", b"rest"),
]


def shown(wanted: LogOptions) -> bytes:
    selection = Selection(wanted)
    return b"".join(selection.render(entry) for entry in selection.last(LINES))


def test_the_tail_counts_lines_not_parts() -> None:
    assert shown(LogOptions()) == b"one\ntwo\nrest"
    assert shown(LogOptions(tail=2)) == b"two\nrest"
    assert shown(LogOptions(tail=0)) == b""


def test_since_limit_and_timestamps() -> None:
    assert shown(LogOptions(since=epoch("2026-01-01T00:00:04Z"))) == b"rest"
    assert shown(LogOptions(limit=5)) == b"one\nt"
    stamped = shown(LogOptions(timestamps=True, tail=2))
    assert stamped == b"2026-01-01T00:00:02Z two\n2026-01-01T00:00:04Z rest"


def test_options_come_from_the_query() -> None:
    query = {"follow": "true", "tailLines": "3", "sinceSeconds": "10", "previous": "1"}
    assert options(query, 100.0) == LogOptions(follow=True, tail=3, since=90.0, previous=True)
    for bad in ({"tailLines": "-1"}, {"limitBytes": "x"}):
        with pytest.raises(BadOption):
            options(bad, 0.0)


def test_a_memory_limit_that_is_no_quantity_is_refused() -> None:
    for text in ("5x", "Mi", "1.5.Gi Mi"):
        with pytest.raises(ValueError, match="not a quantity"):
            memory_limit({"resources": {"limits": {"memory": text}}})


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("64Mi", 64 << 20),
        ("1G", 10**9),
        ("0.5Gi", 1 << 29),
        ("1000", 1000),
        ("1e999999", 2**63 - 1),
        ("0", None),
        ("-1", None),
        ("", None),
    ],
)
def test_memory_limits(text: str, size: int | None) -> None:
    assert memory_limit({"resources": {"limits": {"memory": text}}}) == size


def test_a_host_without_control_groups_says_which_are_missing(tmp_path: Path) -> None:
    (tmp_path / "pids").mkdir()
    (tmp_path / "pids" / "cgroup.procs").touch()
    found = Cgroups.found(tmp_path)
    assert (found.controllers, found.missing) == (("pids",), ("memory", "cpu"))


def test_control_groups_of_version_2_have_processes_in_their_leaves_alone(tmp_path: Path) -> None:
    (tmp_path / "cgroup.controllers").write_text("cpuset cpu io memory hugetlb pids\n")
    (tmp_path / "cgroup.subtree_control").touch()
    found = Cgroups.found(tmp_path)
    assert (found.unified, found.missing) == (True, ())
    assert found.make_pod("u") == [tmp_path / "cn2/u/pod/cgroup.procs"]
    for level in (tmp_path, tmp_path / "cn2", tmp_path / "cn2/u"):
        assert (level / "cgroup.subtree_control").read_text() == "+memory +pids +cpu"
    assert int((tmp_path / "cn2/u/pids.max").read_text()) > 0
    found.make("u", "c/1", memory=1 << 20, processors=0.5)
    group = tmp_path / "cn2/u/c.1"
    assert (group / "memory.max").read_text() == "1048576"
    assert (group / "cpu.max").read_text() == "50000 100000"
    (group / "memory.events").write_text("oom 1\noom_kill 1\n")
    assert found.out_of_memory("u", "c/1")
    (group / "cgroup.procs").touch()
    with found.joined("u", "c/1") as groups:
        assert len(groups) == 1
    with found.joined("u", "other/0") as groups:
        assert not groups


MACHINE = Machine(2, 1024, 2048, "6.18", "Debian", "amd64", "m", "b", "0.1.0")


def test_the_node_is_described_as_a_kubelet_would() -> None:
    node = node_object("minikube", MACHINE, ("10.244.0.0/24",))
    assert node["spec"] == {"podCIDR": "10.244.0.0/24", "podCIDRs": ["10.244.0.0/24"]}
    assert "node-role.kubernetes.io/control-plane" in node["metadata"]["labels"]
    status = node_status(
        "minikube", MACHINE, ("192.168.177.47",), problem="", present={}, moment="T1"
    )
    assert status["addresses"] == [
        {"type": "InternalIP", "address": "192.168.177.47"},
        {"type": "Hostname", "address": "minikube"},
    ]
    assert status["nodeInfo"]["kubeletVersion"] == "v1.32.4+cn2"
    assert status["nodeInfo"]["containerRuntimeVersion"] == "cn2://0.1.0"


def test_readiness_has_its_problem_and_keeps_its_time() -> None:
    def ready(problem: str, present: Any, moment: str) -> Any:
        told = node_status("n", MACHINE, (), problem=problem, present=present, moment=moment)
        return told, told["conditions"][-1]

    status, condition = ready("no CNI", {}, "T1")
    assert (condition["status"], condition["message"]) == ("False", "no CNI")
    status, condition = ready("", status, "T2")
    assert (condition["status"], condition["lastTransitionTime"]) == ("True", "T2")
    _, condition = ready("", status, "T3")
    assert (condition["lastHeartbeatTime"], condition["lastTransitionTime"]) == ("T3", "T2")
