"""Who is measured: our API server alone, and etcd, the store of the server that it stands for.

No package registry carries a kube-apiserver. etcd is asked over its JSON gateway, with the same
client and over TLS too; it stores bytes and knows neither objects, users nor fields, so being near
it is already good. Figures of a kube-apiserver that were recorded on a machine of this kind (two
cores, not this run) stand beside as what they are.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from bench.raw_client import Connection, Server, request
from cn2.supervisor.layout import Layout
from cn2.supervisor.pki import Authority
from cn2.supervisor.preflight.ports import free_port

SENT = 1024
"""Bytes of an object as it is sent."""
MERGE = "application/merge-patch+json"


class Subject(Protocol):
    """One server, and how to say to it what is measured."""

    name: str

    @contextmanager
    def running(self, root: Path) -> Iterator[Server]:
        """The server over what is in `root`, from when it says that it is ready."""

    def create(self, name: str) -> bytes: ...

    def get(self, name: str) -> bytes: ...

    def list(self, limit: int = 0) -> bytes: ...

    def change(self, name: str, number: int) -> bytes: ...

    event: bytes
    """What every event has in it once."""

    def watch(self, connection: Connection) -> bytes:
        """A watch of everything from now on."""


class Ours:
    """`cn2 apiserver`, VirtualNetworks in the namespace `default`."""

    name = "cn2 apiserver"
    _path = "/apis/core.contrail.juniper.net/v1alpha1/namespaces/default/virtualnetworks"

    @contextmanager
    def running(self, root: Path) -> Iterator[Server]:
        layout, paths = _keys(root)
        port = free_port()
        command = [sys.executable, "-m", "cn2.main", "apiserver", "--cluster-name", "bench"]
        command += ["--listen", f"127.0.0.1:{port}", "--data-dir", str(layout.store)]
        command += ["--pki", str(layout.pki), "--nodes-dir", str(layout.nodes)]
        with _process(command, root / "apiserver.log", port, paths, "/readyz") as server:
            yield server

    def create(self, name: str) -> bytes:
        body = _object(name)
        return request("POST", self._path, body)

    def get(self, name: str) -> bytes:
        return request("GET", f"{self._path}/{name}")

    def list(self, limit: int = 0) -> bytes:
        return request("GET", self._path + (f"?limit={limit}" if limit else ""))

    def change(self, name: str, number: int) -> bytes:
        patch = {"status": {"observation": f"change {number}"}}
        path = f"{self._path}/{name}/status"
        return request("PATCH", path, json.dumps(patch).encode(), MERGE)

    event = b'{"type":"MODIFIED"'

    def watch(self, connection: Connection) -> bytes:
        connection.send(self.list(limit=1))
        _, _, text = connection.receive().partition(b'"resourceVersion":"')
        revision = text.partition(b'"')[0].decode()
        return request("GET", f"{self._path}?watch=1&resourceVersion={revision}")


class Etcd:
    """Debian's etcd, one key an object with the same bytes as value."""

    name = "etcd (its JSON gateway)"

    @contextmanager
    def running(self, root: Path) -> Iterator[Server]:
        _, paths = _keys(root)
        port, peer = free_port(), free_port()
        url = f"https://127.0.0.1:{port}"
        command = ["etcd", "--data-dir", str(root / "etcd"), "--logger", "zap"]
        command += ["--listen-client-urls", url, "--advertise-client-urls", url]
        peers = f"http://127.0.0.1:{peer}"
        command += ["--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers]
        command += ["--initial-cluster", f"default={peers}"]
        command += ["--cert-file", str(paths[0]), "--key-file", str(paths[1])]
        with _process(command, root / "etcd.log", port, paths, "/health") as server:
            yield server

    def create(self, name: str) -> bytes:
        return self._put(name, _object(name))

    def get(self, name: str) -> bytes:
        return self._call("range", {"key": _base64(f"/bench/{name}".encode())})

    def list(self, limit: int = 0) -> bytes:
        first, end = _base64(b"/bench/"), _base64(b"/bench0")
        return self._call("range", {"key": first, "range_end": end, "limit": limit})

    def change(self, name: str, number: int) -> bytes:
        return self._put(name, _object(name, number))

    event = b'"mod_revision"'

    def watch(self, connection: Connection) -> bytes:
        first, end = _base64(b"/bench/"), _base64(b"/bench0")
        body = json.dumps({"create_request": {"key": first, "range_end": end}})
        return request("POST", "/v3/watch", body.encode())

    def _put(self, name: str, value: bytes) -> bytes:
        key = _base64(f"/bench/{name}".encode())
        return self._call("put", {"key": key, "value": _base64(value)})

    def _call(self, what: str, body: object) -> bytes:
        return request("POST", f"/v3/kv/{what}", json.dumps(body).encode())


def _object(name: str, number: int = 0) -> bytes:
    """A VirtualNetwork of `SENT` bytes."""
    obj: dict[str, Any] = {
        "apiVersion": "core.contrail.juniper.net/v1alpha1",
        "kind": "VirtualNetwork",
        "metadata": {
            "name": name,
            "namespace": "default",
            "labels": {"app": "bench", "number": str(number)},
            "annotations": {"core.juniper.net/description": ""},
        },
        "spec": {"routeTargetReferences": []},
    }
    missing = SENT - len(json.dumps(obj))
    obj["metadata"]["annotations"]["core.juniper.net/description"] = "x" * missing
    return json.dumps(obj).encode()


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _keys(root: Path) -> tuple[Layout, tuple[Path, Path, Path, Path, Path]]:
    """Serving certificate and key, CA, client's certificate and key."""
    layout = Layout(root)
    layout.make()
    authority = Authority(layout, datetime.now(UTC))
    serving = authority.server("apiserver", ["127.0.0.1", "localhost"])
    authority.signing_key("sa")
    client = authority.client("bench", "system:masters")
    return layout, (*serving, layout.pki / "ca.crt", *client)


@contextmanager
def _process(
    command: list[str],
    log: Path,
    port: int,
    paths: tuple[Path, Path, Path, Path, Path],
    ready: str,
) -> Iterator[Server]:
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, env=os.environ)
    server = Server(port, *paths[2:], process.pid)
    try:
        _wait(server, process, request("GET", ready), log)
        yield server
    finally:
        process.terminate()
        process.wait()


def _wait(server: Server, process: subprocess.Popen[bytes], ready: bytes, log: Path) -> None:
    while process.poll() is None:
        try:
            connection = server.connect()
            connection.ask(ready)
            connection.close()
            return
        except (OSError, RuntimeError):
            time.sleep(0.002)
    raise RuntimeError(f"it did not start: {log.read_text()}")
