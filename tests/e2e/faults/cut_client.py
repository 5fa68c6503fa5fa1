"""A client that knows what became of each request: answered, or cut off with its fate unknown.

One connection, one request at a time, no retries: what a library would smooth over is what is
looked for here.
"""

from __future__ import annotations

import base64
import http.client
import json
import ssl
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

SECONDS = 30.0
"""Longest wait for an answer."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request. `status` is 0 when the connection broke before the answer was whole."""

    method: str
    path: str
    began: float
    """Monotonic seconds, as `ended`."""
    ended: float
    status: int
    body: Any = None

    @property
    def cut(self) -> bool:
        return self.status == 0

    @property
    def good(self) -> bool:
        return 200 <= self.status < 300


class NotAsked(Exception):
    """Nobody listens: the request was never sent."""


class Credentials:
    """Where the API server is and who asks, from a kubeconfig."""

    def __init__(self, kubeconfig: Path) -> None:
        document = yaml.safe_load(kubeconfig.read_text())
        cluster, user = document["clusters"][0]["cluster"], document["users"][0]["user"]
        self.address = urlsplit(cluster["server"]).netloc
        authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
        self.tls = ssl.create_default_context(cadata=authority)
        with tempfile.NamedTemporaryFile(suffix=".pem") as file:
            for part in ("client-certificate-data", "client-key-data"):
                file.write(base64.b64decode(user[part]))
            file.flush()
            self.tls.load_cert_chain(file.name)


class CutClient:
    """For one thread. A connection that broke is replaced with the next request."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials
        self._connection: http.client.HTTPSConnection | None = None

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        content_type: str = "application/json",
    ) -> Exchange:
        """Raises NotAsked when there is no connection to be had."""
        connection = self._connected()
        began = time.monotonic()
        try:
            text = None if body is None else json.dumps(body)
            connection.request(method, path, text, {"Content-Type": content_type})
            response = connection.getresponse()
            answer = json.loads(response.read())
        except (OSError, http.client.HTTPException, ValueError):
            self.close()
            return Exchange(method, path, began, time.monotonic(), 0)
        return Exchange(method, path, began, time.monotonic(), response.status, answer)

    def stream(self, path: str) -> http.client.HTTPResponse:
        """The answer to a GET, to be read line by line and closed. Raises NotAsked, OSError."""
        connection = self._connected()
        try:
            connection.request("GET", path)
            return connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise NotAsked(str(error)) from error

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @property
    def local_port(self) -> int:
        """Of the present connection."""
        assert self._connection is not None and self._connection.sock is not None
        return int(self._connection.sock.getsockname()[1])

    def _connected(self) -> http.client.HTTPSConnection:
        if self._connection is None:
            self._connection = http.client.HTTPSConnection(
                self._credentials.address, context=self._credentials.tls, timeout=SECONDS
            )
            try:
                self._connection.connect()
            except OSError as error:
                self.close()
                raise NotAsked(str(error)) from error
        return self._connection
