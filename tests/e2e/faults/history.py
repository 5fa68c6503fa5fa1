"""Everything that watches have told of some kinds, in the order of revisions, with no gap."""

from __future__ import annotations

import http.client
import json
import threading
import time
from dataclasses import dataclass
from typing import Any

from cut_client import Credentials, CutClient, NotAsked

RETRY = 0.02


@dataclass(frozen=True, slots=True)
class Told:
    """One event: the object as it was after it, or as it last was."""

    revision: int
    kind: str
    deleted: bool
    object: Any

    @property
    def key(self) -> tuple[str, str]:
        metadata = self.object["metadata"]
        return metadata.get("namespace", ""), metadata["name"]

    @property
    def uid(self) -> str:
        return str(self.object["metadata"]["uid"])


class History:
    """Watches collections (by path) from now until `stop`, over any number of lost connections:
    each goes on after the last revision it was told."""

    def __init__(self, credentials: Credentials, collections: dict[str, str]) -> None:
        self.faults: list[str] = []
        self.live: dict[str, dict[tuple[str, str], Any]] = {kind: {} for kind in collections}
        """The objects of each kind, as the events have made them."""
        self._told: list[Told] = []
        self._stopping = threading.Event()
        self._credentials = credentials
        self._collections = collections
        self._threads = [
            threading.Thread(target=self._follow, args=item, daemon=True)
            for item in collections.items()
        ]
        self._begun = threading.Barrier(len(collections) + 1)

    def start(self) -> None:
        """Returns when every collection has been listed."""
        for thread in self._threads:
            thread.start()
        self._begun.wait()

    def stop(self) -> None:
        """End the watches."""
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def told(self, *kinds: str) -> list[Told]:
        """All events so far (of these kinds, or of all), in the order of revisions."""
        return sorted(
            (one for one in list(self._told) if not kinds or one.kind in kinds),
            key=lambda one: one.revision,
        )

    def _follow(self, kind: str, path: str) -> None:
        listed = CutClient(self._credentials).send("GET", path).body
        for obj in listed["items"]:
            self._take(kind, obj, deleted=False)
        revision = int(listed["metadata"]["resourceVersion"])
        self._begun.wait()
        while not self._stopping.is_set():
            revision = self._watch(kind, path, revision)

    def _watch(self, kind: str, path: str, revision: int) -> int:
        """One watch until it ends; the last revision told."""
        client = CutClient(self._credentials)
        try:
            for line in client.stream(
                f"{path}?watch=1&timeoutSeconds=2&resourceVersion={revision}"
            ):
                event = json.loads(line)
                if event.get("type", "ERROR") == "ERROR":
                    self.faults.append(f"watch of {kind} after {revision}: {event}")
                    self._stopping.set()
                    return revision
                revision = self._take(kind, event["object"], deleted=event["type"] == "DELETED")
        except (NotAsked, OSError, http.client.HTTPException, ValueError):
            # Cut off, maybe in the middle of a line: what it would have said comes again.
            time.sleep(RETRY)
        finally:
            client.close()
        return revision

    def _take(self, kind: str, obj: Any, *, deleted: bool) -> int:
        revision = int(obj["metadata"]["resourceVersion"])
        told = Told(revision, kind, deleted, obj)
        self._told.append(told)
        if deleted:
            self.live[kind].pop(told.key, None)
        else:
            self.live[kind][told.key] = obj
        return revision
