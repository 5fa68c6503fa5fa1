"""Everything below / that is not a resource: discovery, OpenAPI, version, health, metrics."""

from __future__ import annotations

import platform
from collections.abc import Callable, Sequence

import prometheus_client
from prometheus_client import CONTENT_TYPE_LATEST

import cn2
from cn2.api.kind import Kind, Object
from cn2.apiserver import codec, discovery, openapi
from cn2.apiserver.errors import no_such_method, no_such_path, not_acceptable
from cn2.apiserver.request import Reply, Request

KUBERNETES_VERSION = "v1.32.4"
"""The Kubernetes whose behaviour the server follows."""

Check = Callable[[], str]
"""Why something is not well; empty when it is."""


class Documents:
    """The documents of one table of kinds, encoded once."""

    def __init__(self, kinds: Sequence[Kind], address: str, checks: dict[str, Check]) -> None:
        self._kinds = kinds
        self._address = address
        self._checks = checks
        self._openapi = openapi.Documents(kinds)
        self._known: dict[tuple[str, ...], tuple[bytes, str]] = {}

    def answer(self, segments: list[str], request: Request) -> Reply:
        if request.method not in ("GET", "HEAD"):
            raise no_such_method()
        match segments:
            case ["version"]:
                return Reply(200, codec.dump(version()))
            case ["healthz" | "livez" | "readyz", *rest]:
                return self._health(segments[0], rest, request.flag("verbose"))
            case ["metrics"]:
                text = prometheus_client.generate_latest()
                return Reply(200, text, CONTENT_TYPE_LATEST)
            case ["api" | "apis" as root]:
                return self._root(root, request)
            case ["api", version_name]:
                return self._resources("", version_name, request)
            case ["apis", group]:
                return self._document(request, discovery.group(self._kinds, group), group)
            case ["apis", group, version_name]:
                return self._resources(group, version_name, request)
            case ["openapi", "v2"]:
                return self._openapi_v2(request)
            case ["openapi", "v3"]:
                return Reply(200, codec.dump(self._openapi.index))
            case ["openapi", "v3", *path]:
                return self._openapi_v3("/".join(path), request)
            case [""]:
                return Reply(200, codec.dump({"paths": self._paths()}))
            case _:
                raise no_such_path()

    def _root(self, root: str, request: Request) -> Reply:
        for version_name in ("v2", "v2beta1"):
            if _asks_aggregated(request, version_name):
                document = discovery.aggregated(
                    self._kinds, core=root == "api", version=version_name
                )
                content_type = discovery.aggregated_content_type(version_name)
                return self._document(request, document, root, version_name, type_=content_type)
        if root == "api":
            return self._document(request, discovery.api_versions(self._address), root)
        return self._document(request, discovery.group_list(self._kinds), root)

    def _resources(self, group: str, version_name: str, request: Request) -> Reply:
        document = discovery.resource_list(self._kinds, group, version_name)
        return self._document(request, document, group, version_name)

    def _document(
        self, request: Request, document: Object | None, *name: str, type_: str = "application/json"
    ) -> Reply:
        if document is None:
            raise no_such_path()
        known = self._known.get((type_, *name))
        if known is None:
            known = self._known[type_, *name] = codec.dump(document), discovery.etag(document)
        body, etag = known
        headers = (("ETag", etag), ("Vary", "Accept"), ("Cache-Control", "public"))
        if request.headers.get("if-none-match") == etag:
            return Reply(304, b"", type_, headers)
        return Reply(200, body, type_, headers)

    def _openapi_v2(self, request: Request) -> Reply:
        accept = request.headers.get("accept", "")
        if "protobuf" in accept:
            return Reply(200, self._openapi.v2_protobuf, openapi.CONTENT_TYPE)
        if accept and "json" not in accept and "*/*" not in accept:
            raise not_acceptable(["application/json", openapi.CONTENT_TYPE])
        return Reply(200, self._openapi.v2_json)

    def _openapi_v3(self, path: str, request: Request) -> Reply:
        body = self._openapi.v3(path)
        if body is None:
            raise no_such_path()
        etag = f'"{self._openapi.hash(path)}"'
        headers = (("ETag", etag), ("Vary", "Accept"))
        if request.headers.get("if-none-match") == etag:
            return Reply(304, b"", headers=headers)
        return Reply(200, body, headers=headers)

    def _health(self, endpoint: str, rest: list[str], verbose: bool) -> Reply:
        wanted = {rest[0]: self._checks.get(rest[0])} if rest else dict(self._checks)
        if None in wanted.values():
            raise no_such_path()
        results = {name: check() for name, check in wanted.items() if check is not None}
        failed = any(results.values())
        if not failed and not verbose:
            return Reply(200, b"ok", "text/plain; charset=utf-8")
        lines = [
            f"[-]{name} failed: {why}" if why else f"[+]{name} ok" for name, why in results.items()
        ]
        verdict = "failed" if failed else "passed"
        text = "\n".join([*lines, f"{endpoint} check {verdict}", ""])
        return Reply(500 if failed else 200, text.encode(), "text/plain; charset=utf-8")

    def _paths(self) -> list[str]:
        groups = sorted({kind.api_version for kind in self._kinds if kind.group})
        return [
            *("/api", "/api/v1", "/apis", *(f"/apis/{name}" for name in groups)),
            *("/healthz", "/livez", "/metrics", "/openapi/v2", "/openapi/v3", "/readyz"),
            "/version",
        ]


def version() -> Object:
    """What `kubectl version` shows of the server."""
    major, minor, _ = KUBERNETES_VERSION.removeprefix("v").split(".")
    return {
        "major": major,
        "minor": minor,
        "gitVersion": f"{KUBERNETES_VERSION}+cn2",
        "gitCommit": cn2.__version__,
        "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": f"python{platform.python_version()}",
        "compiler": platform.python_implementation(),
        "platform": f"linux/{_ARCHITECTURES.get(platform.machine(), platform.machine())}",
    }


_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def _asks_aggregated(request: Request, version_name: str) -> bool:
    wanted = f"g=apidiscovery.k8s.io;v={version_name};as=APIGroupDiscoveryList"
    return wanted in request.headers.get("accept", "").replace(" ", "")
