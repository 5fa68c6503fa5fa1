"""The server without its sockets: a request in, an answer out."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import structlog

from cn2.api.kind import Kind
from cn2.apiserver import aliases, metrics, routing, subresources
from cn2.apiserver.authn import Authenticator, PeerCertificate, impersonated
from cn2.apiserver.authz import Attributes, Authorizer
from cn2.apiserver.backend import Backend
from cn2.apiserver.documents import Check, Documents
from cn2.apiserver.errors import (
    ApiError,
    bad_request,
    insufficient_storage,
    internal,
    no_such_method,
    no_such_path,
    unavailable,
)
from cn2.apiserver.nodes import Nodes
from cn2.apiserver.request import Answer, Request, User
from cn2.apiserver.reviews import Reviews
from cn2.apiserver.routing import GroupVersion, Target
from cn2.apiserver.serving import Serving, Verb
from cn2.apiserver.tokens import Tokens
from cn2.apiserver.verbs.create import create
from cn2.apiserver.verbs.delete import delete
from cn2.apiserver.verbs.deletecollection import deletecollection
from cn2.apiserver.verbs.get import get
from cn2.apiserver.verbs.list import list_
from cn2.apiserver.verbs.patch import patch
from cn2.apiserver.verbs.update import update
from cn2.apiserver.verbs.watch import watch
from cn2.apiserver.watches import Frames
from cn2.store.interface import Full, Unavailable

log = structlog.get_logger(__name__)

_VERBS: dict[str, Verb] = {
    "get": get,
    "list": list_,
    "watch": watch,
    "create": create,
    "update": update,
    "patch": patch,
    "delete": delete,
    "deletecollection": deletecollection,
}
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})
_SUBRESOURCE_VERBS = {"GET": "get", "POST": "create", "PUT": "update", "PATCH": "patch"}


@dataclass(frozen=True, slots=True)
class _Call:
    """A request understood: what it is called in authorization and metrics, and who does it."""

    attributes: Attributes
    verb: Verb | None
    target: Target | None


class Kernel:
    """Authenticates, authorizes and answers; every failure becomes a Status."""

    def __init__(
        self,
        backend: Backend,
        tokens: Tokens,
        nodes: Nodes,
        kinds: Sequence[Kind],
        *,
        address: str = "127.0.0.1:6443",
        checks: dict[str, Check] | None = None,
    ) -> None:
        self._authenticator = Authenticator(backend, tokens)
        self._authorizer = Authorizer(backend)
        self._serving = Serving(backend, Frames(backend), nodes, tokens, self._authorizer)
        self._reviews = Reviews(self._authenticator, self._authorizer)
        self._documents = Documents(
            (*kinds, *aliases.KINDS), address, {"ping": lambda: "", **(checks or {})}
        )

    def authenticate(self, certificate: PeerCertificate | None, headers: Mapping[str, str]) -> User:
        """The user of a request. Raises ApiError (400, 401, 403)."""
        return impersonated(self._authenticator.user(certificate, headers), headers)

    async def handle(self, request: Request) -> Answer:
        """Never raises but for cancellation."""
        started = time.perf_counter()
        resource = verb = ""
        try:
            call = self._understand(request)
            resource, verb = call.attributes.full_resource, call.attributes.verb
            answer = await self._answer(call, request)
        except ApiError as error:
            answer = error.reply()
        except RecursionError:
            # Without its trace, which would have as many lines as the document has levels.
            log.warning("nested too deeply", method=request.method, path=request.path)
            answer = bad_request("the object is nested too deeply").reply()
        except Full as error:
            log.error("disk full", error=str(error), path=request.path)
            answer = insufficient_storage(f"the store could not write: {error}").reply()
        except Unavailable as error:
            log.error("store refused a write", error=str(error), path=request.path)
            answer = unavailable(f"the store could not write: {error}").reply()
        except Exception as error:
            log.exception("request failed", method=request.method, path=request.path)
            answer = internal(f"{type(error).__name__}: {error}").reply()
        metrics.observe(verb, resource, answer, time.perf_counter() - started)
        return answer

    def end_watches(self) -> None:
        """Ends all watches in good order: their clients come back to another server."""
        self._serving.frames.end()

    async def _answer(self, call: _Call, request: Request) -> Answer:
        attributes, target = call.attributes, call.target
        self._authorizer.check(request.user, attributes)
        if target is not None:
            if call.verb is None:
                raise no_such_method(target.kind)
            return await call.verb(self._serving, request, target)
        if attributes.path:
            return self._documents.answer(routing.split(request.path), request)
        return self._reviews.answer(attributes.group, attributes.resource, request)

    def _understand(self, request: Request) -> _Call:
        if request.method not in _METHODS:
            raise no_such_method()
        found = routing.resolve(routing.split(request.path))
        match found:
            case Target(kind) if self._reviews.handles(kind.group, kind.plural):
                return _review_call(request, kind.group, kind.plural)
            case Target():
                return _translated(_resource_call(request, found))
            case GroupVersion(group, _, [*_, resource]):
                # Local reviews lie in a namespace; which one does not matter to the answer.
                if not self._reviews.handles(group, resource):
                    raise no_such_path()
                return _review_call(request, group, resource)
            case _:
                verb = request.method.lower()
                return _Call(Attributes(verb=verb, path=request.path), None, None)


def _review_call(request: Request, group: str, resource: str) -> _Call:
    if request.method != "POST":
        raise no_such_method()
    return _Call(Attributes(verb="create", group=group, resource=resource), None, None)


def _resource_call(request: Request, target: Target) -> _Call:
    if target.subresource:
        verbs = subresources.verbs(target)
        if not verbs:
            raise no_such_path()
        name = _SUBRESOURCE_VERBS.get(request.method, request.method.lower())
        return _Call(Attributes.of(name, target), verbs.get(request.method), target)
    name = routing.verb(request.method, target, request.flag("watch"))
    # As in Kubernetes nothing is deleted in all namespaces at once.
    everywhere = target.kind.namespaced and not target.namespace
    served = name in target.kind.verbs and not (name == "deletecollection" and everywhere)
    return _Call(Attributes.of(name, target), _VERBS[name] if served else None, target)


def _translated(call: _Call) -> _Call:
    """A call for a kind that is stored as another one."""
    alias = aliases.of(call.target.kind) if call.target is not None else None
    if alias is None or call.verb is None:
        return call
    return replace(call, verb=aliases.translating(alias, call.verb))
