"""A small Kubernetes-like server in this process, for what talks to one over HTTP.

It keeps objects by path, counts revisions, and serves get, list, watch, create, replace, merge and
strategic patch (lists with a `type` key merge by it) and delete with finalizers. A test can make
it fail, forget its history (410) or cut its watches.
"""

from __future__ import annotations

import asyncio
import copy
import json
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from cn2.api.kind import Kind
from cn2.client.http import Client
from cn2.client.kubeconfig import Connection
from cn2.client.request import collection_path

Object = dict[str, Any]


class KubeServer:
    def __init__(self) -> None:
        self.objects: dict[str, Object] = {}
        self.requests: list[tuple[str, str]] = []
        """Method and path of everything asked."""
        self.failures: list[web.Response] = []
        """Answers for the next requests that are not watches, instead of the real ones."""
        self.revision = 100
        self.url = ""
        self._compacted = 0
        self._history: list[tuple[int, str, str, Object]] = []
        self._changed = asyncio.Event()
        self._cut = asyncio.Event()

    # -- what a test does to it ------------------------------------------------------------------

    def put(self, kind: Kind, obj: Object) -> Object:
        """Stores an object, new or changed, as somebody else would."""
        obj = copy.deepcopy(obj)
        obj |= {"apiVersion": kind.api_version, "kind": kind.kind}
        path = self._path(kind, obj)
        if path not in self.objects:
            return self._store(path, obj, "ADDED")
        obj["metadata"].setdefault("uid", self.objects[path]["metadata"]["uid"])
        return self._store(path, obj, "MODIFIED")

    def remove(self, kind: Kind, name: str, namespace: str = "") -> None:
        path = f"{collection_path(kind, namespace)}/{name}"
        self._drop(path)

    def get(self, kind: Kind, name: str, namespace: str = "") -> Object | None:
        return self.objects.get(f"{collection_path(kind, namespace)}/{name}")

    def all(self, kind: Kind) -> list[Object]:
        return [obj for obj in self.objects.values() if obj["kind"] == kind.kind]

    def cut_watches(self) -> None:
        self._cut.set()
        self._cut = asyncio.Event()

    def close(self) -> None:
        """Ends the watches, also those still arriving."""
        self._cut.set()

    def compact(self) -> None:
        """Forgets how it came to this: every watch from before now is told 410."""
        self._compacted = self.revision
        self._history.clear()

    def writes(self) -> list[tuple[str, str]]:
        return [(method, path) for method, path in self.requests if method != "GET"]

    # -- HTTP ------------------------------------------------------------------------------------

    async def handle(self, request: web.Request) -> web.StreamResponse:
        watching = request.query.get("watch") == "true"
        self.requests.append((request.method, request.path))
        if self.failures and not watching:
            return self.failures.pop(0)
        if watching:
            return await self._watch(request)
        body = await request.json() if request.can_read_body else {}
        verbs = {
            "GET": self._get,
            "POST": self._post,
            "PUT": self._put,
            "PATCH": self._patch,
            "DELETE": self._remove,
        }
        return verbs[request.method](request, body)

    def _get(self, request: web.Request, _: Object) -> web.Response:
        path = request.path
        if path in self.objects:
            return web.json_response(self.objects[path])
        if self._is_object(path):
            return status(404, "NotFound", f"{path} not found")
        items = [obj for key, obj in self.objects.items() if self._under(key, path)]
        return web.json_response(
            {"kind": "List", "metadata": {"resourceVersion": str(self.revision)}, "items": items}
        )

    def _post(self, request: web.Request, body: Object) -> web.Response:
        parts = request.path.split("/")
        if parts[-1] == "binding":
            pod = copy.deepcopy(self.objects["/".join(parts[:-1])])
            pod["spec"]["nodeName"] = body["target"]["name"]
            self._store("/".join(parts[:-1]), pod, "MODIFIED")
            return status(201, "", "bound", "Success")
        path = f"{request.path}/{body['metadata']['name']}"
        if path in self.objects:
            return status(409, "AlreadyExists", f"{path} already exists")
        return web.json_response(self._store(path, body, "ADDED"), status=201)

    def _put(self, request: web.Request, body: Object) -> web.Response:
        path = self._main(request.path)
        if path not in self.objects:
            return status(404, "NotFound", f"{path} not found")
        revision = body["metadata"].get("resourceVersion")
        if revision and revision != self.objects[path]["metadata"]["resourceVersion"]:
            return status(409, "Conflict", "the object has been modified")
        return web.json_response(self._settle(path, body))

    def _patch(self, request: web.Request, body: Object) -> web.Response:
        path = self._main(request.path)
        if path not in self.objects:
            return status(404, "NotFound", f"{path} not found")
        have = self.objects[path]
        guard = body.get("metadata", {})
        for key in ("uid", "resourceVersion"):
            if key in guard and guard[key] != have["metadata"][key]:
                return status(409, "Conflict", f"precondition {key} failed")
        strategic = "strategic" in request.headers["Content-Type"]
        return web.json_response(self._settle(path, merged(have, body, strategic)))

    def _remove(self, request: web.Request, body: Object) -> web.Response:
        if request.path not in self.objects:
            if self._is_object(request.path):
                return status(404, "NotFound", f"{request.path} not found")
            for path in [path for path in self.objects if self._under(path, request.path)]:
                self._delete(path, body)
            return status(200, "", "deleted", "Success")
        have = self.objects[request.path]
        for key, value in (body.get("preconditions") or {}).items():
            if value != have["metadata"][key]:
                return status(409, "Conflict", f"precondition {key} failed")
        self._delete(request.path, body)
        left = self.objects.get(request.path)
        return web.json_response(left) if left else status(200, "", "deleted", "Success")

    def _delete(self, path: str, options: Object) -> None:
        obj = copy.deepcopy(self.objects[path])
        finalizer = {"Foreground": "foregroundDeletion", "Orphan": "orphan"}.get(
            options.get("propagationPolicy", "")
        )
        finalizers = obj["metadata"].setdefault("finalizers", [])
        if finalizer and finalizer not in finalizers:
            finalizers.append(finalizer)
        obj["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
        self._settle(path, obj)

    def _settle(self, path: str, obj: Object) -> Object:
        """Stores a change, or lets go of what nothing holds any more."""
        metadata = obj["metadata"]
        held = metadata.get("finalizers") or obj.get("spec", {}).get("finalizers")
        if metadata.get("deletionTimestamp") and not held:
            self._drop(path)
            return obj
        return self._store(path, obj, "MODIFIED")

    async def _watch(self, request: web.Request) -> web.StreamResponse:
        seen = int(request.query.get("resourceVersion") or self.revision)
        response = web.StreamResponse()
        await response.prepare(request)
        cut = self._cut
        if seen < self._compacted:
            gone = {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"}
            await response.write(json.dumps({"type": "ERROR", "object": gone}).encode() + b"\n")
            return response
        while not cut.is_set():
            changed, now = self._changed, self.revision
            for revision, change, path, obj in list(self._history):
                if revision > seen and self._under(path, request.path):
                    line = json.dumps({"type": change, "object": obj}).encode() + b"\n"
                    await response.write(line)
            seen = now
            await _either(changed, cut)
        return response

    # -- storage ---------------------------------------------------------------------------------

    def _path(self, kind: Kind, obj: Object) -> str:
        metadata = obj["metadata"]
        return f"{collection_path(kind, metadata.get('namespace', ''))}/{metadata['name']}"

    def _store(self, path: str, obj: Object, change: str) -> Object:
        self.revision += 1
        obj["metadata"].setdefault("uid", str(uuid.uuid4()))
        obj["metadata"]["resourceVersion"] = str(self.revision)
        self.objects[path] = obj
        self._note(change, path, obj)
        return obj

    def _drop(self, path: str) -> None:
        obj = copy.deepcopy(self.objects.pop(path))
        self.revision += 1
        obj["metadata"]["resourceVersion"] = str(self.revision)
        self._note("DELETED", path, obj)

    def _note(self, change: str, path: str, obj: Object) -> None:
        self._history.append((self.revision, change, path, copy.deepcopy(obj)))
        self._changed.set()
        self._changed = asyncio.Event()

    def _main(self, path: str) -> str:
        head, _, last = path.rpartition("/")
        return head if last in ("status", "finalize") else path

    def _is_object(self, path: str) -> bool:
        """Odd numbers of steps after the version name a collection, even ones an object."""
        steps = path.split("/")[4 if path.startswith("/apis") else 3 :]
        return len(steps) % 2 == 0

    def _under(self, path: str, collection: str) -> bool:
        """`collection` is of one namespace or of all."""
        if path.rpartition("/")[0] == collection:
            return True
        version, _, plural = collection.rpartition("/")
        return path.startswith(f"{version}/namespaces/") and path.split("/")[-2] == plural


def status(code: int, reason: str, message: str, state: str = "Failure") -> web.Response:
    body = {"kind": "Status", "status": state, "code": code, "reason": reason, "message": message}
    return web.json_response(body, status=code)


def merged(have: Any, patch: Any, strategic: bool) -> Any:
    """RFC 7396; with `strategic`, lists of objects with a type are merged by it."""
    if isinstance(patch, list) and strategic and all("type" in entry for entry in patch):
        by_type = {entry["type"]: entry for entry in have or []}
        for entry in patch:
            by_type[entry["type"]] = merged(by_type.get(entry["type"]), entry, strategic)
        return list(by_type.values())
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    result = dict(have) if isinstance(have, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value, strategic)
    return result


@asynccontextmanager
async def serving(manager: str = "test") -> AsyncIterator[tuple[KubeServer, Client]]:
    """A server on a free port of the loopback, and a client of it."""
    kube = KubeServer()
    runner = web.ServerRunner(web.Server(kube.handle), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    kube.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    client = Client(Connection(kube.url), manager=manager)
    try:
        yield kube, client
    finally:
        await client.close()
        kube.close()
        await runner.cleanup()


async def until(condition: Callable[[], object]) -> None:
    """Returns when the condition holds; the test's own time limit ends a vain wait."""
    while not condition():  # noqa: ASYNC110
        await asyncio.sleep(0.002)


async def _either(first: asyncio.Event, second: asyncio.Event) -> None:
    tasks = [asyncio.ensure_future(event.wait()) for event in (first, second)]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
