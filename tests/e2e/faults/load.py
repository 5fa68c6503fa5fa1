"""Work for a system: networks, pods and ConfigMaps made, changed and deleted without a pause."""

from __future__ import annotations

import json
import random
import threading
import time
from typing import Any

from cut_client import Credentials, CutClient, Exchange, NotAsked
from ledger import Ledger, Place, marks
from networks import network, pod

NAMESPACE = "load"
PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
CONFIG_MAPS = f"/api/v1/namespaces/{NAMESPACE}/configmaps"
NADS = f"/apis/k8s.cni.cncf.io/v1/namespaces/{NAMESPACE}/network-attachment-definitions"
COLLECTIONS = (PODS, CONFIG_MAPS, NADS)
MERGE = "application/merge-patch+json"
RETRY = 0.02
"""Seconds between two tries to reach a server that is away."""
_RUNNING_SECONDS = 8.0
"""How long a writer waits for its pods before it goes on all the same."""


class Load:
    """Writers in threads of their own, until `stop`. What they were told is in the ledger."""

    def __init__(self, credentials: Credentials, seed: int, *, networks: int, maps: int) -> None:
        self.ledger = Ledger()
        self.cuts: list[Exchange] = []
        """Requests that had been sent when their connection broke."""
        self.refused: list[Exchange] = []
        """Answers that a writer did not expect."""
        self._stopping = threading.Event()
        self._writers = [
            Writer(self, credentials, random.Random(f"{seed} {name}"), name)
            for name in [*(f"n{i}" for i in range(networks)), *(f"m{i}" for i in range(maps))]
        ]

    def start(self) -> None:
        for writer in self._writers:
            writer.start()

    def stop(self) -> None:
        """Let every writer end what it is doing; returns when all have."""
        self._stopping.set()
        for writer in self._writers:
            writer.join()
        for writer in self._writers:
            if writer.failure is not None:
                raise writer.failure

    @property
    def stopping(self) -> bool:
        return self._stopping.is_set()


class Writer(threading.Thread):
    """One of them; nobody else writes its objects."""

    def __init__(
        self, load: Load, credentials: Credentials, chance: random.Random, name: str
    ) -> None:
        super().__init__(name=name, daemon=True)
        self.failure: Exception | None = None
        self._load = load
        self._ledger = load.ledger
        self._client = CutClient(credentials)
        self._chance = chance
        self._count = 0

    def run(self) -> None:
        try:
            while not self._load.stopping:
                if self.name.startswith("n"):
                    self._network()
                else:
                    self._config_map()
                self._count += 1
        except Exception as error:
            self.failure = error
        finally:
            self._client.close()

    def _network(self) -> None:
        """A network with two pods on it; now and then all of it stays."""
        name = f"{self.name}-{self._count}"
        second, third = int(self.name[1:]), self._count % 256
        self._create((NADS, name), json.loads(network(name, f"172.{16 + second}.{third}.0/24")))
        pods = [(PODS, f"{name}-{letter}") for letter in "ab"]
        for place in pods:
            self._create(place, json.loads(pod(place[1], name)))
        self._change((NADS, name))
        self._change(pods[0])
        deadline = time.monotonic() + _RUNNING_SECONDS * self._chance.random()
        while time.monotonic() < deadline and not self._load.stopping:
            if self._is_running(pods[1]):
                break
            time.sleep(RETRY)
        if self._count < 2:
            return
        for place in pods:
            self._delete(place)
        if self._chance.random() < 0.7:
            self._delete((NADS, name))

    def _config_map(self) -> None:
        place = (CONFIG_MAPS, f"{self.name}-{self._count}")
        self._create(place, {"data": {"text": "x" * self._chance.randrange(2000)}})
        for _ in range(self._chance.randrange(4)):
            self._change(place)
        if self._chance.random() < 0.5:
            self._delete(place)

    def _is_running(self, place: Place) -> bool:
        answer = self._send("GET", "/".join(place))
        return bool(answer.good and answer.body["status"].get("phase") == "Running")

    def _create(self, place: Place, body: Any) -> None:
        token = self._token()
        metadata = {**body.get("metadata", {}), "name": place[1]}
        for key, value in marks(token).items():
            metadata[key] = {**metadata.get(key, {}), **value}
        self._write(place, token, "POST", place[0], {**body, "metadata": metadata})

    def _change(self, place: Place) -> None:
        token = self._token()
        self._write(place, token, "PATCH", "/".join(place), {"metadata": marks(token)})

    def _delete(self, place: Place) -> None:
        self._write(place, "", "DELETE", "/".join(place))

    def _write(self, place: Place, token: str, method: str, path: str, body: Any = None) -> None:
        """Until it is done. What was cut off is tried again when it turns out not to have happened;
        so is what a server that stops answers with 503."""
        while True:
            answer = self._send(method, path, body)
            if answer.good and token:
                self._ledger.wrote(place, answer.body)
                return
            if answer.good:
                self._ledger.deleted(place)
                return
            if not (answer.cut or answer.status == 503):
                self._load.refused.append(answer)
                return
            self._ledger.cut(place, token)
            if self._look(place) == token:
                return

    def _look(self, place: Place) -> str:
        """Find out what has become of a write that was cut off; the token that is there now."""
        while True:
            answer = self._send("GET", "/".join(place))
            if answer.good:
                return self._ledger.saw(place, answer.body)
            if answer.status == 404:
                return self._ledger.saw(place, None)

    def _send(self, method: str, path: str, body: Any = None) -> Exchange:
        """The exchange, once there is a server to ask."""
        content_type = MERGE if method == "PATCH" else "application/json"
        while True:
            try:
                answer = self._client.send(method, path, body, content_type)
            except NotAsked:
                time.sleep(RETRY)
                continue
            if answer.cut:
                self._load.cuts.append(answer)
            return answer

    def _token(self) -> str:
        return f"{self._chance.getrandbits(48):012x}"
