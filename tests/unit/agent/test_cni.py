"""A CNI call is parsed and refused with the specification's codes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cn2.agent.cni import CniError, Code, Request, decode, encode, error, parse

ENVIRONMENT = {
    "CNI_COMMAND": "ADD",
    "CNI_CONTAINERID": "abc-123",
    "CNI_NETNS": "/run/netns/x",
    "CNI_IFNAME": "eth0",
    "CNI_ARGS": "IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=p1;K8S_POD_UID=u1",
}
CONFIG: dict[str, Any] = {"cniVersion": "1.0.0", "name": "contrail", "type": "contrail-k8s-cni"}


def call(config: object = CONFIG, **environment: str) -> Request:
    return parse(ENVIRONMENT | environment, json.dumps(config).encode())


def code_of(config: object = CONFIG, **environment: str) -> Code:
    with pytest.raises(CniError) as caught:
        call(config, **environment)
    return caught.value.code


def test_an_add_names_its_pod() -> None:
    request = call()

    assert (request.command, request.version, request.pod, request.pod_uid) == (
        "ADD",
        "1.0.0",
        ("default", "p1"),
        "u1",
    )


@pytest.mark.parametrize("version", ["0.3.1", "0.4.0", "1.0.0", "1.1.0"])
def test_released_versions_are_accepted(version: str) -> None:
    assert call(CONFIG | {"cniVersion": version}).version == version


@pytest.mark.parametrize("version", ["0.1.0", "0.2.0", "2.0.0", "", 1])
def test_1_other_versions_are_incompatible(version: object) -> None:
    assert code_of(CONFIG | {"cniVersion": version}) == Code.INCOMPATIBLE_VERSION


def test_1_a_configuration_without_version_is_of_0_1_0() -> None:
    assert code_of({"name": "contrail"}) == Code.INCOMPATIBLE_VERSION


@pytest.mark.parametrize(
    ("command", "version"), [("CHECK", "0.3.1"), ("GC", "1.0.0"), ("STATUS", "1.0.0")]
)
def test_1_commands_that_a_version_does_not_know(command: str, version: str) -> None:
    assert code_of(CONFIG | {"cniVersion": version}, CNI_COMMAND=command) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"CNI_COMMAND": ""},
        {"CNI_COMMAND": "PLUG"},
        {"CNI_CONTAINERID": ""},
        {"CNI_CONTAINERID": "../../etc/passwd"},
        {"CNI_CONTAINERID": "x" * 201},
        {"CNI_NETNS": ""},
        {"CNI_IFNAME": ""},
        {"CNI_IFNAME": ".."},
        {"CNI_IFNAME": "a/b"},
        {"CNI_IFNAME": "sixteen-letters-"},
        {"CNI_ARGS": "K8S_POD_NAMESPACE=default"},
        {"CNI_ARGS": "K8S_POD_NAMESPACE=default;nonsense"},
    ],
)
def test_4_invalid_environment(wrong: dict[str, str]) -> None:
    assert code_of(**wrong) == Code.INVALID_ENVIRONMENT


def test_4_names_everything_that_is_missing() -> None:
    with pytest.raises(CniError, match="CNI_IFNAME, CNI_NETNS, K8S_POD_NAMESPACE"):
        call(CNI_IFNAME="", CNI_NETNS="", CNI_ARGS="")


def test_a_delete_needs_neither_namespace_nor_pod() -> None:
    assert call(CNI_COMMAND="DEL", CNI_NETNS="", CNI_ARGS="").command == "DEL"


@pytest.mark.parametrize("stdin", [b"", b"{", b"[]", b'"x"', b"\xff"])
def test_6_undecodable_configuration(stdin: bytes) -> None:
    with pytest.raises(CniError) as caught:
        parse(ENVIRONMENT, stdin)

    assert caught.value.code == Code.DECODING_FAILURE


@pytest.mark.parametrize("name", [None, "", "-x", "a b", 3])
def test_7_invalid_network_name(name: object) -> None:
    assert code_of(CONFIG | {"name": name}) == Code.INVALID_CONFIGURATION


def test_7_check_without_previous_result() -> None:
    assert code_of(CNI_COMMAND="CHECK") == Code.INVALID_CONFIGURATION


@pytest.mark.parametrize("listed", [None, "x", [1], [{"containerID": "a"}]])
def test_7_garbage_collection_never_guesses_what_is_valid(listed: object) -> None:
    config = CONFIG | {"cniVersion": "1.1.0", "cni.dev/valid-attachments": listed}

    assert code_of(config, CNI_COMMAND="GC") == Code.INVALID_CONFIGURATION


def test_garbage_collection_names_what_must_stay() -> None:
    listed = [{"containerID": "a", "ifname": "eth0"}]
    config = CONFIG | {"cniVersion": "1.1.0", "cni.dev/valid-attachments": listed}

    assert call(config, CNI_COMMAND="GC").valid_attachments == {("a", "eth0")}


def test_an_error_is_printed_in_the_callers_version() -> None:
    failure = CniError(Code.TRY_AGAIN_LATER, "not yet", "really")

    assert json.loads(error("0.4.0", failure)) == {
        "cniVersion": "0.4.0",
        "code": 11,
        "msg": "not yet",
        "details": "really",
    }


def test_a_frame_splits_into_environment_and_stdin() -> None:
    assert decode(b"CNI_COMMAND=ADD\0CNI_ARGS=A=1;B=2\0\0{}") == (
        {"CNI_COMMAND": "ADD", "CNI_ARGS": "A=1;B=2"},
        b"{}",
    )
    assert decode(b"\0{}") == ({}, b"{}")


def test_a_frame_without_an_end_of_environment_is_undecodable() -> None:
    with pytest.raises(CniError) as caught:
        decode(b"CNI_COMMAND=ADD")

    assert caught.value.code == Code.DECODING_FAILURE


def test_a_reply_carries_length_and_exit_code() -> None:
    assert encode(1, b"xy") == b"\0\0\0\3\1xy"
