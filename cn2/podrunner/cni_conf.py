"""CNI network configurations, as a container runtime reads them (CNI SPEC.md section 1). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from cn2.api.kind import Object

DEFAULT_VERSION = "0.3.1"


class NetworkConf(msgspec.Struct, frozen=True):
    """One network: its plugins in the order of ADD."""

    name: str
    version: str
    plugins: list[dict[str, Any]]


class ConfError(Exception):
    """A configuration that cannot be used."""


def parse(file_name: str, text: bytes) -> NetworkConf:
    """A `.conflist`, or a `.conf` or `.json` with a single plugin."""
    try:
        conf = msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise ConfError(f"{file_name}: {error}") from error
    if not isinstance(conf, dict) or not isinstance(conf.get("name"), str):
        raise ConfError(f"{file_name}: no network name")
    plugins = conf.get("plugins") if file_name.endswith(".conflist") else [conf]
    if not isinstance(plugins, list) or not plugins:
        raise ConfError(f"{file_name}: no plugins")
    for plugin in plugins:
        if not isinstance(plugin, dict) or not _is_plain(plugin.get("type")):
            raise ConfError(f"{file_name}: a plugin without a usable type")
    return NetworkConf(conf["name"], str(conf.get("cniVersion") or DEFAULT_VERSION), plugins)


def _is_plain(name: object) -> bool:
    return isinstance(name, str) and bool(name) and "/" not in name and name not in (".", "..")


def first_of(names: Iterable[str]) -> str | None:
    """The configuration file that counts: the first in lexical order, as for kubelets' runtimes."""
    usable = [name for name in names if name.endswith((".conf", ".conflist", ".json"))]
    return min(usable, default=None)


def plugin_input(conf: NetworkConf, plugin: Mapping[str, Any], previous: Object | None) -> bytes:
    """What one plugin gets on stdin."""
    document = {**plugin, "name": conf.name, "cniVersion": conf.version}
    if previous is not None:
        document["prevResult"] = previous
    return msgspec.json.encode(document)


def plugin_environment(
    command: str,
    *,
    sandbox: str,
    netns: str,
    path: str,
    pod: Object,
    interface: str = "eth0",
) -> dict[str, str]:
    """The CNI_* variables of one call, as kubelet's runtimes set them."""
    metadata = pod["metadata"]
    arguments = (
        ("IgnoreUnknown", "1"),
        ("K8S_POD_NAMESPACE", metadata["namespace"]),
        ("K8S_POD_NAME", metadata["name"]),
        ("K8S_POD_INFRA_CONTAINER_ID", sandbox),
        ("K8S_POD_UID", metadata["uid"]),
    )
    return {
        "CNI_COMMAND": command,
        "CNI_CONTAINERID": sandbox,
        "CNI_NETNS": netns,
        "CNI_IFNAME": interface,
        "CNI_PATH": path,
        "CNI_ARGS": ";".join(f"{key}={value}" for key, value in arguments),
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    }


def error_text(plugin: str, command: str, output: bytes, stderr: bytes, code: int) -> str:
    """What to say of a call that failed: the plugin's own words, if it has any."""
    try:
        said = msgspec.json.decode(output)
    except msgspec.DecodeError:
        said = None
    if isinstance(said, dict) and said.get("msg"):
        text = str(said["msg"])
        if said.get("details"):
            text += f": {said['details']}"
    else:
        text = (stderr or output).decode(errors="replace").strip() or f"exit code {code}"
    return f'plugin type="{plugin}" failed ({command.lower()}): {text}'


def addresses(result: Object) -> tuple[str, ...]:
    """The pod's addresses in an ADD result, without their prefix lengths, IPv4 before IPv6."""
    found = [str(ip["address"]).partition("/")[0] for ip in result.get("ips") or []]
    return tuple(sorted(dict.fromkeys(found), key=lambda address: ":" in address))
