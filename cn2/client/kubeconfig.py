"""Where the API server is and who we are, from a kubeconfig file or a pod's service account.

Read: the current context's cluster (server, CA, tls-server-name, insecure-skip-tls-verify) and
user (client certificate and key, token, tokenFile), inline or as files beside the kubeconfig.
Credential plugins (`exec`) are refused by name.
"""

from __future__ import annotations

import base64
import ssl
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


class KubeconfigError(Exception):
    """The file is missing a part, or asks for something that is not supported."""


@dataclass(frozen=True, slots=True)
class Connection:
    """How to reach one API server."""

    server: str
    """Base URL without a trailing slash, e.g. `https://127.0.0.1:6443`."""
    ca: bytes = b""
    """PEM of the certificate authorities; empty: the system's."""
    certificate: bytes = b""
    """PEM of the client certificate."""
    key: bytes = b""
    """PEM of its key."""
    token: str = ""
    token_file: Path | None = None
    """A bearer token that is read again as it rotates."""
    server_name: str = ""
    """Name expected in the server's certificate, where it is not the URL's host."""
    verify: bool = True

    def at(self, server: str) -> Connection:
        """The same credentials at another address of the same server."""
        return replace(self, server=server.rstrip("/"))

    def tls(self) -> ssl.SSLContext | None:
        """The TLS settings, None for plain HTTP."""
        if not self.server.startswith("https://"):
            return None
        context = ssl.create_default_context(cadata=self.ca.decode() or None)
        if not self.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if self.certificate:
            _load_chain(context, self.certificate + b"\n" + self.key)
        return context


def load(path: Path) -> Connection:
    """The connection of a kubeconfig's current context."""
    try:
        document = yaml.safe_load(path.read_text())
    except OSError as error:
        raise KubeconfigError(f"{path}: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise KubeconfigError(f"{path}: not YAML: {error}") from error
    if not isinstance(document, dict):
        raise KubeconfigError(f"{path}: not a kubeconfig")
    context = _named(document, "contexts", "context", document.get("current-context") or "")
    cluster = _named(document, "clusters", "cluster", context.get("cluster") or "")
    user = _named(document, "users", "user", context["user"]) if context.get("user") else {}
    return _connection(path.parent, cluster, user)


def in_cluster(host: str, port: str, directory: Path = SERVICE_ACCOUNT) -> Connection:
    """The connection of a pod: KUBERNETES_SERVICE_HOST and _PORT, and the mounted account."""
    address = f"[{host}]" if ":" in host else host
    return Connection(
        server=f"https://{address}:{port}",
        ca=(directory / "ca.crt").read_bytes(),
        token_file=directory / "token",
    )


def _connection(base: Path, cluster: Mapping[str, Any], user: Mapping[str, Any]) -> Connection:
    if user.get("exec") or user.get("auth-provider"):
        raise KubeconfigError("credential plugins (exec, auth-provider) are not supported")
    server = cluster.get("server")
    if not server:
        raise KubeconfigError("the cluster has no server")
    token_file = user.get("tokenFile")
    return Connection(
        server=str(server).rstrip("/"),
        ca=_material(base, cluster, "certificate-authority"),
        certificate=_material(base, user, "client-certificate"),
        key=_material(base, user, "client-key"),
        token=user.get("token") or "",
        token_file=base / token_file if token_file else None,
        server_name=cluster.get("tls-server-name") or "",
        verify=not cluster.get("insecure-skip-tls-verify", False),
    )


def _named(document: Mapping[str, Any], section: str, part: str, name: str) -> Mapping[str, Any]:
    for entry in document.get(section) or []:
        if entry.get("name") == name:
            return entry.get(part) or {}
    raise KubeconfigError(f"no entry {name!r} in {section}")


def _material(base: Path, entry: Mapping[str, Any], key: str) -> bytes:
    """Inline data wins over a file, as in client-go; a relative file is beside the kubeconfig."""
    inline = entry.get(f"{key}-data")
    if inline:
        return base64.b64decode(inline)
    name = entry.get(key)
    return (base / name).read_bytes() if name else b""


def _load_chain(context: ssl.SSLContext, pem: bytes) -> None:
    """OpenSSL's Python binding loads a certificate only from a file: one that lives an instant."""
    with tempfile.NamedTemporaryFile(prefix="cn2-") as file:
        file.write(pem)
        file.flush()
        context.load_cert_chain(file.name)
