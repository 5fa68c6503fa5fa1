"""A container as cn2-init is told to run it: records of a `run` or `exec` request. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cn2.api.kind import Object
from cn2.podrunner.environment import MissingSource, bounded, expand, names_in
from cn2.podrunner.host_view import Host
from cn2.podrunner.records import Record
from cn2.podrunner.refusal import USUAL_CAPABILITIES
from cn2.podrunner.volumes import ETC, LAST_WORDS, kind_of, volumes_of

_LAST_WORDS_PATH = "/dev/termination-log"

_CAPABILITY_BITS = {
    "CHOWN": 0,
    "DAC_OVERRIDE": 1,
    "FOWNER": 3,
    "FSETID": 4,
    "KILL": 5,
    "SETGID": 6,
    "SETUID": 7,
    "SETPCAP": 8,
    "NET_BIND_SERVICE": 10,
    "NET_BROADCAST": 11,
    "NET_RAW": 13,
    "IPC_LOCK": 14,
    "SYS_CHROOT": 18,
    "AUDIT_WRITE": 29,
    "SETFCAP": 31,
}
"""Numbers of linux/capability.h, of those that a container can have."""


def command(container: Object, environment: Mapping[str, str]) -> list[str]:
    """command and args with `$(NAME)` expanded; empty when the container names none. Raises
    ValueError when they are too long."""
    words = [*(container.get("command") or []), *(container.get("args") or [])]
    if not names_command(container):
        return []
    return bounded(expand(word, environment) for word in words)


def names_command(container: Object) -> bool:
    """Whether there is something to run. There is no image, hence no entry point: args that begin
    with a word are the command, as with busybox or debian; those that begin with an option belong
    to an entry point that nobody has."""
    args = container.get("args") or ["-"]
    return bool(container.get("command")) or not args[0].startswith("-")


def run_records(
    pod: Object,
    container: Object,
    attempt: int,
    environment: Mapping[str, str],
    host: Host,
    versions: Mapping[str, str] = {},
) -> list[Record]:
    """The whole `run` request. `versions` says where the files of volumes are (filling.versions).

    Raises `MissingSource`, and ValueError for a command that is too long.
    """
    records: list[Record] = [("op", "run"), ("id", f"{container['name']}/{attempt}")]
    records.append(("image", container.get("image") or ""))
    records += process_records(pod, container, environment)
    records += [("arg", word) for word in command(container, environment)]
    records += [("also", path) for path in host.mounts]
    records += [("fresh", fresh.record) for fresh in host.fresh]
    records += [("hide", path) for path in host.hide]
    records += mount_records(pod, container, environment, versions)
    words = container.get("terminationMessagePath") or _LAST_WORDS_PATH
    if words.startswith("/") and ":" not in words:
        source = f"{LAST_WORDS}/{container['name']}/{attempt}"
        records.append(("mount", f"{source}:rw:{words}"))
    for field, record in (("tty", "tty"), ("stdin", "stdin"), ("stdinOnce", "stdin-once")):
        if container.get(field):
            records.append((record, "1"))
    if (container.get("securityContext") or {}).get("readOnlyRootFilesystem"):
        records.append(("read-only", "1"))
    if container.get("tty") and "TERM" not in environment:
        records.append(("env", "TERM=xterm"))
    return records


def process_records(pod: Object, container: Object, environment: Mapping[str, str]) -> list[Record]:
    """What every process of a container has, also one started beside its command."""
    common = pod["spec"].get("securityContext") or {}
    own = container.get("securityContext") or {}
    _check_user(pod, container)
    records: list[Record] = [("caps", f"{capabilities(container):x}")]
    for field, record in (("runAsUser", "uid"), ("runAsGroup", "gid")):
        value = own.get(field, common.get(field))
        if value is not None:
            records.append((record, str(value)))
    groups = list(common.get("supplementalGroups") or [])
    if common.get("fsGroup") is not None:
        groups.append(common["fsGroup"])
    records += [("group", str(group)) for group in groups]
    records.append(("cwd", container.get("workingDir") or "/"))
    records += [("env", f"{name}={value}") for name, value in environment.items()]
    return records


def _check_user(pod: Object, container: Object) -> None:
    """runAsNonRoot, with kubelet's words. Raises `MissingSource`. There is no image whose user
    could be another than root."""
    common = pod["spec"].get("securityContext") or {}
    own = container.get("securityContext") or {}
    if not own.get("runAsNonRoot", common.get("runAsNonRoot")):
        return
    user = own.get("runAsUser", common.get("runAsUser"))
    if user:
        return
    metadata = pod["metadata"]
    who = f'pod: "{metadata["name"]}_{metadata["namespace"]}({metadata["uid"]})"'
    what = (
        "container has runAsNonRoot and image will run as root"
        if user is None
        else "container's runAsUser breaks non-root policy"
    )
    raise MissingSource(f"{what} ({who}, container: {container['name']})")


def exec_records(
    spec: Sequence[Record], words: Sequence[str], *, tty: bool = False, mortal: bool = False
) -> list[Record]:
    """An `exec` beside the run that `spec` describes; a mortal one dies with its connection."""
    kept = ("id", "caps", "uid", "gid", "group", "cwd", "env")
    records = [("op", "exec"), *((key, value) for key, value in spec if key in kept)]
    if mortal:
        records.append(("mortal", "1"))
    if tty:
        records.append(("tty", "1"))
        if not any(key == "env" and value.startswith("TERM=") for key, value in records):
            records.append(("env", "TERM=xterm"))
    return [*records, *(("arg", word) for word in words)]


def capabilities(container: Object) -> int:
    """The capability mask: the usual ones, with what is added and without what is dropped."""
    asked = (container.get("securityContext") or {}).get("capabilities") or {}
    dropped = {name.removeprefix("CAP_") for name in asked.get("drop") or []}
    names = set() if "ALL" in dropped else set(USUAL_CAPABILITIES) - dropped
    names |= {name.removeprefix("CAP_") for name in asked.get("add") or []}
    return sum(1 << _CAPABILITY_BITS[name] for name in names if name in _CAPABILITY_BITS)


def mount_records(
    pod: Object,
    container: Object,
    environment: Mapping[str, str],
    versions: Mapping[str, str] = {},
) -> list[Record]:
    """The pod's /etc files and the container's volume mounts, outer ones first."""
    records = [("mount", f"{ETC}/{name}:rw:/etc/{name}") for name in ("hosts", "hostname")]
    records.append(("mount", f"{ETC}/resolv.conf:rw:/etc/resolv.conf"))
    writable = {volume["name"] for volume in volumes_of(pod) if kind_of(volume) == "emptyDir"}
    mounts = container.get("volumeMounts") or []
    for mount in sorted(mounts, key=lambda mount: str(mount["mountPath"])):
        sub = _sub_path(mount, environment)
        written = sub and mount["name"] not in writable
        version = versions.get(mount["name"], "") if written else ""
        source = "/".join(part for part in (mount["name"], version, sub) if part)
        if ":" in source or ".." in sub.split("/") or sub.startswith("/"):
            raise MissingSource(f"subPath {sub} of volume {mount['name']} is refused")
        mode = "rw" if mount["name"] in writable and not mount.get("readOnly") else "ro"
        records.append(("mount", f"{source}:{mode}:{mount['mountPath']}"))
    return records


def _sub_path(mount: Object, environment: Mapping[str, str]) -> str:
    """Raises `MissingSource` for a variable that there is not, as kubelet does."""
    expression = mount.get("subPathExpr")
    if not expression:
        return str(mount.get("subPath") or "").rstrip("/")
    missing = [name for name in names_in(expression) if name not in environment]
    if missing:
        raise MissingSource(f'missing value for "{missing[0]}"')
    return expand(expression, environment).rstrip("/")
