"""A CNI request as the shim sends it: parsed, and checked as the CNI specification asks.

Everything here is pure. Errors carry the codes of the specification (CNI SPEC.md, section "Error"
and the well-known codes): 1 version, 3 unknown container, 4 environment, 5 I/O, 6 undecodable,
7 invalid configuration, 11 try again later, 50 not available; 100 and above are this plugin's own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import msgspec

VERSIONS = ("0.3.1", "0.4.0", "1.0.0", "1.1.0")
"""Spec versions that are answered, oldest first."""

LATEST = VERSIONS[-1]

_SINCE = {"ADD": "0.3.1", "DEL": "0.3.1", "CHECK": "0.4.0", "GC": "1.1.0", "STATUS": "1.1.0"}
_CONTAINER = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.\-]{0,199}")
_NETWORK = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.\-]*")
_INTERFACE = re.compile(r"[^/:\s]{1,15}")


class Code(IntEnum):
    """Error codes of the CNI specification, and ours from 100 on."""

    INCOMPATIBLE_VERSION = 1
    UNSUPPORTED_FIELD = 2
    UNKNOWN_CONTAINER = 3
    INVALID_ENVIRONMENT = 4
    IO_FAILURE = 5
    DECODING_FAILURE = 6
    INVALID_CONFIGURATION = 7
    TRY_AGAIN_LATER = 11
    NOT_AVAILABLE = 50
    LIMITED_CONNECTIVITY = 51
    NOT_AS_PLUGGED = 100
    """CHECK found an interface, an address or a route missing or changed."""
    INTERNAL = 999


class CniError(Exception):
    """What the plugin prints instead of a result."""

    def __init__(self, code: Code, message: str, details: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = details


@dataclass(frozen=True, slots=True)
class Request:
    """One call of the plugin, checked for its command."""

    command: str
    version: str
    container: str
    netns: str
    interface: str
    arguments: Mapping[str, str]
    """CNI_ARGS, e.g. K8S_POD_NAME."""
    config: Mapping[str, Any]
    """The network configuration from stdin."""

    @property
    def pod(self) -> tuple[str, str]:
        """(namespace, name) of the pod."""
        return self.arguments.get("K8S_POD_NAMESPACE", ""), self.arguments.get("K8S_POD_NAME", "")

    @property
    def pod_uid(self) -> str:
        """UID of the pod; "" from a runtime that does not tell it."""
        return self.arguments.get("K8S_POD_UID", "")

    @property
    def valid_attachments(self) -> frozenset[tuple[str, str]]:
        """GC: (container id, interface name) of what must stay."""
        return frozenset(
            (str(one["containerID"]), str(one["ifname"]))
            for one in self.config.get("cni.dev/valid-attachments", ())
        )


def decode(frame: bytes) -> tuple[dict[str, str], bytes]:
    """Split a frame of the shim into environment and stdin."""
    if frame[:1] == b"\0":
        return {}, frame[1:]
    block, separator, stdin = frame.partition(b"\0\0")
    if not separator:
        raise CniError(Code.DECODING_FAILURE, "the plugin sent a frame without an environment")
    pairs = (item.partition(b"=") for item in block.split(b"\0"))
    return {key.decode(): value.decode(errors="replace") for key, _, value in pairs}, stdin


def encode(code: int, output: bytes) -> bytes:
    """The length-prefixed reply for the shim: exit code and what it prints."""
    return (1 + len(output)).to_bytes(4, "big") + bytes([code]) + output


def parse(environment: Mapping[str, str], stdin: bytes) -> Request:
    """The request in `environment` and `stdin`.

    Raises:
        CniError: with the code that the specification gives to what is wrong.
    """
    command = environment.get("CNI_COMMAND", "")
    if command not in _SINCE:
        raise CniError(
            Code.INVALID_ENVIRONMENT,
            f"CNI_COMMAND is {command!r}; this plugin knows {', '.join(_SINCE)} and VERSION",
        )
    config = _config(stdin)
    version = _version(command, config)
    request = Request(
        command=command,
        version=version,
        container=environment.get("CNI_CONTAINERID", ""),
        netns=environment.get("CNI_NETNS", ""),
        interface=environment.get("CNI_IFNAME", ""),
        arguments=_arguments(environment.get("CNI_ARGS", "")),
        config=config,
    )
    if command in ("ADD", "DEL", "CHECK"):
        _check_attachment(request)
    if command == "GC":
        _check_valid_attachments(config)
    if command == "CHECK" and not isinstance(config.get("prevResult"), dict):
        raise CniError(Code.INVALID_CONFIGURATION, "CHECK needs prevResult in the configuration")
    return request


def error(version: str, failure: CniError) -> bytes:
    """The JSON that the plugin prints for `failure`."""
    body: dict[str, Any] = {
        "cniVersion": version if version in VERSIONS else LATEST,
        "code": int(failure.code),
        "msg": failure.message,
    }
    if failure.details:
        body["details"] = failure.details
    return msgspec.json.encode(body) + b"\n"


def _config(stdin: bytes) -> dict[str, Any]:
    try:
        config = msgspec.json.decode(stdin)
    except (msgspec.DecodeError, UnicodeDecodeError) as wrong:
        raise CniError(
            Code.DECODING_FAILURE, "the network configuration on stdin is not JSON", str(wrong)
        ) from None
    if not isinstance(config, dict):
        raise CniError(Code.DECODING_FAILURE, "the network configuration is not a JSON object")
    return config


def _version(command: str, config: Mapping[str, Any]) -> str:
    # A configuration without cniVersion means 0.1.0 (CNI SPEC.md, network configuration).
    version = config.get("cniVersion", "0.1.0")
    if version not in VERSIONS:
        raise CniError(
            Code.INCOMPATIBLE_VERSION,
            f"cniVersion {version!r} is not supported",
            f"this plugin speaks {', '.join(VERSIONS)}",
        )
    if VERSIONS.index(version) < VERSIONS.index(_SINCE[command]):
        raise CniError(
            Code.INCOMPATIBLE_VERSION,
            f"{command} came with CNI {_SINCE[command]}, the configuration says {version}",
        )
    name = config.get("name")
    if not isinstance(name, str) or not _NETWORK.fullmatch(name):
        raise CniError(Code.INVALID_CONFIGURATION, f"the network's name is invalid: {name!r}")
    return str(version)


def _arguments(text: str) -> dict[str, str]:
    pairs = {}
    for part in filter(None, text.split(";")):
        key, separator, value = part.partition("=")
        if not separator or not key:
            raise CniError(Code.INVALID_ENVIRONMENT, f"CNI_ARGS: {part!r} is not KEY=VALUE")
        pairs[key] = value
    return pairs


def _check_attachment(request: Request) -> None:
    needed = {"CNI_CONTAINERID": request.container, "CNI_IFNAME": request.interface}
    if request.command != "DEL":  # the namespace may be gone by then
        needed["CNI_NETNS"] = request.netns
        namespace, name = request.pod
        needed["K8S_POD_NAMESPACE in CNI_ARGS"] = namespace
        needed["K8S_POD_NAME in CNI_ARGS"] = name
    missing = [key for key, value in needed.items() if not value]
    if missing:
        raise CniError(Code.INVALID_ENVIRONMENT, f"{request.command} needs {', '.join(missing)}")
    if not _CONTAINER.fullmatch(request.container):
        raise CniError(
            Code.INVALID_ENVIRONMENT, f"CNI_CONTAINERID is not an identifier: {request.container!r}"
        )
    if request.interface in (".", "..") or not _INTERFACE.fullmatch(request.interface):
        raise CniError(
            Code.INVALID_ENVIRONMENT,
            f"CNI_IFNAME is not an interface name: {request.interface!r}",
        )


def _check_valid_attachments(config: Mapping[str, Any]) -> None:
    listed = config.get("cni.dev/valid-attachments")
    if not isinstance(listed, list) or not all(
        isinstance(one, dict) and one.get("containerID") and one.get("ifname") for one in listed
    ):
        raise CniError(
            Code.INVALID_CONFIGURATION,
            "GC needs cni.dev/valid-attachments, a list of {containerID, ifname}",
        )
